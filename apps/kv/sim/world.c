#include "apps/kv/sim/world.h"

#include <inttypes.h>
#include <stdio.h>

#include "apps/kv/sim/world_internal.h"
#include "io/virtual/hash.h"

enum {
    ROUND_NS = 1000, /* what a round takes in which somebody had something to do */
    CUT_MIN = 5,     /* binary logarithm of the events of a life that is cut off */
    CUT_MAX = 12,
    SIGNAL_MS_MAX = 200,
    DARK_MS_MAX = 60, /* between two lives */
    TIDE_MS_MAX = 300,
    BOOTS_MAX = 16,
};

#define LIFE_MAX (KV_WORLD_MS * 1000 * 600) /* after healing: then it hangs */

/* How the life of a server ends. */
enum end { END_KILL, END_POWER_CUT, END_SIGNAL };

/* ------------------------------------------------------------------ time */

static bool is_broken(const struct kv_world *w)
{
    return kv_oracle_is_broken(w->oracle);
}

/* When a loop wants to be ticked again by its timers. */
static uint64_t due_ns(struct kv_world *w, struct tp_scheduler *loop)
{
    int64_t timeout = loop == NULL ? -1 : tp_scheduler_timeout_ns(loop);

    return timeout < 0 ? TP_NEVER : tp_world_now_ns(w->time) + (uint64_t)timeout;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool has_died(const struct kv_world *w)
{
    return w->server_io != NULL && tp_virtual_io_is_dead(w->server_io);
}

/* A round, and what came of it. */
struct round {
    uint64_t until_ns; /* time passes no further */
    bool for_clients;  /* it is over when the clients have ended, too */
    bool server_ended, clients_ended;
};

/* Everybody does what he can, then time passes to the next event. False: the server has
 * died, or nothing can ever happen any more. */
static bool go_round(struct kv_world *w, struct round *round)
{
    enum tp_progress server = TP_WAIT_IO, clients;
    uint64_t next = round->until_ns;

    if (w->server_loop != NULL)
        server = tp_scheduler_tick(w->server_loop);
    if (has_died(w))
        return false;
    clients = tp_scheduler_tick(w->client_loop);
    round->server_ended = server == TP_FINISHED;
    round->clients_ended = clients == TP_FINISHED;
    if (round->server_ended || (round->clients_ended && round->for_clients))
        return true;
    if (server == TP_PROGRESS || clients == TP_PROGRESS) {
        next = tp_world_now_ns(w->time) + ROUND_NS;
    } else {
        next = earlier(next, tp_world_next_ns(w->time));
        next = earlier(next, due_ns(w, w->server_loop));
        next = earlier(next, due_ns(w, w->client_loop));
    }
    if (next == TP_NEVER)
        return false;
    if (next < tp_world_now_ns(w->time))
        next = tp_world_now_ns(w->time);
    tp_world_run(w->time, next);
    return !has_died(w);
}

/* ------------------------------------------------------------------ the end of a boot */

/* What one life leaves: statistics, and nothing else. */
static void bury(struct kv_world *w)
{
    w->outcome->snapshots += w->server->storage.saves.done;
    w->outcome->trace_hash = tp_hash_words(
        (uint64_t[]){w->outcome->trace_hash, tp_virtual_io_trace_hash(w->server_io)}, 2, 0);
    kv_server_deinit(w->server);
    tp_virtual_io_destroy(w->server_io);
    w->server_io = NULL;
    w->server_loop = NULL;
    w->visited.serving = false;
}

static void end_by_force(struct kv_world *w, enum end end)
{
    tp_scheduler_crash(w->server_loop);
    if (end == END_POWER_CUT) {
        tp_virtual_io_power_cut(w->server_io);
        w->outcome->power_cuts++;
    } else {
        tp_virtual_io_kill(w->server_io);
        w->outcome->kills++;
    }
    bury(w);
}

/* The server has ended by itself. */
static void end_well(struct kv_world *w)
{
    int32_t result = w->server->machine.result;

    tp_virtual_io_cut_at(w->server_io, 0); /* else the world would stop for somebody dead */
    if (result < 0) {
        w->outcome->failures++;
        if (w->healed)
            kv_oracle_violate(w->oracle, "the server has ended: %s: %s",
                              tp_errno_name(result), w->server->storage.problem);
    } else {
        w->outcome->stops++;
    }
    tp_scheduler_destroy(w->server_loop);
    bury(w);
}

/* ------------------------------------------------------------------ a life */

/* Somebody else's file comes and goes. */
static void turn_tide(struct kv_world *w)
{
    if (tp_world_now_ns(w->time) < w->tide_ns)
        return;
    kv_world_fill(w, !w->filled && !w->healed);
    w->tide_ns = tp_world_now_ns(w->time) + kv_world_below(w, TIDE_MS_MAX) * KV_WORLD_MS;
}

/* Lives until the server has ended, one way or the other, or until the clients have, if
 * they are waited for. Nothing may last for ever. */
static void live(struct kv_world *w, enum end end, bool for_clients)
{
    struct round round = {.until_ns = tp_world_now_ns(w->time) + LIFE_MAX,
                          .for_clients = for_clients};

    while (!is_broken(w)) {
        bool goes_on = go_round(w, &round);

        turn_tide(w);
        w->visited.serving = w->server->begun && !w->server->stopping;
        if (has_died(w)) {
            end_by_force(w, end);
            return;
        }
        if (round.server_ended) {
            end_well(w);
            return;
        }
        if (for_clients && round.clients_ended)
            return;
        if (!goes_on || tp_world_now_ns(w->time) >= round.until_ns)
            kv_oracle_violate(w->oracle, "nothing goes on any more");
    }
    end_by_force(w, END_KILL);
}

/* Nobody answers for a while. */
static void be_dark(struct kv_world *w)
{
    struct round round = {.until_ns =
                              tp_world_now_ns(w->time) +
                              kv_world_below(w, DARK_MS_MAX * 1000) * (KV_WORLD_MS / 1000)};

    while (tp_world_now_ns(w->time) < round.until_ns && !is_broken(w)) {
        if (!go_round(w, &round))
            return;
    }
}

static void live_and_end(struct kv_world *w)
{
    enum end end = (enum end)kv_world_below(w, 3);
    uint32_t events = UINT32_C(1) << (CUT_MIN + kv_world_below(w, CUT_MAX - CUT_MIN + 1));

    if (end == END_SIGNAL)
        tp_virtual_io_signal_at(w->server_io, TP_SIGNAL_TERM,
                                tp_world_now_ns(w->time) +
                                    kv_world_below(w, SIGNAL_MS_MAX) * KV_WORLD_MS);
    else
        tp_virtual_io_cut_at(w->server_io, tp_virtual_io_events(w->server_io) + 1 +
                                               kv_world_below(w, events));
    live(w, end, false);
    be_dark(w);
}

/* Ends the server in order, and the power goes when it has ended. */
static void stop_and_cut(struct kv_world *w)
{
    if (is_broken(w))
        return;
    tp_virtual_io_signal(w->server_io, TP_SIGNAL_TERM);
    live(w, END_KILL, false);
    tp_disk_power_cut(w->disk, w->tape, KV_WORLD_SERVER);
    w->outcome->power_cuts++;
}

static void heal(struct kv_world *w)
{
    static const struct tp_virtual_faults no_faults;
    static const struct tp_net_faults no_net_faults;

    w->healed = true;
    w->faults = no_faults;
    tp_net_set_faults(w->net, &no_net_faults);
    for (uint32_t i = 0; i < w->clients; i++)
        w->visitors[i].script.steps_left = w->steps;
    kv_world_fill(w, false);
}

/* Everybody comes once more, and looks at everything that there is. */
static void look_at_all(struct kv_world *w)
{
    for (uint32_t i = 0; i < w->clients; i++) {
        struct kv_visitor *visitor = &w->visitors[i];

        kv_oracle_doubt(w->oracle, i);
        kv_visitor_again(visitor);
        tp_spawn(w->client_loop, &visitor->machine, kv_visitor_tick, "visitor");
    }
}

static void note_outcome(struct kv_world *w)
{
    struct kv_world_outcome *outcome = w->outcome;
    const struct tp_net_stats *net = tp_net_stats(w->net);

    (void)snprintf(outcome->violation, sizeof outcome->violation, "%s",
                   w->oracle->violation);
    outcome->events = tp_world_events(w->time);
    outcome->virtual_ns = tp_world_now_ns(w->time);
    outcome->trace_hash = tp_hash_words(
        (uint64_t[]){outcome->trace_hash, tp_virtual_io_trace_hash(w->client_io)}, 2, 0);
    outcome->connections = net->connections;
    outcome->faults = net->fault_resets + net->fault_refusals + net->fault_losses +
                      net->fault_clogs + net->fault_silences;
    outcome->stats = w->oracle->stats;
}

static int live_all(struct kv_world *w)
{
    uint32_t boots =
        w->config->boots != 0 ? w->config->boots : 1 + kv_world_below(w, BOOTS_MAX);
    int error = 0;

    for (uint32_t i = 0; i < boots && error == 0 && !is_broken(w) && !w->config->mild;
         i++) {
        error = kv_world_boot(w);
        if (error == 0)
            live_and_end(w);
    }
    heal(w);
    for (uint32_t i = 0; i < 2 && error == 0 && !is_broken(w); i++) {
        error = kv_world_boot(w);
        if (error == 0)
            live(w, END_KILL, true);
        if (error == 0)
            stop_and_cut(w);
        if (i == 0 && !is_broken(w))
            look_at_all(w);
    }
    return error;
}

int kv_world_run(const struct kv_world_config *config, struct kv_world_outcome *ret_outcome)
{
    struct kv_world w = {.config = config, .outcome = ret_outcome};
    int error;

    tp_assert(config->clients <= KV_OWNERS_MAX);
    memset(ret_outcome, 0, sizeof *ret_outcome);
    error = kv_world_make(&w);
    if (error == 0)
        error = live_all(&w);
    if (error == 0)
        note_outcome(&w);
    kv_world_unmake(&w);
    return error;
}
