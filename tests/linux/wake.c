/** tests/linux/wake.c - wakes without each feature, deadlines, and the fd to wait on. */
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "tests/common/any_io.h"
#include "tests/linux/support.h"

static struct tp_io *io;

int any_io_create(struct tp_io **ret_io)
{
    return tp_linux_io_create(NULL, ret_io);
}

Test(wake, every_feature_masked_too)
{
    for (uint32_t bit = 0; bit <= 12; bit++) {
        const struct tp_linux_io_config config = {.features_off =
                                                      bit == 12 ? UINT32_MAX : 1U << bit};
        pthread_t thread;

        io = make_io(&config);
        io->wakes_expected = 1;
        for (int i = 0; i < 3; i++) {
            cr_assert(zero(int, pthread_create(&thread, NULL, wake_later, io)));
            tp_io_park(io, TP_NEVER);
            cr_assert(zero(int, pthread_join(thread, NULL)));
            tp_io_wake(io);
            tp_io_park(io, TP_NEVER);
        }
        io->wakes_expected = 0;
        tp_io_destroy(io);
    }
}

/* Whether the fd becomes readable within the time. */
static bool is_readable(int timeout_ms)
{
    struct pollfd fd = {.fd = tp_io_fd(io), .events = POLLIN};

    return poll(&fd, 1, timeout_ms) == 1;
}

static void *write_later(void *argument)
{
    const int *writer = argument;

    sleep_ms(20);
    return write(*writer, "x", 1) == 1 ? argument : NULL;
}

/* What a host does before it sleeps. */
static void submit_all(void)
{
    do
        tp_io_poll(io);
    while (tp_io_unsubmitted(io) > 0);
}

static void expect_readable_soon(void *(*later)(void *), void *argument)
{
    uint64_t start_ns;
    pthread_t thread;

    submit_all();
    start_ns = tp_io_now_ns(io);
    cr_assert(zero(int, pthread_create(&thread, NULL, later, argument)));
    cr_assert(is_readable(9000), "nobody woke the host");
    cr_assert(zero(int, pthread_join(thread, NULL)));
    for (int i = 0; i < 100 && (is_readable(0) || tp_io_unsubmitted(io) > 0); i++)
        tp_io_poll(io);
    cr_assert(not(is_readable(0)), "still readable when a poll finds nothing");
    cr_assert(lt(u64, tp_io_now_ns(io), start_ns + 8000000000), "found, but not woken");
}

static void use_fd(uint32_t features_off)
{
    const struct tp_linux_io_config config = {.features_off = features_off};
    char path[256], byte;
    struct tp_buf buf = tp_buf_empty(&byte, 1);
    int writer;
    struct tp_fd fifo;

    io = make_io(&config);
    cr_assert(not(is_readable(0)));
    scratch_name(path, "fifo");
    fifo = open_fifo(io, path, &writer);
    for (int i = 0; i < 3; i++) {
        expect_readable_soon(wake_later, io);
        tp_io_read_at(io, 1, fifo, &buf, 0);
        expect_readable_soon(write_later, &writer);
        cr_assert(eq(i32, wait_for(io, 1), 1));
        tp_io_nop(io, 2);
        tp_io_poll(io);
        cr_assert(not(is_readable(0)), "what completed at once was reaped at once");
        cr_assert(zero(i32, wait_for(io, 2)));
        tp_io_set_mode(io, 3, fifo, 0600);
        submit_all();
        cr_assert(tp_io_completions(io)->live > 0 || is_readable(9000), "a thread is done");
        cr_assert(zero(i32, wait_for(io, 3)));
    }
    submit_all();
    tp_io_wake(io);
    cr_assert(is_readable(9000), "a wake before the host sleeps");
    (void)unlink(path);
    tp_io_destroy(io);
}

Test(wake, the_fd_becomes_readable_while_a_host_sleeps)
{
    use_fd(0);
}

Test(wake, the_fd_does_so_without_each_feature)
{
    use_fd(TP_LINUX_DEFER_TASKRUN);
    use_fd(TP_LINUX_TASKRUN_FLAG);
    use_fd(TP_LINUX_DEFER_TASKRUN | TP_LINUX_COOP_TASKRUN);
    use_fd(TP_LINUX_RESTRICTIONS | TP_LINUX_RING_FD);
    use_fd(TP_LINUX_MULTISHOT_WAKE);
    use_fd(UINT32_MAX);
}

/* A wake, and right behind it what an operation waits for. */
static void *wake_and_write(void *argument)
{
    const int *writer = argument;

    tp_io_wake(io);
    return write(*writer, "x", 1) == 1 ? argument : NULL;
}

/* A host is told of the operation, too: what a wake leaves to be reaped does not silence
 * what comes behind it. */
Test(wake, the_fd_tells_of_what_completes_beside_wakes)
{
    char path[256], byte;
    struct tp_buf buf = tp_buf_empty(&byte, 1);
    struct tp_completion completion;
    struct tp_fd fifo;
    int writer;

    io = make_io(NULL);
    cr_assert(not(is_readable(0)));
    scratch_name(path, "beside");
    fifo = open_fifo(io, path, &writer);
    for (int i = 0; i < 2000; i++) {
        pthread_t thread;

        buf.len = 0;
        tp_io_read_at(io, 1, fifo, &buf, 0);
        submit_all();
        cr_assert(zero(int, pthread_create(&thread, NULL, wake_and_write, &writer)));
        while (!tp_io_get_cqe(io, 1, &completion)) {
            cr_assert(is_readable(9000), "round %d: nobody told the host", i);
            tp_io_poll(io);
        }
        cr_assert(eq(i32, completion.value, 1));
        cr_assert(zero(int, pthread_join(thread, NULL)));
    }
    (void)unlink(path);
    tp_io_destroy(io);
}

Test(wake, the_fd_says_that_completions_found_no_room)
{
    const struct tp_linux_io_config config = {.completions_max = 2};

    io = make_io(&config);
    cr_assert(not(is_readable(0)));
    for (uint64_t handle = 1; handle <= 3; handle++)
        tp_io_nop(io, handle);
    tp_io_poll(io);
    cr_assert(is_readable(0), "the third waits in the queue");
    tp_completions_clear(tp_io_completions(io));
    tp_io_poll(io);
    cr_assert(not(is_readable(0)));
    tp_io_destroy(io);
}

Test(wake, a_deadline_in_the_past_does_not_wait)
{
    io = make_io(NULL);
    for (int i = 0; i < 100; i++)
        tp_io_park(io, 1);
    cr_assert(eq(u64, tp_io_stats(io)->enters, 0));
    tp_io_destroy(io);
}
