#include "tests/planted/planted.h"

#include "apps/sim/scenarios/log3/scenario.h"

const struct tp_scenario *tp_planted_scenario(void)
{
    return &log3_scenario;
}
