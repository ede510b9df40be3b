#include "tests/sm/town.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/await.h"

struct town town;

void town_add(enum peer_manner manner, uint32_t lines)
{
    tp_assert(town.count < PEERS_MAX);
    town.manners[town.count] = manner;
    town.lines[town.count++] = lines;
}

static void invite(struct tp_ctx *cx, uint32_t i)
{
    tp_group_add(&town.group,
                 peer_start(cx, &town.peers[i], town.manners[i],
                            &town.service.listener.address, town.lines[i], town.seed + i));
    if (town.manners[i] == MUTE && town.patience_ns != 0)
        town.peers[i].pause_ns = town.patience_ns;
}

/* Where time is real and the machine busy it takes a while until all are at what they do:
 * connected, answered, and who never reads is stuck (since the last look). */
static bool are_at_it(void)
{
    bool all = true;

    if (town.harness->world != ON_LINUX)
        return true;
    for (uint32_t i = 0; i < town.count; i++) {
        const struct peer *peer = &town.peers[i];

        all = all && tp_fd_is_some(peer->fd);
        if (peer->manner == POLITE || peer->manner == PIPELINER)
            all = all && peer->due_line > 0;
        if (peer->manner == MUTE)
            all = all && peer->line > 0 && peer->line == town.lines_seen[i];
        town.lines_seen[i] = peer->line;
    }
    return all;
}

static void stop(void)
{
    if (town.signal == 0)
        tp_service_stop(&town.service, town.grace_ns);
    else if (town.harness->world == ON_VIRTUAL)
        tp_virtual_io_signal(town.harness->io, town.signal);
    else
        cr_assert(eq(i32, kill(getpid(), SIGTERM), 0));
}

static enum tp_step town_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    (void)machine;
    TP_BEGIN(cx);
    town.service_op = tp_service_start(cx, &town.service, &town.config);
    TP_AWAIT_UNTIL(cx, tp_service_ready(&town.service) != -EAGAIN);
    if (tp_service_ready(&town.service) == 0) {
        tp_group_init(&town.group, town.items, PEERS_MAX, TP_GROUP_ALL);
        for (uint32_t i = 0; i < town.count; i++)
            invite(cx, i);
        if (town.stop_early) {
            do
                TP_AWAIT(cx,
                         tp_timer(cx, town.harness->world == ON_LINUX ? 100 * MS : 2 * MS),
                         &result);
            while (!are_at_it());
        } else {
            TP_AWAIT_UNTIL(cx, tp_group_joined(cx, &town.group));
        }
        stop();
    }
    TP_AWAIT(cx, town.service_op, &town.end);
    town.ended_ns = tp_now_ns(cx);
    TP_AWAIT_UNTIL(cx, tp_group_joined(cx, &town.group));
    return tp_end(&town.machine, town.end.value);
    TP_END(cx);
}

void town_clear(struct harness *h)
{
    memset(&town, 0, sizeof town);
    town.harness = h;
    town.seed = h->fault.seed;
    town.grace_ns = h->world == ON_LINUX ? 10000 * MS : 1000 * MS;
    town.config.address = tp_address_ipv4(127, 0, 0, 1, 0);
    town.config.tick = peers_client_tick;
    town.config.buffer_bytes = 1024;
    town.config.connection.output_high = 4096;
    town.config.options.send_buffer_bytes = 16384;
    /* Where time is real, a busy machine must not be taken for an idle peer. */
    town.config.connection.idle_ns = h->world == ON_LINUX ? 2000 * MS : 50 * MS;
    town.config.connection.close_ns = town.config.connection.idle_ns;
}

struct tp_machine *town_open(struct harness *h)
{
    tp_spawn(h->scheduler, &town.machine, town_tick, "town");
    return &town.machine;
}

void town_check(struct harness *h, enum harness_end end, int32_t result)
{
    for (uint32_t i = 0; i < town.count; i++) {
        const struct peer *peer = &town.peers[i];

        expect(h, !tp_machine_alive(&peer->machine));
        expect(h, !peer->wrong);
        if (end != ENDED || town.stop_early || peer->content)
            continue;
        (void)fprintf(stderr, "peer %u of manner %u: %s after %u of %u answers\n", i,
                      peer->manner, tp_errno_name(peer->error), peer->due_line,
                      peer->lines);
        expect(h, peer->content);
    }
    expect(h, town.service.listener.stats.connections == 0);
    town.hash = h->world == ON_VIRTUAL ? tp_virtual_io_trace_hash(h->io) : 0;
    if (end == ENDED)
        expect(h, result == 0);
    if (end == CANCELLED)
        expect(h, result == -ECANCELED || result == 0);
}

void town_check_bad(struct harness *h)
{
    town_check(h, FAILED, 0);
}

void town_add_everybody(void)
{
    static const uint32_t lines[PEER_MANNERS] = {20, 2000, 5, 500, 20000, 200, 0, 0, 0};

    for (uint32_t i = 0; i < 5 * PEER_MANNERS; i++)
        town_add((enum peer_manner)(i % PEER_MANNERS), lines[i % PEER_MANNERS]);
}

void town_run(const struct scenario *scenario, uint64_t seeds)
{
    struct harness_fault fault = {0};

    for (; fault.seed < seeds; fault.seed++)
        (void)harness_run(scenario, ON_VIRTUAL, fault);
    if (harness_has_linux())
        (void)harness_run(scenario, ON_LINUX, fault);
}
