/** tests/linux/services.c - work on threads, names, and signals as completions. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/linux/support.h"

enum { FIRST = 1, SECOND = 2, CANCEL = 3, JOBS = 100 };

static int32_t run(struct tp_io *io, struct tp_request request)
{
    return tp_io_block_on(io, request);
}

/* ------------------------------------------------------------------ offload */

/* Jobs that stay at work until the gate opens. */
struct gate {
    _Atomic uint32_t inside, inside_max, runs;
    atomic_bool open;
};

static int32_t wait_at_gate(void *context)
{
    static const struct timespec pause = {0, 1000000};
    struct gate *gate = context;
    const uint32_t inside = atomic_fetch_add(&gate->inside, 1) + 1;
    uint32_t max = atomic_load(&gate->inside_max);

    while (inside > max && !atomic_compare_exchange_weak(&gate->inside_max, &max, inside))
        continue;
    while (!atomic_load(&gate->open))
        (void)nanosleep(&pause, NULL);
    atomic_fetch_sub(&gate->inside, 1);
    return (int32_t)atomic_fetch_add(&gate->runs, 1);
}

static void wait_inside(struct tp_io *io, struct gate *gate, uint32_t count)
{
    for (uint32_t i = 0; atomic_load(&gate->inside) < count; i++) {
        cr_assert(lt(u32, i, 10000));
        tp_io_park(io, tp_io_now_ns(io) + 1000000);
    }
}

static int32_t give_back(void *context)
{
    return *(const int32_t *)context;
}

Test(offload, gives_whatever_the_work_gives)
{
    struct tp_io *io = make_io(NULL);
    int32_t values[] = {0, 7, INT32_MAX, -EINTR, -ENOENT, -512};

    for (uint32_t i = 0; i < sizeof values / sizeof values[0]; i++)
        cr_assert(eq(i32, run(io, tp_request_offload(give_back, &values[i])), values[i]));
    cr_assert(eq(i32, run(io, tp_request_offload(NULL, NULL)), -EFAULT));
    tp_io_destroy(io);
}

Test(offload, runs_more_jobs_than_there_are_threads)
{
    for (uint32_t threads = 1; threads <= 4; threads++) {
        const struct tp_linux_io_config config = {.workers_max = threads};
        struct tp_io *io = make_io(&config);
        struct gate gate = {.open = false};
        const uint32_t at_once = threads > 1 ? threads - 1 : 1;

        for (uint64_t i = 0; i < 200; i++)
            tp_io_offload(io, JOBS + i, wait_at_gate, &gate);
        wait_inside(io, &gate, at_once);
        atomic_store(&gate.open, true);
        for (uint64_t i = 0; i < 200; i++)
            cr_assert(ge(i32, wait_for(io, JOBS + i), 0));
        cr_assert(eq(u32, atomic_load(&gate.runs), 200));
        cr_assert(eq(u32, atomic_load(&gate.inside_max), at_once));
        tp_io_destroy(io);
    }
}

/* The threads are all taken but one, and that one is not for long jobs. */
Test(offload, does_not_hinder_what_needs_a_thread_for_a_moment)
{
    struct tp_io *io = make_io(NULL);
    struct gate gate = {.open = false};

    for (uint64_t i = 0; i < 50; i++)
        tp_io_offload(io, JOBS + i, wait_at_gate, &gate);
    wait_inside(io, &gate, 3);
    for (uint32_t i = 0; i < 20; i++)
        cr_assert(zero(i32, run(io, tp_request_sync_dir("."))));
    atomic_store(&gate.open, true);
    wait_for_all(io);
    tp_io_destroy(io);
}

Test(offload, stops_only_what_has_not_begun)
{
    const struct tp_linux_io_config config = {.workers_max = 1};
    struct tp_io *io = make_io(&config);
    struct gate gate = {.open = false};

    tp_io_offload(io, FIRST, wait_at_gate, &gate);
    tp_io_offload(io, SECOND, wait_at_gate, &gate);
    wait_inside(io, &gate, 1);
    tp_io_cancel(io, CANCEL, FIRST);
    cr_assert(eq(i32, wait_for(io, CANCEL), -EALREADY));
    tp_io_cancel(io, CANCEL, SECOND);
    cr_assert(zero(i32, wait_for(io, CANCEL)));
    cr_assert(eq(i32, wait_for(io, SECOND), -ECANCELED));
    atomic_store(&gate.open, true);
    cr_assert(zero(i32, wait_for(io, FIRST)));
    cr_assert(eq(u32, atomic_load(&gate.runs), 1));
    tp_io_destroy(io);
}

/* ------------------------------------------------------------------ names */

Test(resolve, knows_this_machine_and_addresses)
{
    struct tp_io *io = make_io(NULL);
    struct tp_addresses found;
    const struct tp_address loopback = tp_address_ipv4(127, 0, 0, 1, 0);
    int32_t count = run(io, tp_request_resolve("localhost", &found));

    cr_assert(ge(i32, count, 1));
    cr_assert(eq(u32, found.count, (uint32_t)count));
    for (uint32_t i = 0; i < found.count; i++)
        cr_assert(tp_address_is_loopback(&found.items[i]));
    cr_assert(eq(i32, run(io, tp_request_resolve("127.0.0.1", &found)), 1));
    cr_assert(tp_address_equal(&found.items[0], &loopback));
    cr_assert(eq(i32, run(io, tp_request_resolve("::1", &found)), 1));
    cr_assert(eq(u32, found.items[0].family, TP_ADDRESS_IPV6));
    tp_io_destroy(io);
}

