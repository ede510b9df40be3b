/* tests/sim/crew.c - units are taken in their order, and their results have a bound. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>

#include "apps/sim/crew.h"

enum { UNITS = 9, JOBS = 8 };
#define HUGE_BYTES ((size_t)48 << 20) /* two of them are within the bound */

struct work {
    uint32_t taken, begun_most;
};

/* Units that were begun, a child each: counted in the parent, so that it is no matter when
 * a child comes to run. */
static uint32_t begun;

static void count_child(void)
{
    begun++;
}

static void do_unit(void *context, uint64_t unit, void *ret_result)
{
    (void)context;
    *(uint64_t *)ret_result = unit + 100;
}

static bool take_unit(void *context, uint64_t unit, const void *result)
{
    struct work *work = context;
    uint32_t untaken = begun - work->taken;

    cr_assert(eq(u64, unit, work->taken));
    cr_assert(eq(u64, *(const uint64_t *)result, unit + 100));
    work->begun_most = untaken > work->begun_most ? untaken : work->begun_most;
    work->taken++;
    return true;
}

static void ignore(void *context)
{
    (void)context;
}

static struct work run(size_t result_bytes)
{
    struct work work = {.taken = 0};
    const struct tp_crew crew = {.jobs = JOBS,
                                 .units = UNITS,
                                 .result_bytes = result_bytes,
                                 .work = do_unit,
                                 .take = take_unit,
                                 .progress = ignore,
                                 .context = &work};

    cr_assert(eq(int, pthread_atfork(NULL, count_child, NULL), 0));
    cr_assert(eq(i32, tp_crew_run(&crew), 0));
    cr_assert(eq(u32, work.taken, UNITS));
    cr_assert(eq(u32, begun, UNITS));
    return work;
}

/* All jobs have one before the first result is waited for. */
Test(crew, takes_units_in_their_order)
{
    struct work work = run(sizeof(uint64_t));

    cr_assert(le(u32, JOBS, work.begun_most));
}

/* What was begun and is not taken has a result each: there are two at a time. */
Test(crew, has_no_more_results_than_there_is_memory_for)
{
    struct work work = run(HUGE_BYTES);

    cr_assert(eq(u32, work.begun_most, 2));
}

Test(crew, has_one_result_whatever_its_size)
{
    struct work work = run(3 * HUGE_BYTES);

    cr_assert(eq(u32, work.begun_most, 1));
}
