/** tests/sm/service_bad.c - a service whose network, system or clients fail: what is heard
 * is right as far as it goes, and nothing is left over. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/sm/town.h"

static struct tp_machine *everybody(struct harness *h)
{
    town_clear(h);
    town_add_everybody();
    return town_open(h);
}

/* ------------------------------------------------------------------ a bad network */

static struct tp_machine *storm(struct harness *h)
{
    static const struct tp_net_faults faults = {.loss_ppm = 20000,
                                                .clog_ppm = 2000,
                                                .reset_ppm = 2000,
                                                .refuse_ppm = 20000,
                                                .clog_max_ns = 20 * MS};
    struct tp_machine *machine = everybody(h);

    tp_net_set_faults(tp_virtual_io_net(h->io), &faults);
    return machine;
}

static void check_storm(struct harness *h, enum harness_end end, int32_t result)
{
    (void)end;
    town_check_bad(h);
    expect(h, result == 0 || result == -ETIMEDOUT);
}

static const struct scenario storm_scenario = {"storm", NULL, storm, check_storm, 0, true};

Test(service_bad, a_bad_network_mixes_nothing_up)
{
    uint32_t content = 0;

    for (uint64_t seed = 0; seed < 50; seed++) {
        (void)harness_run(&storm_scenario, ON_VIRTUAL,
                          (struct harness_fault){.seed = seed});
        for (uint32_t i = 0; i < town.count; i++)
            content += town.peers[i].content;
    }
    cr_assert(
        gt(u32, content, 50 * 5 * PEER_MANNERS / 2)); /* and most get what they want */
}

/* ------------------------------------------------------------------ a bad system */

static struct tp_machine *hail(struct harness *h)
{
    static const struct tp_virtual_faults faults = {
        .error_ppm = 3000, .eintr_ppm = 3000, .short_ppm = 200000};
    struct tp_machine *machine = everybody(h);

    tp_virtual_io_set_faults(h->io, &faults);
    return machine;
}

static void check_hail(struct harness *h, enum harness_end end, int32_t result)
{
    static const struct tp_virtual_faults none;

    (void)end, (void)result;
    town_check_bad(h);
    h->fired = true; /* the library is right to complain of failures */
    tp_virtual_io_set_faults(h->io, &none);
}

static const struct scenario hail_scenario = {"hail", NULL, hail, check_hail, 0, true};

Test(service_bad, operations_that_fail_here_and_there_mix_nothing_up)
{
    uint32_t content = 0;

    for (uint64_t seed = 0; seed < 50; seed++) {
        (void)harness_run(&hail_scenario, ON_VIRTUAL, (struct harness_fault){.seed = seed});
        for (uint32_t i = 0; i < town.count; i++)
            content += town.peers[i].content;
    }
    cr_assert(gt(u32, content, 50 * 5 * PEER_MANNERS / 4));
}

static struct rlimit fds_before;

/* Fewer descriptors than clients: all have called, and some have to wait for a number. */
static struct tp_machine *want_of_numbers(struct harness *h)
{
    struct rlimit few;
    int lowest = dup(STDERR_FILENO);

    town_clear(h);
    for (uint32_t i = 0; i < 20; i++)
        town_add(POLITE, 10);
    expect(h, lowest >= 0 && close(lowest) == 0);
    expect(h, getrlimit(RLIMIT_NOFILE, &fds_before) == 0);
    few = fds_before;
    few.rlim_cur = (rlim_t)lowest + 25; /* the listener, 20 clients, 4 of theirs here */
    expect(h, setrlimit(RLIMIT_NOFILE, &few) == 0);
    return town_open(h);
}

static void check_want(struct harness *h, enum harness_end end, int32_t result)
{
    expect(h, setrlimit(RLIMIT_NOFILE, &fds_before) == 0);
    town_check(h, end, result);
    expect(h, town.service.listener.stats.last_error == -EMFILE);
    expect(h, town.service.listener.stats.back_offs > 0);
    expect(h, town.service.listener.stats.accepted == 20);
}

static const struct scenario want_scenario = {"want of numbers", NULL, want_of_numbers,
                                              check_want,        0,    true};

Test(service_bad, clients_wait_for_descriptors_and_are_served)
{
    if (!harness_has_linux())
        cr_skip("no io_uring");
    (void)harness_run(&want_scenario, ON_LINUX, (struct harness_fault){.seed = 1});
}
