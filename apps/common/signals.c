#include "apps/common/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* What the handler needs, and so the one place of a program with global state: signals have
 * no other way to reach it. */
static volatile sig_atomic_t caught;
static struct tp_scheduler *_Atomic woken_scheduler;
static uint64_t woken_machine;

static void note(int number)
{
    struct tp_scheduler *scheduler = atomic_load(&woken_scheduler);
    int saved = errno;

    if (caught == 0)
        caught = number;
    if (scheduler != NULL)
        tp_scheduler_post(scheduler, woken_machine);
    errno = saved;
}

static void take(int number)
{
    struct sigaction before;
    struct sigaction action = {.sa_handler = note,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

    if (sigaction(number, NULL, &before) < 0 || before.sa_handler == SIG_IGN)
        return;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void app_signals_take(struct tp_scheduler *scheduler, uint64_t machine_id)
{
    woken_machine = machine_id;
    atomic_store(&woken_scheduler, scheduler);
    take(SIGINT);
    take(SIGTERM);
    take(SIGHUP);
}

void app_signals_forget(void)
{
    atomic_store(&woken_scheduler, NULL);
}

int app_signals_caught(void)
{
    return caught;
}

const char *app_signals_name(int number)
{
    return number == SIGINT    ? "SIGINT"
           : number == SIGTERM ? "SIGTERM"
           : number == SIGHUP  ? "SIGHUP"
                               : "a signal";
}