/* What the name servers of this machine say to a name that cannot exist depends on whether
 * there are any. */
Test(resolve, says_when_there_is_no_such_name)
{
    struct tp_io *io = make_io(NULL);
    struct tp_addresses found;
    const int32_t value = run(io, tp_request_resolve("no-such-name.invalid", &found));

    cr_assert(value == -ENOENT || value == -EAGAIN, "%s", tp_errno_name(value));
    cr_assert(eq(i32, run(io, tp_request_resolve("a name with blanks", &found)), -ENOENT));
    tp_io_destroy(io);
}

/* ------------------------------------------------------------------ signals */

static void block(int first, int second)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, first);
    (void)sigaddset(&set, second);
    cr_assert(zero(int, pthread_sigmask(SIG_BLOCK, &set, NULL)));
}

Test(signal, each_one_arrives)
{
    static const struct {
        uint32_t signal;
        int number;
    } all[] = {{TP_SIGNAL_HUP, SIGHUP},
               {TP_SIGNAL_INT, SIGINT},
               {TP_SIGNAL_TERM, SIGTERM},
               {TP_SIGNAL_USR1, SIGUSR1},
               {TP_SIGNAL_USR2, SIGUSR2}};
    struct tp_io *io = make_io(NULL);
    const uint32_t every = 2 * TP_SIGNAL_USR2 - 1, fds = count_fds_of(io);

    for (uint32_t i = 0; i < 5; i++)
        block(all[i].number, all[i].number);
    for (uint32_t i = 0; i < 5; i++) {
        tp_io_signal(io, FIRST, every);
        tp_io_poll(io);
        cr_assert(zero(int, kill(getpid(), all[i].number)));
        cr_assert(eq(i32, wait_for(io, FIRST), (int32_t)all[i].signal));
        cr_assert(eq(u32, count_fds(), fds), "its descriptor is closed");
    }
    tp_io_destroy(io);
}

Test(signal, one_that_nobody_waited_for_stays_pending)
{
    struct tp_io *io = make_io(NULL);

    block(SIGTERM, SIGUSR1);
    cr_assert(zero(int, kill(getpid(), SIGTERM)));
    tp_io_signal(io, FIRST, TP_SIGNAL_USR1);
    tp_io_signal(io, SECOND, TP_SIGNAL_TERM);
    cr_assert(eq(i32, wait_for(io, SECOND), TP_SIGNAL_TERM));
    cr_assert(zero(int, kill(getpid(), SIGUSR1)));
    cr_assert(eq(i32, wait_for(io, FIRST), TP_SIGNAL_USR1));
    tp_io_destroy(io);
}

Test(signal, two_who_wait_get_one_each)
{
    struct tp_io *io = make_io(NULL);
    struct tp_completion completion;
    uint32_t got = 0;

    block(SIGTERM, SIGTERM);
    tp_io_signal(io, FIRST, TP_SIGNAL_TERM);
    tp_io_signal(io, SECOND, TP_SIGNAL_TERM);
    tp_io_poll(io);
    cr_assert(zero(int, kill(getpid(), SIGTERM)));
    for (uint32_t i = 0; i < 30; i++) {
        tp_io_park(io, tp_io_now_ns(io) + 5000000);
        got += tp_io_get_cqe(io, FIRST, &completion);
        got += tp_io_get_cqe(io, SECOND, &completion);
    }
    cr_assert(eq(u32, got, 1), "there was one signal");
    cr_assert(eq(u32, tp_io_in_flight(io), 1));
    cr_assert(zero(int, kill(getpid(), SIGTERM)));
    wait_for_all(io);
    tp_io_destroy(io);
}

Test(signal, must_be_blocked)
{
    struct tp_io *io = make_io(NULL);
    const uint32_t fds = count_fds_of(io);

    block(SIGTERM, SIGTERM);
    cr_assert(eq(i32, run(io, tp_request_signal(TP_SIGNAL_USR1)), -EINVAL));
    cr_assert(eq(i32, run(io, tp_request_signal(TP_SIGNAL_TERM | TP_SIGNAL_INT)), -EINVAL));
    cr_assert(eq(i32, run(io, tp_request_signal(0)), -EINVAL));
    cr_assert(eq(u32, count_fds(), fds));
    tp_io_destroy(io);
}

Test(signal, can_be_stopped)
{
    struct tp_io *io = make_io(NULL);
    const uint32_t fds = count_fds_of(io);

    block(SIGTERM, SIGTERM);
    for (uint32_t polls = 0; polls < 3; polls++) {
        tp_io_signal(io, FIRST, TP_SIGNAL_TERM);
        for (uint32_t i = 0; i < polls; i++)
            tp_io_poll(io);
        tp_io_cancel(io, CANCEL, FIRST);
        cr_assert(eq(i32, wait_for(io, FIRST), -ECANCELED));
        cr_assert(zero(i32, wait_for(io, CANCEL)));
        cr_assert(eq(u32, count_fds(), fds));
    }
    tp_io_destroy(io);
}

Test(signal, the_end_closes_its_descriptor)
{
    const uint32_t fds = count_fds();
    struct tp_io *io = make_io(NULL);

    block(SIGTERM, SIGTERM);
    tp_io_signal(io, FIRST, TP_SIGNAL_TERM);
    tp_io_poll(io);
    tp_io_signal(io, SECOND, TP_SIGNAL_TERM);
    tp_io_destroy(io);
    cr_assert(eq(u32, count_fds(), fds));
}
