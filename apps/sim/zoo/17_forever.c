/* Zoo 17: a one-way partition, and one node forces elections for ever. Seen in Raft without
 * pre-vote. Three nodes tell each other all the time which term they are in, and who leads.
 * One that hears nobody begins one term after the other, and its messages, which arrive,
 * end those in which the others have a leader. The twin asks first: a node begins a term
 * only if a majority misses a leader too. Terms are not kept on disks: what is at stake
 * here is that there is a leader, not that there is only one. */
#include "apps/sim/zoo/kit.h"

enum { NODES = 3, READERS = 6, PORT = 701, TERMS_MAX = 4096, FORCED_MAX = 5 };
#define MILLISECOND UINT64_C(1000000)
#define BEAT_NS     (40 * MILLISECOND)
#define PATIENCE_NS (160 * MILLISECOND)  /* without a leader; each node has some more */
#define SILENCE_NS  (1000 * MILLISECOND) /* then a connection is given up */
#define CHAOS_NS    (12000 * MILLISECOND)

enum role { FOLLOWER, ASKS, CANDIDATE, LEADER };

/* What a node says of itself. */
struct message {
    uint64_t term;
    uint32_t from, role;
    uint32_t voted;  /* for whom in this term, from 1; 0: for nobody */
    uint32_t misses; /* it has no leader either */
};

/* What outlives the nodes. */
struct elections {
    struct zoo_oracle unused;
    uint32_t led_in;             /* the phase in which somebody has last led a majority */
    uint8_t beginner[TERMS_MAX]; /* who began a term, from 1 */
    uint32_t forced[NODES];      /* terms of others that it has ended since it has led */
};

struct program;

/* Tells one peer, again and again. */
struct line {
    struct tp_machine machine;
    struct program *program;
    struct tp_address address;
    struct message message;
    struct tp_buf buf;
    struct tp_fd fd;
};

/* Hears from whoever has connected. */
struct reader {
    struct tp_machine machine;
    struct program *program;
    struct message message;
    struct tp_buf buf;
    struct tp_fd fd;
    uint32_t have; /* bytes of a message */
};

struct program {
    struct zoo zoo;
    uint32_t me; /* from 1 */
    uint64_t term;
    uint32_t role, voted;
    uint64_t led_ns;              /* when it last heard a leader, or gave a vote */
    uint64_t heard_ns[NODES + 1]; /* in this term; 0: never */
    bool with_me[NODES + 1];      /* votes for me, or misses a leader as I do */
    struct line lines[NODES - 1];
    struct reader readers[READERS];
    struct tp_address address;
    struct tp_fd listener;
};

static struct elections *elections_of(const struct program *p)
{
    return (struct elections *)(void *)p->zoo.oracle;
}

/* Whether a majority, this node included, was heard in this term not long ago. */
static bool has_majority(const struct program *p, uint64_t now_ns)
{
    uint32_t count = 1;

    for (uint32_t i = 1; i <= NODES; i++)
        count += i != p->me && p->heard_ns[i] != 0 && now_ns < p->heard_ns[i] + PATIENCE_NS;
    return count > NODES / 2;
}

static bool is_supported(const struct program *p)
{
    uint32_t count = 1;

    for (uint32_t i = 1; i <= NODES; i++)
        count += i != p->me && p->with_me[i];
    return count > NODES / 2;
}

static bool misses_leader(const struct program *p, uint64_t now_ns)
{
    return p->role != LEADER && now_ns >= p->led_ns + PATIENCE_NS + BEAT_NS * 2 * p->me;
}

static void become(struct program *p, uint32_t role)
{
    p->role = role;
    memset(p->with_me, 0, sizeof p->with_me);
}

static void enter_term(struct program *p, uint64_t term)
{
    p->term = term;
    p->voted = 0;
    memset(p->heard_ns, 0, sizeof p->heard_ns);
    become(p, FOLLOWER);
}

static void note_end(struct program *p, uint64_t term, uint64_t now_ns)
{
    struct elections *e = elections_of(p);
    uint32_t beginner = e->beginner[term % TERMS_MAX];

    if (p->role != LEADER || !has_majority(p, now_ns) || beginner == 0)
        return;
    if (++e->forced[beginner - 1] == FORCED_MAX)
        tp_sim_fail(
            tp_node_sim(p->zoo.node),
            "node %u has ended the terms of %u leaders that had a majority, and has "
            "not led since",
            beginner - 1, FORCED_MAX);
}

static void begin_term(struct program *p, uint64_t now_ns)
{
    struct elections *e = elections_of(p);

    enter_term(p, p->term + 1);
    p->role = CANDIDATE;
    p->voted = p->me;
    p->led_ns = now_ns;
    e->beginner[p->term % TERMS_MAX] = (uint8_t)p->me;
}

static void hear(struct program *p, const struct message *message, uint64_t now_ns)
{
    if (message->from == 0 || message->from > NODES || message->term < p->term)
        return;
    if (message->term > p->term) {
        note_end(p, message->term, now_ns);
        enter_term(p, message->term);
    }
    p->heard_ns[message->from] = now_ns;
    if (message->role == LEADER && p->role != LEADER) {
        become(p, FOLLOWER);
        p->led_ns = now_ns;
    }
    if (message->role == CANDIDATE && p->voted == 0) {
        p->voted = message->from;
        p->led_ns = now_ns;
    }
    p->with_me[message->from] =
        p->role == CANDIDATE ? message->voted == p->me : message->misses != 0;
}

