/* counter.c - a durable counter over TCP: counter.h, on the kernel.
 *
 *     counter DIRECTORY [ADDRESS:PORT]
 */
#include <signal.h>
#include <tempest/io/auto/auto.h>

#include "counter.h"

int main(int argc, char **argv)
{
    static struct counter counter;
    struct tp_journal_config log = {.path = argc > 1 ? argv[1] : "."};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    sigset_t signals;
    char problem[256];
    int error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "counter: %s\n", tp_auto_io_refusal(error)), 1;
    counter.config.tick = client_tick;
    counter.config.client_bytes = sizeof(struct client);
    counter.config.stop_signals = TP_SIGNAL_TERM | TP_SIGNAL_INT;
    if (tp_address_parse(argc > 2 ? argv[2] : "127.0.0.1:7777", 7777,
                         &counter.config.address) < 0)
        return fprintf(stderr, "usage: counter DIRECTORY [ADDRESS:PORT]\n"), 2;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    tp_assert(tp_journal_init(&counter.log, &log) == 0);
    scheduler = tp_scheduler_create(io, 16384);
    tp_assert(scheduler != NULL);
    tp_spawn(scheduler, &counter.machine, counter_tick, "counter");
    tp_scheduler_run(scheduler);
    if (counter.machine.result < 0) {
        tp_journal_problem_print(&counter.log, problem, sizeof problem);
        fprintf(stderr, "counter: %s %s\n", tp_errno_name(counter.machine.result), problem);
    }
    tp_scheduler_destroy(scheduler);
    tp_journal_deinit(&counter.log);
    tp_io_destroy(io);
    return counter.machine.result < 0;
}
