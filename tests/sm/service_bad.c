/** tests/sm/service_bad.c - a service whose network, system or clients fail: what is heard
 * is right as far as it goes, and nothing is left over. */
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/await.h"
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
        lt(u32, 50 * 5 * PEER_MANNERS / 2, content)); /* and most get what they want */
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
    cr_assert(lt(u32, 50 * 5 * PEER_MANNERS / 4, content));
}

/* ------------------------------------------------------------------ a want of numbers */

enum { CALLERS = 20, QUESTIONS = 10, NUMBERS_FOR_SERVICE = 4 };

/* Clients whose descriptors are there before there is a want of them, so the service alone
 * has to do without. They block, in threads of the worker pool, by plain system calls. */
static struct callers {
    struct tp_machine machine;
    struct sockaddr_in address;
    struct rlimit fds_before;
    int fds[CALLERS];
} callers;

/* All call; the kernel keeps them for the service. */
static int32_t call_all(void *context)
{
    struct callers *c = context;

    for (uint32_t i = 0; i < CALLERS; i++) {
        if (connect(c->fds[i], (const struct sockaddr *)&c->address, sizeof c->address) < 0)
            return -errno;
    }
    return 0;
}

/* One after the other asks, hears, and goes, which gives the service a number back. */
static int32_t ask_all(void *context)
{
    struct callers *c = context;

    for (uint32_t i = 0; i < CALLERS; i++) {
        for (uint32_t line = 0; line < QUESTIONS; line++) {
            char heard[5];

            if (send(c->fds[i], "hoy\n", 4, MSG_NOSIGNAL) != 4 ||
                recv(c->fds[i], heard, sizeof heard, MSG_WAITALL) != sizeof heard ||
                memcmp(heard, "<hoy>", sizeof heard) != 0)
                return -EPROTO;
        }
        if (close(c->fds[i]) < 0)
            return -errno;
    }
    return 0;
}

/* From now on so many numbers are left. */
static void limit_numbers(struct callers *c)
{
    struct rlimit few;
    int lowest = dup(STDERR_FILENO);

    cr_assert(lowest >= 0 && close(lowest) == 0);
    cr_assert(zero(int, getrlimit(RLIMIT_NOFILE, &c->fds_before)));
    few = c->fds_before;
    few.rlim_cur = (rlim_t)lowest + NUMBERS_FOR_SERVICE;
    cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &few)));
}

static enum tp_step callers_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct callers *c = tp_container_of(machine, struct callers, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    town.service_op = tp_service_start(cx, &town.service, &town.config);
    TP_AWAIT_UNTIL(cx, tp_service_ready(&town.service) != -EAGAIN);
    cr_assert(zero(i32, tp_service_ready(&town.service)));
    c->address.sin_family = AF_INET;
    c->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->address.sin_port = htons(town.service.listener.address.port);
    limit_numbers(c);
    TP_AWAIT(cx, tp_offload(cx, call_all, c), &result);
    cr_assert(zero(i32, result.value));
    while (town.service.listener.stats.back_offs == 0)
        TP_AWAIT(cx, tp_timer(cx, MS), &result);
    TP_AWAIT(cx, tp_offload(cx, ask_all, c), &result);
    cr_assert(zero(i32, result.value), "somebody is not served");
    cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &c->fds_before)));
    tp_service_stop(&town.service, town.grace_ns);
    TP_AWAIT(cx, town.service_op, &town.end);
    return tp_end(machine, town.end.value);
    TP_END(cx);
}

static struct tp_machine *want_of_numbers(struct harness *h)
{
    struct timeval patience = {.tv_sec = 20};

    town_clear(h);
    memset(&callers, 0, sizeof callers);
    for (uint32_t i = 0; i < CALLERS; i++) {
        callers.fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        cr_assert(ge(int, callers.fds[i], 0));
        cr_assert(zero(int, setsockopt(callers.fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience,
                                       sizeof patience)));
    }
    tp_spawn(h->scheduler, &callers.machine, callers_tick, "callers");
    return &callers.machine;
}

static void check_want(struct harness *h, enum harness_end end, int32_t result)
{
    town_check(h, end, result);
    expect(h, town.service.listener.stats.last_error == -EMFILE);
    expect(h, town.service.listener.stats.accepted == CALLERS);
}

static const struct scenario want_scenario = {"want of numbers", NULL, want_of_numbers,
                                              check_want,        0,    true};

Test(service_bad, clients_wait_for_descriptors_and_are_served)
{
    if (!harness_has_linux())
        cr_skip("no io_uring");
    (void)harness_run(&want_scenario, ON_LINUX, (struct harness_fault){.seed = 1});
}
