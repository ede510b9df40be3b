#include "simulated.c"
