/* tests/sim/crew.c - units are taken in their order, and their results have a bound. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "apps/sim/crew.h"

enum { UNITS = 9, JOBS = 8 };
#define HUGE_BYTES ((size_t)48 << 20) /* two of them are within the bound */

struct work {
    _Atomic uint32_t *begun; /* shared */
    uint32_t taken, begun_most;
};

static void do_unit(void *context, uint64_t unit, void *ret_result)
{
    const struct work *work = context;

    (void)atomic_fetch_add(work->begun, 1);
    *(uint64_t *)ret_result = unit + 100;
}

static bool take_unit(void *context, uint64_t unit, const void *result)
{
    struct work *work = context;
    uint32_t begun = atomic_load(work->begun) - work->taken;

    cr_assert(eq(u64, unit, work->taken));
    cr_assert(eq(u64, *(const uint64_t *)result, unit + 100));
    work->begun_most = begun > work->begun_most ? begun : work->begun_most;
    work->taken++;
    return true;
}

static void ignore(void *context)
{
    (void)context;
}

static struct work run(size_t result_bytes)
{
    void *memory = mmap(NULL, sizeof(uint32_t), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct work work = {.begun = memory};
    const struct tp_crew crew = {.jobs = JOBS,
                                 .units = UNITS,
                                 .result_bytes = result_bytes,
                                 .work = do_unit,
                                 .take = take_unit,
                                 .progress = ignore,
                                 .context = &work};

    cr_assert(memory != MAP_FAILED);
    cr_assert(eq(i32, tp_crew_run(&crew), 0));
    cr_assert(eq(u32, work.taken, UNITS));
    (void)munmap(memory, sizeof(uint32_t));
    return work;
}

Test(crew, takes_units_in_their_order)
{
    (void)run(sizeof(uint64_t));
}

/* What was begun and is not taken has a result each: there are two at most. */
Test(crew, has_no_more_results_than_there_is_memory_for)
{
    struct work work = run(HUGE_BYTES);

    cr_assert(le(u32, work.begun_most, 2));
}

Test(crew, has_one_result_whatever_its_size)
{
    struct work work = run(3 * HUGE_BYTES);

    cr_assert(eq(u32, work.begun_most, 1));
}
