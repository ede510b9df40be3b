/* Who looks after the server: ends it in order now and then, always when its log has
 * failed, and starts it again. Somebody else's files, which take room on a small disk and
 * give it back, are the operator's, too. */
#include "apps/kv/sim/life.h"
#include "runtime/await.h"
#include "runtime/operations.h"

enum {
    LOOK_MS_MAX = 50,
    DARK_MS_MAX = 60,     /* between two servers */
    STOP_ONE_IN = 32,     /* looks */
    CALM_LOOKS = 800,     /* some 20 s */
    TIDE_ONE_IN = 8,      /* looks, where the disk is small */
    LEFT_LEAST = 8192,    /* bytes that somebody else leaves of it */
    LEFT_BYTES = 1 << 20, /* ... and up to so many more */
    ROOM_BYTES = 8 << 20, /* when he leaves much */
};

#define MS          UINT64_C(1000000)
#define PATIENCE_NS (10000 * MS) /* with a server that was asked to end */

static uint64_t below(const struct kv_operator *o, uint64_t bound)
{
    return tp_node_draw(o->node, bound);
}

static bool one_in(const struct kv_operator *o, uint64_t looks)
{
    return below(o, looks) == looks - 1;
}

/* It has ended in order. Sometimes the power goes, too: what it has written must do. */
static void start_again(struct kv_operator *o, struct tp_node *server)
{
    o->life->is_starting = true;
    if (below(o, 2) == 1)
        tp_node_power_cut(server);
    tp_node_start(server, below(o, DARK_MS_MAX) * MS);
}

/* Whether the server is to be asked to end: one day, at once when its log has failed, and
 * when all was healed a while ago, since it may still wait for an operation from before. */
static bool must_end(struct kv_operator *o, bool chaos)
{
    const struct kv_life *life = o->life;

    if (chaos || life->may_not_fail)
        return life->server.log_failed || (chaos && one_in(o, STOP_ONE_IN));
    o->calm++;
    return life->server.log_failed || o->calm > CALM_LOOKS;
}

/* It is asked to end, and killed when that takes too long. */
static void look_at_server(struct kv_operator *o, struct tp_node *server, bool chaos)
{
    struct kv_life *life = o->life;

    if (!tp_node_is_up(server)) {
        if (tp_node_has_finished(server) && !life->is_starting)
            start_again(o, server);
        return;
    }
    if (life->asked_ns == 0) {
        if (!must_end(o, chaos))
            return;
        life->asked_ns = tp_sim_now_ns(tp_node_sim(server));
        tp_virtual_io_signal(tp_node_io(server), TP_SIGNAL_TERM);
    } else if (tp_sim_now_ns(tp_node_sim(server)) > life->asked_ns + PATIENCE_NS) {
        life->is_starting = true;
        tp_node_kill(server);
        tp_node_start(server, below(o, DARK_MS_MAX) * MS);
    }
}

static void turn_tide(struct kv_operator *o, struct tp_node *server)
{
    struct tp_disk *disk = tp_node_disk(server);
    uint64_t bound = below(o, 2) == 0 ? ROOM_BYTES : LEFT_BYTES;

    tp_disk_set_capacity(disk,
                         tp_disk_usage(disk).used_bytes + LEFT_LEAST + below(o, bound));
}

enum tp_step kv_operator_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_operator *o = tp_container_of(machine, struct kv_operator, machine);
    struct tp_sim *sim = tp_node_sim(o->node);
    struct tp_node *server = tp_sim_node(sim, KV_LIFE_SERVER);
    bool chaos = tp_sim_phase(sim) == TP_PHASE_CHAOS;
    struct tp_result result;

    TP_BEGIN(cx);
    while (!kv_life_is_done(sim)) {
        TP_AWAIT(cx, tp_timer(cx, (1 + below(o, LOOK_MS_MAX)) * MS), &result);
        look_at_server(o, server, chaos);
        if (chaos && (tp_sim_families(sim) & TP_FAMILY_BIT(TP_FAMILY_FULL)) != 0 &&
            one_in(o, TIDE_ONE_IN))
            turn_tide(o, server);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}
