/** tests/fuzz/sim_tally.c - bytes as the choices of a simulated run.
 *
 * Wrong is: a run in which what was promised is lost, or the simulator comes to an end of
 * its own. The program is a sound one, so that only the world can be to blame.
 */
#include "apps/sim/scenarios/scenarios.h"
#include "tests/fuzz/target.h"

enum { INPUT_MAX = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    tp_sim_fuzz(&tally_scenario, bytes, len < INPUT_MAX ? len : INPUT_MAX);
    return 0;
}
