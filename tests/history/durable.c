/** tests/history/durable.c - the durability oracle: what it must forgive and what it must
 * not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "apps/sim/durable.h"
#include "io/virtual/random.h"

enum { CAPACITY = 16 };

static struct tp_durable durable;
static struct tp_durable_write writes[CAPACITY];

static void setup(void)
{
    tp_durable_init(&durable, writes, CAPACITY);
}

static void write_done(uint64_t key, uint64_t value)
{
    tp_durable_acknowledge(&durable, tp_durable_begin(&durable, key, value));
}

static void expect(uint64_t key, uint64_t value, enum tp_durable_verdict verdict)
{
    cr_assert(eq(int, (int)tp_durable_observe(&durable, key, value), (int)verdict));
}

Test(durable, what_was_acknowledged_must_be_there, .init = setup)
{
    write_done(1, 10);
    tp_durable_crash(&durable);
    expect(1, 10, TP_DURABLE_FINE);
    expect(1, 0, TP_DURABLE_LOST);
    expect(2, 0, TP_DURABLE_FINE);
    write_done(1, 11);
    tp_durable_crash(&durable);
    expect(1, 10, TP_DURABLE_LOST);
}

Test(durable, what_was_not_may_be_there, .init = setup)
{
    write_done(1, 10);
    (void)tp_durable_begin(&durable, 1, 11);
    tp_durable_crash(&durable);
    expect(1, 11, TP_DURABLE_FINE);
    expect(1, 10, TP_DURABLE_LOST); /* it was shown: it cannot go any more */
}

Test(durable, or_may_not_but_then_never, .init = setup)
{
    write_done(1, 10);
    (void)tp_durable_begin(&durable, 1, 11);
    tp_durable_crash(&durable);
    expect(1, 10, TP_DURABLE_FINE);
    tp_durable_crash(&durable);
    expect(1, 11, TP_DURABLE_LOST);
}

Test(durable, nothing_else_is_there, .init = setup)
{
    expect(1, 99, TP_DURABLE_ALIEN);
    (void)tp_durable_begin(&durable, 1, 10);
    tp_durable_crash(&durable);
    expect(1, 99, TP_DURABLE_ALIEN);
    expect(2, 10, TP_DURABLE_ALIEN);
}

Test(durable, a_removal_is_a_write, .init = setup)
{
    write_done(1, 10);
    write_done(1, 0);
    tp_durable_crash(&durable);
    expect(1, 10, TP_DURABLE_LOST);
    expect(1, 0, TP_DURABLE_FINE);
}

Test(durable, two_under_way_at_once_may_be_in_either_order, .init = setup)
{
    int32_t first = tp_durable_begin(&durable, 1, 10);
    int32_t second = tp_durable_begin(&durable, 1, 11);

    tp_durable_acknowledge(&durable, second);
    tp_durable_acknowledge(&durable, first);
    tp_durable_crash(&durable);
    expect(1, 11, TP_DURABLE_FINE);
}

Test(durable, an_old_failure_does_not_excuse_a_loss, .init = setup)
{
    (void)tp_durable_begin(&durable, 1, 9);
    tp_durable_crash(&durable);
    write_done(1, 10);
    tp_durable_crash(&durable);
    expect(1, 9, TP_DURABLE_LOST);
}

Test(durable, it_says_when_it_is_full_and_forgets_what_is_past, .init = setup)
{
    for (uint64_t i = 1; i <= 1000; i++)
        write_done(i % 3, i);
    for (uint64_t i = 0; i < CAPACITY - 3; i++)
        cr_assert(ge(i32, tp_durable_begin(&durable, 5, i + 1), 0));
    cr_assert(eq(i32, tp_durable_begin(&durable, 5, 99), -ENOSPC));
}

/* A store that keeps what it acknowledged and, by chance, what it did not. */
Test(durable, an_honest_store_is_never_blamed_and_a_forgetful_one_always, .init = setup)
{
    struct tp_rng rng = tp_rng_make(7, 7);
    uint64_t held[3] = {0, 0, 0};
    uint64_t acknowledged[3] = {0, 0, 0};

    for (uint64_t round = 1; round <= 3000; round++) {
        uint32_t key = (uint32_t)tp_rng_below(&rng, 3);
        int32_t write = tp_durable_begin(&durable, key, round);
        bool done = tp_rng_below(&rng, 3) > 0;

        cr_assert(ge(i32, write, 0));
        if (done)
            tp_durable_acknowledge(&durable, write);
        if (done || tp_rng_below(&rng, 2) == 0)
            held[key] = round;
        if (done)
            acknowledged[key] = round;
        if (tp_rng_below(&rng, 4) > 0)
            continue;
        tp_durable_crash(&durable);
        for (uint32_t i = 0; i < 3; i++) {
            if (acknowledged[i] != 0)
                expect(i, 0, TP_DURABLE_LOST);
            expect(i, held[i], TP_DURABLE_FINE);
        }
    }
}
