/* What a farm makes of a seed that does not end when it is repeated. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apps/sim/farm.h"

static _Atomic uint32_t *runs; /* of all processes */

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)cx;
    while (atomic_load(runs) == 3) /* the third never ends */
        (void)pause();
    return tp_end(machine, 0);
}

struct worker {
    struct tp_machine machine;
};

static void boot(struct tp_node *node)
{
    struct worker *w = tp_node_new(node, sizeof *w);

    if (tp_node_boots(node) == 0)
        (void)atomic_fetch_add(runs, 1);
    tp_node_spawn(node, &w->machine, tick, "worker");
}

static uint32_t verdicts[3]; /* by seed */

static void note_result(void *context, const struct tp_seed_result *result)
{
    (void)context;
    cr_assert(le(u64, result->seed, 2));
    verdicts[result->seed] = result->outcome.verdict;
}

static void nothing(void *context, uint64_t elapsed_ns)
{
    (void)context;
    (void)elapsed_ns;
}

/* Two seeds are one batch, and the second is repeated: of its trace nothing is known. */
Test(farm, a_repeat_that_hangs_is_no_other_trace)
{
    static const struct tp_scenario scenario = {.name = "hangs", .boot = boot};
    struct tp_farm_config config = {.job = {.scenario = &scenario},
                                    .first = 1,
                                    .last = 2,
                                    .hang_ns = 2000000000, /* also where all is busy */
                                    .jobs = 1,
                                    .result = note_result,
                                    .progress = nothing};
    struct tp_farm_totals totals;

    runs =
        mmap(NULL, sizeof *runs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(runs != MAP_FAILED, "no memory to share");
    cr_assert(eq(int, tp_farm_run(&config, &totals), 0));
    cr_assert(eq(u64, totals.repeated, 1));
    cr_assert(eq(u32, verdicts[1], TP_VERDICT_PASSED));
    cr_assert(eq(u32, verdicts[2], TP_VERDICT_HANG));
}
