/** tests/sm/service_stop.c - a service is stopped: in order, in time, or not in time. */
#include <signal.h>

#include "tests/sm/town.h"

static struct tp_machine *stop_in_time(struct harness *h)
{
    town_clear(h);
    town.config.connection.idle_ns = 0;
    town.stop_early = true;
    for (uint32_t i = 0; i < 5; i++)
        town_add(IDLER, 0);
    town_add(POLITE, 100000);
    town_add(PIPELINER, 100000);
    return town_open(h);
}

static void check_in_time(struct harness *h, enum harness_end end, int32_t result)
{
    town_check(h, end, result);
    expect(h, result == 0);
    for (uint32_t i = 0; i < 5; i++)
        expect(h, town.peers[i].content);
    expect(h, town.service.listener.stats.cancelled == 0);
    expect(h, town.peers[5].due_line > 0 && !town.peers[5].content);
}

static const struct scenario in_time_scenario = {"stop in time", NULL, stop_in_time,
                                                 check_in_time,  0,    true};

Test(service_stop, at_a_stop_idle_clients_get_an_end_and_no_request_half_an_answer)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        (void)harness_run(&in_time_scenario, ON_VIRTUAL,
                          (struct harness_fault){.seed = seed});
        cr_assert(lt(u64, town.ended_ns, 100 * MS));
    }
    if (harness_has_linux())
        (void)harness_run(&in_time_scenario, ON_LINUX, (struct harness_fault){.seed = 1});
}

static struct tp_machine *stop_soon(struct harness *h)
{
    town_clear(h);
    town.config.connection.idle_ns = 0;
    town.stop_early = true;
    town.grace_ns = 10 * MS;
    town_add(IDLER, 0);
    town_add(POLITE, 60);
    town_add(MUTE, 2000);
    return town_open(h);
}

/* The grace may be over before the one that does not read has gone. */
static void check_soon(struct harness *h, enum harness_end end, int32_t result)
{
    town_check(h, end == ENDED ? FAILED : end, result == -ETIMEDOUT ? 0 : result);
}

static const struct scenario soon_scenario = {"stop", NULL, stop_soon, check_soon, 0, true};

Test(service_stop, a_stop_virtual)
{
    harness_sweep(&soon_scenario, ON_VIRTUAL);
}

static struct tp_machine *stop_too_late(struct harness *h)
{
    town_clear(h);
    town.config.connection.idle_ns = 0;
    town.config.connection.close_ns = TP_NEVER;
    town.stop_early = true;
    /* Where time is real, an end in time must not be taken for one too late. */
    town.grace_ns = h->world == ON_LINUX ? 300 * MS : 20 * MS;
    town.patience_ns = h->world == ON_LINUX ? 1000 * MS : 200 * MS;
    town_add(IDLER, 0);
    town_add(MUTE, 100000);
    return town_open(h);
}

/* One that waits for its peer to read was cancelled; its peer had more time. */
static void check_too_late(struct harness *h, enum harness_end end, int32_t result)
{
    (void)end;
    town_check_bad(h);
    expect(h, result == -ETIMEDOUT);
    expect(h, town.peers[0].content);
    expect(h, town.service.listener.stats.cancelled == 1);
}

static const struct scenario too_late_scenario = {"stop too late", NULL, stop_too_late,
                                                  check_too_late,  0,    true};

Test(service_stop, who_has_not_finished_when_the_grace_is_over_is_cancelled)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        (void)harness_run(&too_late_scenario, ON_VIRTUAL,
                          (struct harness_fault){.seed = seed});
        cr_assert(ge(u64, town.ended_ns, 22 * MS));
        cr_assert(lt(u64, town.ended_ns, 60 * MS));
    }
    if (harness_has_linux())
        (void)harness_run(&too_late_scenario, ON_LINUX, (struct harness_fault){.seed = 1});
}

static struct tp_machine *stop_by_signal(struct harness *h)
{
    struct tp_machine *machine = stop_in_time(h);

    town.signal = TP_SIGNAL_TERM;
    town.config.stop_signals = TP_SIGNAL_TERM | TP_SIGNAL_INT;
    return machine;
}

static const struct scenario signal_scenario = {"signal",      NULL, stop_by_signal,
                                                check_in_time, 0,    true};

Test(service_stop, a_signal_stops_it_in_order)
{
    sigset_t signals;

    (void)harness_run(&signal_scenario, ON_VIRTUAL, (struct harness_fault){.seed = 1});
    cr_assert(eq(i32, town.service.signal, TP_SIGNAL_TERM));
    if (!harness_has_linux())
        return;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    cr_assert(eq(i32, sigprocmask(SIG_BLOCK, &signals, NULL), 0));
    (void)harness_run(&signal_scenario, ON_LINUX, (struct harness_fault){.seed = 1});
    cr_assert(eq(i32, town.service.signal, TP_SIGNAL_TERM));
}

static struct tp_machine *listen_for_signal(struct harness *h)
{
    town_clear(h);
    town.config.stop_signals = TP_SIGNAL_TERM;
    return town_open(h);
}

static void check_signal_refused(struct harness *h, enum harness_end end, int32_t result)
{
    (void)end;
    town_check_bad(h);
    expect(h, result == -EINVAL);
}

static const struct scenario not_blocked_scenario = {
    "signal not blocked", NULL, listen_for_signal, check_signal_refused, 0, true};

Test(service_stop, a_signal_that_is_not_blocked_is_an_error)
{
    if (!harness_has_linux())
        cr_skip("no io_uring");
    (void)harness_run(&not_blocked_scenario, ON_LINUX, (struct harness_fault){.seed = 1});
}
