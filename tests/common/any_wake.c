/** tests/common/any_wake.c - a park ends by wakes, of which none is lost. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "any_io.h"

static struct tp_io *io;

Test(wake, another_thread_ends_a_park)
{
    pthread_t thread;

    io = any_io_make();
    io->wakes_expected = 1;
    for (int i = 0; i < 5; i++) {
        cr_assert(zero(int, pthread_create(&thread, NULL, wake_later, io)));
        tp_io_park(io, TP_NEVER);
        cr_assert(zero(int, pthread_join(thread, NULL)));
    }
    io->wakes_expected = 0;
    tp_io_destroy(io);
}

Test(wake, before_a_park_ends_the_next_one)
{
    uint64_t start_ns;

    io = any_io_make();
    io->wakes_expected = 1;
    tp_io_wake(io);
    tp_io_park(io, TP_NEVER);
    for (int i = 0; i < 1000; i++)
        tp_io_wake(io);
    tp_io_poll(io); /* sees it, and leaves it to the park */
    tp_io_park(io, TP_NEVER);
    start_ns = tp_io_now_ns(io);
    tp_io_park(io, start_ns + 20000000);
    cr_assert(ge(u64, tp_io_now_ns(io), start_ns + 20000000), "wakes are coalesced");
    io->wakes_expected = 0;
    tp_io_destroy(io);
}

static void *wake_often(void *argument)
{
    for (int i = 0; i < 20000; i++)
        tp_io_wake(argument);
    return NULL;
}

Test(wake, from_two_threads_at_work_is_never_lost)
{
    pthread_t threads[2];

    io = any_io_make();
    io->wakes_expected = 1;
    for (int i = 0; i < 2; i++)
        cr_assert(zero(int, pthread_create(&threads[i], NULL, wake_often, io)));
    for (int i = 0; i < 2000; i++) {
        tp_io_nop(io, 1);
        tp_io_poll(io);
        tp_completions_clear(tp_io_completions(io));
        if (i % 7 == 0)
            tp_io_park(io, tp_io_now_ns(io) + 100000);
    }
    for (int i = 0; i < 2; i++)
        cr_assert(zero(int, pthread_join(threads[i], NULL)));
    tp_io_wake(io);
    tp_io_park(io, TP_NEVER);
    io->wakes_expected = 0;
    tp_io_destroy(io);
}

enum { TURNS = 20000 };

static _Atomic uint32_t turns_asked, turns_done;

static void *take_turns(void *argument)
{
    for (uint32_t turn = 1; turn <= TURNS; turn++) {
        while (atomic_load(&turns_asked) < turn)
            (void)sched_yield();
        atomic_store(&turns_done, turn);
        tp_io_wake(argument);
    }
    return NULL;
}

/* The wake comes while the owner is about to sleep, at a moment that is another each turn:
 * one that is lost leaves it asleep. */
Test(wake, that_races_with_a_park_is_not_lost)
{
    pthread_t thread;

    io = any_io_make();
    io->wakes_expected = 1;
    cr_assert(zero(int, pthread_create(&thread, NULL, take_turns, io)));
    for (uint32_t turn = 1; turn <= TURNS; turn++) {
        atomic_store(&turns_asked, turn);
        while (atomic_load(&turns_done) < turn) {
            const uint64_t deadline_ns = tp_io_now_ns(io) + UINT64_C(10000000000);

            tp_io_park(io, deadline_ns);
            cr_assert(lt(u64, tp_io_now_ns(io), deadline_ns), "turn %u was lost", turn);
        }
    }
    cr_assert(zero(int, pthread_join(thread, NULL)));
    io->wakes_expected = 0;
    tp_io_destroy(io);
}
