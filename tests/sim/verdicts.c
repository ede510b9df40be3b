/* A program of scenarios that end badly, each in its own way; commands.py runs it. */
#include "tests/sim/verdicts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Waits a little, so that some operations have happened. */
#define A_WHILE(cx) TP_AWAIT(cx, tp_timer(cx, 1000000), &result)

static enum tp_step asserts(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    tp_assert(worker_of(machine)->rounds > 0); /* it is 0 */
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Law 4: it ends with an operation in flight. */
static enum tp_step leaks(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    (void)tp_timer(cx, 1000);
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step crashes(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    __builtin_trap();
    return tp_end(machine, 0);
    TP_END(cx);
}

static enum tp_step exits(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    _Exit(3);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* As if all were well. */
static enum tp_step leaves(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    _Exit(0);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void talk(uint32_t lines)
{
    while (lines-- > 0)
        (void)fprintf(stderr, "%64u lines are left to be said\n", lines);
}

/* Says much, and then why it stops. */
static enum tp_step talks(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    talk(5000);
    tp_assert(worker_of(machine)->rounds > 0);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Says more than there is memory for. */
static enum tp_step floods(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    talk(UINT32_MAX);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Nothing will ever wake it. */
static enum tp_step sticks(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    TP_AWAIT_UNTIL(cx, worker_of(machine)->rounds > 0);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Somebody who never comes. */
static enum tp_step waits(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_address address = tp_node_address(w->node, 80);
    struct tp_socket_options options = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_listen(cx, &address, options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    w->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_accept(cx, w->fd), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

/* Always busy, never done. */
static enum tp_step polls(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;)
        TP_AWAIT(cx, tp_timer(cx, 1000000000), &result);
    TP_END(cx);
    (void)machine;
}

/* It takes the wall clock for right. */
static enum tp_step keeps_time(struct tp_machine *machine, struct tp_ctx *cx)
{
    const uint64_t began_ns = UINT64_C(1577836800000000000), second_ns = 1000000000;
    struct tp_sim *sim = tp_node_sim(worker_of(machine)->node);
    struct tp_result result;
    uint64_t right_ns;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, second_ns), &result);
    right_ns = began_ns + tp_sim_now_ns(sim);
    if (tp_wall_ns(cx) > right_ns + second_ns || tp_wall_ns(cx) < right_ns - second_ns)
        tp_sim_fail(sim, "the clock is wrong");
    return tp_end(machine, 0);
    TP_END(cx);
}

/* What it does depends on how many ran before it in this process. */
static enum tp_step remembers(struct tp_machine *machine, struct tp_ctx *cx)
{
    static uint64_t runs;
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, 1000 + runs++), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Reads what it has not written, in a build with AddressSanitizer. */
static enum tp_step overruns(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;
    volatile char *bytes = calloc(1, 8);
    int32_t value = bytes == NULL ? 0 : bytes[8 + worker_of(machine)->rounds];

    free((void *)(uintptr_t)bytes);
    TP_BEGIN(cx);
    A_WHILE(cx);
    return tp_end(machine, value == 300 ? 1 : 0);
    TP_END(cx);
}

static enum tp_step works(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    tp_reached("a worker works");
    if (worker_of(machine)->rounds > 0)
        tp_reached("pigs fly");
    A_WHILE(cx);
    tp_sometimes(tp_node_boots(worker_of(machine)->node) > 1, "a worker came back");
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Names that a page must not take for its own text: markup, and bytes that are no UTF-8. */
#define HOSTILE_DIR "<!--<script>'\"&\\<"
#define HOSTILE     HOSTILE_DIR "/script><img src=x onerror=hacked=1>\xc3\xa9\xff"

static enum tp_step hostile(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options options = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_create_dir_all(cx, "/" HOSTILE_DIR), &result);
    TP_AWAIT(cx, tp_open(cx, "/" HOSTILE, options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    w->fd = tp_into_fd(cx, result);
    tp_node_promised(w->node, HOSTILE);
    TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static void hostile_check(struct tp_sim *sim)
{
    tp_sim_fail(sim, "lost: " HOSTILE);
}

/* More than a page of `show` holds. */
static enum tp_step toils(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_result result;

    TP_BEGIN(cx);
    while (++w->rounds < 15000)
        TP_AWAIT(cx, tp_nop(cx), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Never ends. */
static enum tp_step spins(struct tp_machine *machine, struct tp_ctx *cx)
{
    (void)machine;
    (void)cx;
    while (pause() < 0)
        ;
    return TP_WAIT;
}

/* Takes its time, and fails; what it draws is to be shrunk. */
static enum tp_step dawdles(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_node *node = worker_of(machine)->node;
    struct timespec some = {.tv_nsec = 200000000};
    struct tp_result result;

    TP_BEGIN(cx);
    A_WHILE(cx);
    while (tp_node_more(node))
        worker_of(machine)->rounds += tp_node_draw(node, 1000) > 0;
    (void)nanosleep(&some, NULL);
    if (worker_of(machine)->rounds > 0)
        tp_sim_fail(tp_node_sim(node), "after a while");
    return tp_end(machine, 0);
    TP_END(cx);
}

/* One seed in two thousand fails. */
static enum tp_step fails_rarely(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_node *node = worker_of(machine)->node;

    (void)cx;
    if (tp_node_draw(node, 2000) == 1)
        tp_sim_fail(tp_node_sim(node), "one in two thousand");
    return tp_end(machine, 0);
}

static void boot(struct tp_node *node)
{
    struct worker *w = tp_node_new(node, sizeof *w);
    tp_tick_fn *const *tick = tp_sim_context(tp_node_sim(node));

    w->node = node;
    tp_node_spawn(node, &w->machine, *tick, "worker");
}

/* Datagrams from node 1 to node 0, which answers none. */
struct mailer {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_buf buf;
    struct tp_datagram datagram;
    uint32_t number;
};

enum { MAILS = 40 };

static enum tp_step mails(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct mailer *m = tp_container_of(machine, struct mailer, machine);
    bool reads = tp_node_index(m->node) == 0;
    struct tp_address here = tp_node_address(m->node, 7);
    struct tp_address there = tp_node_address(tp_sim_node(tp_node_sim(m->node), 0), 7);
    struct tp_socket_options options = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_bind(cx, &here, options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    m->fd = tp_into_fd(cx, result);
    for (m->number = 1; m->number <= MAILS; m->number++) {
        m->buf = tp_buf_full(&m->number, sizeof m->number);
        if (!reads) {
            TP_AWAIT(cx, tp_send_to(cx, m->fd, &m->buf, &there), &result);
            continue;
        }
        m->buf = tp_buf_empty(&m->number, sizeof m->number);
        TP_AWAIT(cx, tp_recv_from(cx, m->fd, &m->buf, &m->datagram), &result);
    }
    tp_detach(cx, tp_close(cx, m->fd));
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_mailer(struct tp_node *node)
{
    struct mailer *m = tp_node_new(node, sizeof *m);

    m->node = node;
    tp_node_spawn(node, &m->machine, mails, "mailer");
}

static void boot_without_machine(struct tp_node *node)
{
    (void)tp_node_new(node, sizeof(struct worker));
}

/* An oracle that has no memory. */
static void boot_without_state(struct tp_node *node)
{
    uint32_t *oracle = tp_sim_state(tp_node_sim(node));

    (*oracle)++;
}

static void check_fails(struct tp_sim *sim)
{
    tp_sim_fail(sim, "the check fails always, \"quotes\" and \\ too");
}

static void invariant_fails(struct tp_sim *sim)
{
    if (tp_sim_now_ns(sim) > 500000)
        tp_sim_fail(sim, "half a millisecond has passed");
}

#define SCENARIO(tick_)                                          \
    {                                                            \
        .name = #tick_, .boot = boot, .context = &(tp_tick_fn *) \
        {                                                        \
            tick_                                                \
        }                                                        \
    }

int main(int argc, char **argv)
{
    const struct tp_scenario scenarios[] = {
        SCENARIO(asserts),
        SCENARIO(leaks),
        SCENARIO(crashes),
        SCENARIO(exits),
        SCENARIO(leaves),
        SCENARIO(talks),
        SCENARIO(floods),
        SCENARIO(sticks),
        SCENARIO(waits),
        SCENARIO(polls),
        SCENARIO(keeps_time),
        SCENARIO(remembers),
        SCENARIO(overruns),
        SCENARIO(works),
        SCENARIO(toils),
        SCENARIO(spins),
        SCENARIO(dawdles),
        SCENARIO(fails_rarely),
        {.name = "mails", .nodes = 2, .boot = boot_mailer},
        {.name = "tells_another",
         .nodes = 2,
         .boot = boot_keeper,
         .done = keeper_is_done,
         .state_bytes = sizeof(uint32_t)},
        {.name = "idles", .boot = boot_without_machine},
        {.name = "stateless", .boot = boot_without_state},
        {.name = "check",
         .boot = boot,
         .context = &(tp_tick_fn *){works},
         .check = check_fails},
        {.name = "hostile",
         .boot = boot,
         .context = &(tp_tick_fn *){hostile},
         .check = hostile_check},
        {.name = "rings \033]0;a bell\a",
         .boot = boot,
         .context = &(tp_tick_fn *){works},
         .check = check_fails},
        {.name = "hurries",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){hurries}},
        {.name = "names_in_a_hurry",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){names_in_a_hurry}},
        {.name = "overtakes",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){overtakes}},
        {.name = "tells_early",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){tells_early}},
        {.name = "believes",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){believes}},
        {.name = "tells_of_two",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){tells_of_two}},
        {.name = "syncs_none_of_many",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){syncs_none_of_many}},
        {.name = "writes_something_else",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){writes_something_else}},
        {.name = "hurries_with_two",
         .boot = boot,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){hurries_with_two}},
        {.name = "notices_late",
         .boot = boot,
         .check = check_late,
         .state_bytes = sizeof(uint32_t),
         .context = &(tp_tick_fn *){notices_late}},
        {.name = "invariant",
         .boot = boot,
         .context = &(tp_tick_fn *){works},
         .invariant = invariant_fails},
    };

    return tp_sim_main(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
