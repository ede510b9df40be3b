/** tests/posix/wake.c - wakes, deadlines, law 6, and the fd that a host waits on. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "io/posix/posix.h"
#include "tests/linux/support.h"

static struct tp_io *io;

static void make(void)
{
    cr_assert(zero(int, tp_posix_io_create(NULL, &io)));
}

static void *wake_later(void *argument)
{
    (void)nanosleep(&(struct timespec){0, 20000000}, NULL);
    tp_io_wake(argument);
    return NULL;
}

Test(wake, another_thread_ends_a_park)
{
    pthread_t thread;

    make();
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

    make();
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

    make();
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

static void wake_in_handler(int number)
{
    (void)number;
    tp_io_wake(io);
}

Test(wake, in_a_signal_handler_and_no_other_signal_ends_a_park)
{
    const struct sigaction wakes = {.sa_handler = wake_in_handler};
    const struct itimerval once = {.it_value = {0, 20000}};
    uint64_t start_ns;

    make();
    io->wakes_expected = 1;
    (void)sigaction(SIGALRM, &wakes, NULL);
    (void)setitimer(ITIMER_REAL, &once, NULL);
    tp_io_park(io, TP_NEVER);
    start_ns = tp_io_now_ns(io);
    tp_io_park(io, start_ns + 30000000);
    cr_assert(ge(u64, tp_io_now_ns(io), start_ns + 30000000));
    cr_assert(ge(u64, tp_io_stats(io)->enters, tp_io_stats(io)->enters_extra + 1));
    io->wakes_expected = 0;
    tp_io_destroy(io);
}

Test(deadline, of_less_than_a_millisecond_is_kept_and_not_before)
{
    make();
    for (uint32_t i = 1; i <= 50; i++) {
        const uint64_t start_ns = tp_io_now_ns(io), deadline_ns = start_ns + i * 10000;

        tp_io_park(io, deadline_ns);
        cr_assert(ge(u64, tp_io_now_ns(io), deadline_ns));
    }
    tp_io_destroy(io);
}

/* Law 6: nothing waits for a peer, so there is nothing to ask the system. */
Test(enters, none_without_a_reason_and_one_at_most)
{
    char path[256], bytes[64] = "";
    struct tp_buf buf = tp_buf_full(bytes, sizeof bytes);
    struct tp_fd fd;
    uint64_t enters, parks;

    make();
    scratch_name(path, "file");
    fd = open_file(io, path);
    enters = tp_io_stats(io)->enters;
    tp_io_write_at(io, 1, fd, &buf, 0);
    for (uint32_t i = 0; i < 100; i++)
        tp_io_poll(io);
    cr_assert(eq(u64, tp_io_stats(io)->enters, enters));
    (void)wait_for(io, 1);
    parks = tp_io_stats(io)->parks;
    enters = tp_io_stats(io)->enters;
    for (uint64_t i = 0; i < 100; i++) {
        tp_io_write_at(io, 1, fd, &buf, i * 64);
        cr_assert(eq(i32, wait_for(io, 1), 64));
    }
    cr_assert(le(u64, tp_io_stats(io)->enters - tp_io_stats(io)->enters_extra - enters,
                 tp_io_stats(io)->parks - parks));
    cr_assert(zero(i32, tp_io_block_on(io, tp_request_close(fd))));
    (void)unlink(path);
    tp_io_destroy(io);
}

/* ------------------------------------------------------------------ a host */

static int32_t work(void *context)
{
    (void)nanosleep(&(struct timespec){0, 10000000}, NULL);
    return *(const int32_t *)context;
}

static bool is_readable(int timeout_ms)
{
    struct pollfd fd = {.fd = tp_io_fd(io), .events = POLLIN};

    return poll(&fd, 1, timeout_ms) == 1;
}

/* Polls until nothing is unsubmitted, sleeps on the fd, and does it again, until the
 * operation is there. */
static int32_t host_waits_for(uint64_t handle)
{
    struct tp_completion completion;

    for (uint32_t i = 0; i < 1000; i++) {
        do {
            tp_io_poll(io);
        } while (tp_io_unsubmitted(io) > 0);
        if (tp_io_get_cqe(io, handle, &completion))
            return completion.value;
        cr_assert(is_readable(10000), "it slept for ever");
    }
    return -ETIME;
}

Test(host, is_woken_by_threads_peers_and_wakes)
{
    const struct tp_address any = tp_address_ipv4(127, 0, 0, 1, 0);
    const struct tp_socket_options options = {0};
    struct tp_address address;
    struct tp_fd listener;
    int32_t number = 7;
    pthread_t thread;

    make();
    cr_assert(ge(int, tp_io_fd(io), 0));
    cr_assert(not(is_readable(0)));
    for (uint32_t i = 0; i < 5; i++) {
        tp_io_offload(io, 1, work, &number);
        cr_assert(eq(i32, host_waits_for(1), 7));
    }
    tp_io_listen(io, 2, &any, options);
    listener = tp_io_into_fd(io, host_waits_for(2));
    tp_io_local_address(io, 3, listener, &address);
    cr_assert(zero(i32, host_waits_for(3)));
    tp_io_accept(io, 4, listener);
    tp_io_connect(io, 5, &address, options);
    cr_assert(ge(i32, host_waits_for(5), 0));
    cr_assert(ge(i32, host_waits_for(4), 0));
    cr_assert(not(is_readable(0)), "nothing is left");
    cr_assert(zero(int, pthread_create(&thread, NULL, wake_later, io)));
    cr_assert(is_readable(10000));
    cr_assert(zero(int, pthread_join(thread, NULL)));
    tp_io_poll(io);
    cr_assert(not(is_readable(0)));
    tp_io_destroy(io);
}

/* What a thread has done while nobody asked for a fd is there when somebody does. */
Test(host, that_comes_late_finds_what_is_there)
{
    int32_t number = 9;

    make();
    tp_io_offload(io, 1, work, &number);
    tp_io_poll(io);
    (void)nanosleep(&(struct timespec){0, 50000000}, NULL);
    cr_assert(is_readable(10000));
    cr_assert(eq(i32, host_waits_for(1), 9));
    tp_io_destroy(io);
}