/* What time brings about. */
static void beat(struct program *p, uint64_t now_ns)
{
    struct elections *e = elections_of(p);

    if (p->role == LEADER && !has_majority(p, now_ns)) {
        become(p, FOLLOWER); /* who follows it cannot be told */
        p->led_ns = now_ns;
    }
    if (p->role == CANDIDATE && is_supported(p))
        become(p, LEADER);
    if (p->role == LEADER) {
        e->led_in = (uint32_t)tp_sim_phase(tp_node_sim(p->zoo.node));
        e->forced[p->me - 1] = 0;
    }
    if (!misses_leader(p, now_ns))
        return;
    if (p->zoo.is_fixed && p->role != ASKS)
        become(p, ASKS);
    else if (!p->zoo.is_fixed || is_supported(p))
        begin_term(p, now_ns); /* ZOO: the bug is here */
}

/* ------------------------------------------------------------------ telling, hearing */

static struct tp_op tell(struct tp_ctx *cx, struct line *line)
{
    const struct program *p = line->program;

    line->message = (struct message){.term = p->term,
                                     .from = p->me,
                                     .role = p->role,
                                     .voted = p->voted,
                                     .misses = misses_leader(p, tp_now_ns(cx))};
    line->buf = tp_buf_full(&line->message, sizeof line->message);
    return tp_deadline(cx, tp_send(cx, line->fd, &line->buf), SILENCE_NS);
}

static enum tp_step line_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct line *line = tp_container_of(machine, struct line, machine);
    struct tp_socket_options options = {.no_delay = true};
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT(cx, tp_deadline(cx, tp_connect(cx, &line->address, options), SILENCE_NS),
                 &result);
        if (result.value >= 0) {
            line->fd = tp_into_fd(cx, result);
            do {
                TP_AWAIT(cx, tell(cx, line), &result);
                if (result.value == (int32_t)sizeof line->message)
                    TP_AWAIT(cx, tp_timer(cx, BEAT_NS), &result);
            } while (result.value == 0);
            TP_AWAIT(cx, tp_close(cx, line->fd), &result);
        }
        TP_AWAIT(cx, tp_timer(cx, BEAT_NS), &result);
    }
    TP_END(cx);
}

static struct tp_op listen_to(struct tp_ctx *cx, struct reader *r)
{
    r->buf = tp_buf_empty((uint8_t *)&r->message + r->have,
                          (uint32_t)sizeof r->message - r->have);
    return tp_deadline(cx, tp_recv(cx, r->fd, &r->buf), SILENCE_NS);
}

static enum tp_step reader_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct reader *r = tp_container_of(machine, struct reader, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;) {
        TP_AWAIT(cx, tp_accept(cx, r->program->listener), &result);
        if (result.value < 0) {
            TP_AWAIT(cx, tp_timer(cx, BEAT_NS), &result);
            continue;
        }
        r->fd = tp_into_fd(cx, result);
        r->have = 0;
        do {
            TP_AWAIT(cx, listen_to(cx, r), &result);
            r->have += result.value > 0 ? (uint32_t)result.value : 0;
            if (r->have == sizeof r->message) {
                hear(r->program, &r->message, tp_now_ns(cx));
                r->have = 0;
            }
        } while (result.value > 0);
        TP_AWAIT(cx, tp_close(cx, r->fd), &result);
    }
    TP_END(cx);
}

/* ------------------------------------------------------------------ a node */

static void spawn_parts(struct program *p)
{
    struct tp_node *node = p->zoo.node;
    uint32_t count = 0;

    for (uint32_t i = 0; i < NODES; i++) {
        struct line *line = &p->lines[count];

        if (i + 1 == p->me)
            continue;
        count++;
        line->program = p;
        line->address = tp_node_address(tp_sim_node(tp_node_sim(node), i), PORT);
        tp_node_spawn(node, &line->machine, line_tick, "line");
    }
    for (uint32_t i = 0; i < READERS; i++) {
        p->readers[i].program = p;
        tp_node_spawn(node, &p->readers[i].machine, reader_tick, "reader");
    }
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct tp_socket_options options = {.backlog = 8};
    struct tp_result result;

    TP_BEGIN(cx);
    p->me = tp_node_index(p->zoo.node) + 1;
    p->led_ns = tp_now_ns(cx);
    p->address = tp_node_address(p->zoo.node, PORT);
    ZOO_TRY(cx, tp_listen(cx, &p->address, options), &result);
    p->listener = tp_into_fd(cx, result);
    spawn_parts(p);
    for (;;) {
        TP_AWAIT(cx, tp_timer(cx, BEAT_NS), &result);
        beat(p, tp_now_ns(cx));
    }
    TP_END(cx);
}

/* While nothing goes wrong, that there is a leader is enough. */
static bool is_done(struct tp_sim *sim)
{
    const struct elections *e = tp_sim_state(sim);
    enum tp_sim_phase phase = tp_sim_phase(sim);

    return e->led_in == (uint32_t)phase &&
           (phase != TP_PHASE_CHAOS || tp_sim_now_ns(sim) >= CHAOS_NS);
}

static void setup(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < NODES; i++)
        zoo_setup(sim);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "elector");
}

ZOO_BOTH(17, "a node that hears nobody forces elections for ever", .setup = setup,
         .boot = boot, .done = is_done, .state_bytes = sizeof(struct elections));
