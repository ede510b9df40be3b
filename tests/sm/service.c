/** tests/sm/service.c - a whole service and its clients, good and bad, on both backends. */
#include <stdio.h>

#include "runtime/await.h"
#include "tests/sm/town.h"

static struct tp_machine *few(struct harness *h)
{
    town_clear(h);
    town_add(POLITE, 3);
    town_add(TRICKLER, 1);
    town_add(RESETTER, 20);
    town_add(GARBAGE, 0);
    town_add(VISITOR, 0);
    return town_open(h);
}

static const struct scenario few_scenario = {"few clients", NULL, few, town_check, 0, true};

Test(service, few_clients_virtual)
{
    harness_sweep(&few_scenario, ON_VIRTUAL);
}

Test(service, few_clients_linux)
{
    if (!harness_has_linux())
        cr_skip("no io_uring");
    harness_sweep(&few_scenario, ON_LINUX);
}

static struct tp_machine *one_polite(struct harness *h)
{
    town_clear(h);
    town_add(POLITE, 2);
    town_add(PIPELINER, 300);
    return town_open(h);
}

static const struct scenario busy_scenario = {"busy clients", NULL, one_polite,
                                              town_check,     0,    true};

Test(service, busy_clients_virtual)
{
    harness_sweep(&busy_scenario, ON_VIRTUAL);
}

/* ------------------------------------------------------------------ every kind, many times
 */

static struct tp_machine *everybody(struct harness *h)
{
    town_clear(h);
    town_add_everybody();
    return town_open(h);
}

static const struct scenario everybody_scenario = {"everybody", NULL, everybody,
                                                   town_check,  0,    true};

Test(service, clients_of_every_kind_at_once)
{
    town_run(&everybody_scenario, 20);
}

/* One seed, one story. */
Test(service, two_runs_of_one_seed_are_alike)
{
    for (uint64_t seed = 0; seed < 3; seed++) {
        uint64_t hash;

        (void)harness_run(&everybody_scenario, ON_VIRTUAL,
                          (struct harness_fault){.seed = seed});
        hash = town.hash;
        (void)harness_run(&everybody_scenario, ON_VIRTUAL,
                          (struct harness_fault){.seed = seed});
        cr_assert(eq(u64, town.hash, hash));
    }
}

static struct tp_machine *crowd(struct harness *h)
{
    struct tp_machine *machine = everybody(h);

    town.config.connections_max = 7;
    return machine;
}

static const struct scenario crowd_scenario = {"crowd", NULL, crowd, town_check, 0, true};

/* More than are allowed at a time: they wait, and are served. */
Test(service, more_clients_than_the_limit)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        (void)harness_run(&crowd_scenario, ON_VIRTUAL,
                          (struct harness_fault){.seed = seed});
        cr_assert(eq(u32, town.service.listener.stats.connections_max, 7));
        cr_assert(
            eq(u64, town.service.listener.stats.accepted, 5 * (uint64_t)PEER_MANNERS));
    }
    if (harness_has_linux())
        (void)harness_run(&crowd_scenario, ON_LINUX, (struct harness_fault){.seed = 1});
}

/* ------------------------------------------------------------------ by a path */

static struct tp_machine *by_path(struct harness *h)
{
    struct tp_machine *machine = everybody(h);
    struct tp_address *address = &town.config.address;
    const char *path = harness_path(h, "socket");

    if (strlen(path) >= TP_UNIX_PATH_MAX) /* then it is in the directory of the run */
        path = strrchr(h->root, '/') + 1;
    memset(address, 0, sizeof *address);
    address->family = TP_ADDRESS_UNIX;
    (void)snprintf(address->at.path, sizeof address->at.path, "%s%s", path,
                   path[0] == '/' ? "" : "/socket");
    return machine;
}

static const struct scenario path_scenario = {"path", NULL, by_path, town_check, 0, true};

Test(service, clients_of_every_kind_by_a_path)
{
    town_run(&path_scenario, 5);
}

/* ------------------------------------------------------------------ clients that await */

/* Rests after every few lines; what comes meanwhile is kept, and then receiving pauses. */
struct weary_client {
    struct tp_client base;
    const uint8_t *line;
    int32_t len;
    uint32_t lines;
};

static enum tp_step weary_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct weary_client *m =
        tp_container_of(tp_client_of(machine), struct weary_client, base);
    struct tp_connection *c = &m->base.connection;
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT_UNTIL(cx, (m->len = tp_connection_peek_line(cx, c, LINE_BYTES_MAX,
                                                             &m->line)) != -EAGAIN);
        if (m->len <= 0)
            break;
        peers_answer(c, m->line, m->len);
        tp_connection_consume(c, (uint32_t)m->len);
        if (++m->lines % 16 == 0)
            TP_AWAIT(cx, tp_timer(cx, 100000), &result);
    }
    TP_AWAIT_UNTIL(cx, tp_connection_close(cx, c));
    return tp_end(machine, c->error);
    TP_END(cx);
}

