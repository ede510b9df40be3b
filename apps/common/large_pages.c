/* For programs that simulate, where they have jemalloc: it asks the system for large pages,
 * and clears memory that it gives out again, instead of having it taken away and brought
 * back page by page. */
#include "io/base.h"

TP_EXPORT extern const char *malloc_conf; /* the name is jemalloc's, which reads it */

const char *malloc_conf = "thp:always";
