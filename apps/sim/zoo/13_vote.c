/* Zoo 13: a vote is answered before it is durable: two leaders in a term. Seen in tikv
 * 1610. Three nodes elect leaders. One that has voted and loses its power before the vote
 * is on the disk votes again, for another. */
#include "apps/sim/zoo/kit.h"

enum { NODES = 3, TERMS_MAX = 4096, PORT = 700 };
#define PATIENCE_NS UINT64_C(200000000) /* for one message */

/* What outlives the nodes: who led in which term, as a number from 1. */
struct terms {
    struct zoo_oracle unused;
    uint8_t leader[TERMS_MAX];
};

struct vote {
    uint64_t term;
    uint64_t candidate; /* from 1; 0: none */
};

struct program {
    struct zoo zoo;
    struct vote vote; /* the last one of this node */
    struct vote message;
    struct tp_fd listener;
    struct tp_address address;
    uint32_t peer, votes;
};

/* What a node says when it is asked: whether it votes for the candidate in that term. */
static bool decide(struct program *p)
{
    if (p->message.term < p->vote.term ||
        (p->message.term == p->vote.term && p->message.candidate != p->vote.candidate)) {
        p->message.candidate = 0;
        return false;
    }
    p->vote = p->message;
    return true;
}

static struct tp_op keep_vote(struct tp_ctx *cx, struct program *p)
{
    memcpy(p->zoo.file.bytes, &p->vote, sizeof p->vote);
    return zoo_keep_start(cx, &p->zoo.file, "/vote", sizeof p->vote);
}

static struct tp_buf *words(struct program *p)
{
    p->zoo.buf = tp_buf_full(&p->message, sizeof p->message);
    return &p->zoo.buf;
}

/* Messages are small: one that comes in pieces counts as none. */
static struct tp_op hear(struct tp_ctx *cx, struct program *p)
{
    p->zoo.buf = tp_buf_empty(&p->message, sizeof p->message);
    return tp_deadline(cx, tp_recv(cx, p->zoo.fd, &p->zoo.buf), PATIENCE_NS);
}

static void lead(struct program *p)
{
    struct terms *terms = (struct terms *)(void *)p->zoo.oracle;
    uint8_t me = (uint8_t)(tp_node_index(p->zoo.node) + 1);

    tp_assert(p->vote.term < TERMS_MAX);
    if (terms->leader[p->vote.term] != 0 && terms->leader[p->vote.term] != me)
        tp_sim_fail(tp_node_sim(p->zoo.node), "two leaders in term %llu",
                    (unsigned long long)p->vote.term);
    terms->leader[p->vote.term] = me;
}

/* A part of what a node does: a child of its machine. */
struct part {
    struct tp_machine machine;
    struct program *program;
};

/* Asks everybody, one after the other. Result: how many have voted for us. */
static enum tp_step campaign_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct part, machine)->program;
    struct tp_socket_options options = {.no_delay = true};
    struct tp_result result;

    TP_BEGIN(cx);
    p->votes = 1;
    for (p->peer = 0; p->peer < NODES; p->peer++) {
        if (p->peer == tp_node_index(p->zoo.node))
            continue;
        p->address = tp_node_address(tp_sim_node(tp_node_sim(p->zoo.node), p->peer), PORT);
        TP_AWAIT(cx, tp_deadline(cx, tp_connect(cx, &p->address, options), PATIENCE_NS),
                 &result);
        if (result.value < 0)
            continue;
        p->zoo.fd = tp_into_fd(cx, result);
        p->message = p->vote;
        TP_AWAIT(cx, tp_deadline(cx, tp_send(cx, p->zoo.fd, words(p)), PATIENCE_NS),
                 &result);
        if (result.value == (int32_t)sizeof p->message) {
            TP_AWAIT(cx, hear(cx, p), &result);
            p->votes += result.value == (int32_t)sizeof p->message &&
                        p->message.term == p->vote.term && p->message.candidate != 0;
        }
        TP_AWAIT(cx, tp_close(cx, p->zoo.fd), &result);
    }
    return tp_end(machine, (int32_t)p->votes);
    TP_END(cx);
}

/* Answers one who asks. */
static enum tp_step answer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct part, machine)->program;
    struct zoo *z = &p->zoo;
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, hear(cx, p), &result);
    if (result.value == (int32_t)sizeof p->message) {
        p->votes = decide(p);
        if (p->votes > 0 && z->is_fixed)
            ZOO_TRY(cx, keep_vote(cx, p), &result);
        TP_AWAIT(cx, tp_send(cx, z->fd, words(p)), &result); /* ZOO: the bug is here */
        if (p->votes > 0 && !z->is_fixed)
            ZOO_TRY(cx, keep_vote(cx, p), &result);
    }
    TP_AWAIT(cx, tp_close(cx, z->fd), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

struct voter {
    struct program program;
    struct part part;
};

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct voter *v = tp_container_of(machine, struct voter, program.zoo.machine);
    struct program *p = &v->program;
    struct zoo *z = &p->zoo;
    struct tp_socket_options options = {.backlog = 8};
    struct tp_result result;

    TP_BEGIN(cx);
    v->part.program = p;
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/vote"), &result);
    memcpy(&p->vote, z->file.bytes, sizeof p->vote);
    ZOO_TRY(cx, keep_vote(cx, p), &result);
    p->address = tp_node_address(z->node, PORT);
    ZOO_TRY(cx, tp_listen(cx, &p->address, options), &result);
    p->listener = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        TP_AWAIT(cx,
                 tp_deadline(cx, tp_accept(cx, p->listener),
                             (1 + tp_node_draw(z->node, 64)) * 1000000),
                 &result);
        if (result.value >= 0) {
            z->fd = tp_into_fd(cx, result);
            ZOO_TRY(cx, tp_start(cx, &v->part.machine, answer_tick, "answer"), &result);
            continue;
        }
        p->vote.term++;
        p->vote.candidate = tp_node_index(z->node) + 1;
        ZOO_TRY(cx, keep_vote(cx, p), &result);
        TP_AWAIT(cx, tp_start(cx, &v->part.machine, campaign_tick, "campaign"), &result);
        if (result.value > NODES / 2)
            lead(p);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void setup(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < NODES; i++)
        zoo_setup(sim);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct voter), tick, "voter");
}

ZOO_STATE_SCENARIOS(13, "a vote is answered before it is durable", setup, boot,
                    struct terms);