static struct tp_machine *weary(struct harness *h)
{
    struct tp_machine *machine = everybody(h);

    town.config.tick = weary_tick;
    town.config.client_bytes = sizeof(struct weary_client);
    return machine;
}

static const struct scenario weary_scenario = {"weary", NULL, weary, town_check, 0, true};

Test(service, machines_that_await_lose_nothing_of_what_comes_meanwhile)
{
    town_run(&weary_scenario, 10);
}

static struct tp_machine *few_weary(struct harness *h)
{
    town_clear(h);
    town_add(PIPELINER, 200);
    town_add(MUTE, 1000);
    town.config.tick = weary_tick;
    town.config.client_bytes = sizeof(struct weary_client);
    return town_open(h);
}

static const struct scenario few_weary_scenario = {"few weary", NULL, few_weary,
                                                   town_check,  0,    true};

Test(service, few_weary_clients_virtual)
{
    harness_sweep(&few_weary_scenario, ON_VIRTUAL);
}

/* ------------------------------------------------------------------ greed */

static struct tp_machine *greed(struct harness *h)
{
    town_clear(h);
    town_add(PIPELINER, 30000);
    town_add(PIPELINER, 30000);
    town_add(POLITE, 30);
    town_add(POLITE, 30);
    return town_open(h);
}

static void check_greed(struct harness *h, enum harness_end end, int32_t result)
{
    town_check(h, end, result);
    for (uint32_t polite = 2; polite < 4; polite++) {
        for (uint32_t greedy = 0; greedy < 2; greedy++)
            expect(h, town.peers[polite].left_ns < town.peers[greedy].left_ns);
    }
}

static const struct scenario greed_scenario = {"greed", NULL, greed, check_greed, 0, true};

Test(service, who_asks_without_end_does_not_keep_the_others_waiting)
{
    town_run(&greed_scenario, 3);
}

/* ------------------------------------------------------------------ coming and going */

enum { CHURN = 1000, AT_A_TIME = 30 };

/* Peers that come one after the other, so many at a time. */
static struct churn {
    struct tp_machine machine;
    struct tp_op service_op;
    uint32_t come, gone, content;
} churn;

static void next_peer(struct tp_ctx *cx, uint32_t slot)
{
    static const enum peer_manner manners[] = {POLITE, TRICKLER, RESETTER, VISITOR,
                                               GARBAGE};
    struct tp_op op = peer_start(cx, &town.peers[slot], manners[churn.come % 5],
                                 &town.service.listener.address, 2, churn.come);

    (void)tp_tag(cx, op, slot + 1);
    churn.come++;
}

static bool is_over(struct tp_ctx *cx)
{
    struct tp_result result;

    while (tp_next_cqe(cx, &result)) {
        uint32_t slot = (uint32_t)result.tag - 1;

        tp_assert(result.tag > 0);
        churn.gone++;
        churn.content += town.peers[slot].content && !town.peers[slot].wrong;
        if (churn.come < CHURN)
            next_peer(cx, slot);
    }
    return churn.gone == CHURN;
}

static enum tp_step churn_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    churn.service_op = tp_service_start(cx, &town.service, &town.config);
    TP_AWAIT_UNTIL(cx, tp_service_ready(&town.service) != -EAGAIN);
    for (uint32_t slot = 0; slot < AT_A_TIME; slot++)
        next_peer(cx, slot);
    TP_AWAIT_UNTIL(cx, is_over(cx));
    tp_service_stop(&town.service, town.grace_ns);
    TP_AWAIT(cx, churn.service_op, &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static struct tp_machine *open_churn(struct harness *h)
{
    town_clear(h);
    memset(&churn, 0, sizeof churn);
    town.config.connections_max = 20; /* fewer than come */
    tp_spawn(h->scheduler, &churn.machine, churn_tick, "churn");
    return &churn.machine;
}

static void check_churn(struct harness *h, enum harness_end end, int32_t result)
{
    (void)end;
    expect(h, result == 0);
    expect(h, churn.content == CHURN);
    expect(h, town.service.listener.stats.accepted == CHURN);
    expect(h, town.service.listener.stats.connections_max <= 20);
    expect(h, town.service.listener.stats.errors == 0);
}

static const struct scenario churn_scenario = {"churn",     NULL, open_churn,
                                               check_churn, 0,    true};

Test(service, a_thousand_connections_come_and_go)
{
    (void)harness_run(&churn_scenario, ON_VIRTUAL, (struct harness_fault){.seed = 1});
    if (harness_has_linux())
        (void)harness_run(&churn_scenario, ON_LINUX, (struct harness_fault){.seed = 1});
}
