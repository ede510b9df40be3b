/** tests/posix/wake.c - signals, deadlines, law 6, and the fd that a host waits on. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "io/posix/posix.h"
#include "tests/common/any_io.h"
#include "tests/linux/support.h"

static struct tp_io *io;

int any_io_create(struct tp_io **ret_io)
{
    return tp_posix_io_create(NULL, ret_io);
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

    io = any_io_make();
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
    io = any_io_make();
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

    io = any_io_make();
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
    sleep_ms(10);
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

    io = any_io_make();
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

    io = any_io_make();
    tp_io_offload(io, 1, work, &number);
    tp_io_poll(io);
    sleep_ms(50);
    cr_assert(is_readable(10000));
    cr_assert(eq(i32, host_waits_for(1), 9));
    tp_io_destroy(io);
}
