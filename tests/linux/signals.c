/** tests/linux/signals.c - signals and park. Not under Valgrind, which delivers signals at
 * times of its own. */
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/linux/support.h"

static struct tp_io *io;

static void on_alarm_wake(int signal)
{
    (void)signal;
    tp_io_wake(io);
}

static volatile sig_atomic_t alarms;

static void on_alarm_count(int signal)
{
    (void)signal;
    alarms++;
}

static void start_alarms(void (*handler)(int), uint32_t every_ms)
{
    struct sigaction action;
    const struct itimerval timer = {{0, every_ms * 1000}, {0, every_ms * 1000}};

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    cr_assert(zero(int, sigaction(SIGALRM, &action, NULL)));
    cr_assert(zero(int, setitimer(ITIMER_REAL, &timer, NULL)));
}

static void stop_alarms(void)
{
    const struct itimerval none = {{0, 0}, {0, 0}};

    cr_assert(zero(int, setitimer(ITIMER_REAL, &none, NULL)));
}

Test(signals, a_signal_handler_ends_a_park)
{
    io = make_io(NULL);
    io->wakes_expected = 1;
    start_alarms(on_alarm_wake, 10);
    for (int i = 0; i < 5; i++)
        tp_io_park(io, TP_NEVER);
    stop_alarms();
    io->wakes_expected = 0;
    tp_io_destroy(io);
}

Test(signals, a_signal_by_itself_does_not)
{
    uint64_t start_ns;

    io = make_io(NULL);
    start_alarms(on_alarm_count, 5);
    do { /* where all is busy, alarms that come together are one */
        start_ns = tp_io_now_ns(io);
        tp_io_park(io, start_ns + 60000000);
        cr_assert(ge(u64, tp_io_now_ns(io), start_ns + 60000000));
    } while (alarms <= 2);
    stop_alarms();
    tp_io_destroy(io);
}

Test(signals, a_signal_loses_no_completion)
{
    char path[256];
    char text[4096] = {'x'};
    struct tp_buf buf = tp_buf_full(text, sizeof text);
    struct tp_fd fd;

    io = make_io(NULL);
    scratch_name(path, "file");
    fd = open_file(io, path);
    start_alarms(on_alarm_count, 1);
    for (uint64_t i = 0; i < 300; i++) {
        tp_io_write_at(io, 1, fd, &buf, i * sizeof text);
        tp_io_fsync(io, 2, fd, 0);
        cr_assert(eq(i32, wait_for(io, 1), (int32_t)sizeof text));
        cr_assert(zero(i32, wait_for(io, 2)));
    }
    stop_alarms();
    (void)unlink(path);
    tp_io_destroy(io);
}
