/* tests/sim/early.c - whether others were told too early: only if what was lost does not
 * take the message itself.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "explained.h"

enum { PORT = 70, SEEDS = 2000 };
#define PATIENCE_NS UINT64_C(1000000000)

struct told {
    bool of_a, of_b;
};

struct teller {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd listener, peer, a, b;
    struct tp_address address;
    struct tp_buf buf;
    char byte;
};

static struct tp_buf *byte_of(struct teller *t, bool is_full)
{
    t->buf = is_full ? tp_buf_full(&t->byte, 1) : tp_buf_empty(&t->byte, 1);
    return &t->buf;
}

/* Makes what it was asked for. */
#define TRY(operation)                      \
    do {                                    \
        TP_AWAIT(cx, (operation), &result); \
        if (result.value < 0)               \
            return tp_end(machine, 0);      \
    } while (0)

/* Tells that it has kept a byte before it is durable, or written at all. */
static enum tp_step hasty_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct teller *t = tp_container_of(machine, struct teller, machine);
    struct tp_socket_options options = {.backlog = 4};
    struct tp_open_options writes = {.write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    if (tp_node_boots(t->node) > 1)
        return tp_end(machine, 0);
    TRY(tp_open(cx, "/a", writes));
    t->a = tp_into_fd(cx, result);
    t->address = tp_node_address(t->node, PORT);
    TRY(tp_listen(cx, &t->address, options));
    t->listener = tp_into_fd(cx, result);
    TRY(tp_deadline(cx, tp_accept(cx, t->listener), PATIENCE_NS));
    t->peer = tp_into_fd(cx, result);
    TRY(tp_recv(cx, t->peer, byte_of(t, false)));
    TRY(tp_send(cx, t->peer, byte_of(t, true)));
    TRY(tp_timer(cx, 1000)); /* another machine's, as far as one can see */
    TRY(tp_write_at(cx, t->a, byte_of(t, true), 0));
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Tells it when it is durable; of the second byte, whatever became of that. It is asked for
 * that one when the first has been told of. */
static enum tp_step heedless_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct teller *t = tp_container_of(machine, struct teller, machine);
    struct tp_socket_options options = {.backlog = 4};
    struct tp_open_options writes = {.write = true, .dsync = true};
    struct tp_result result;

    TP_BEGIN(cx);
    if (tp_node_boots(t->node) > 1)
        return tp_end(machine, 0);
    TRY(tp_open(cx, "/a", writes));
    t->a = tp_into_fd(cx, result);
    TRY(tp_open(cx, "/b", writes));
    t->b = tp_into_fd(cx, result);
    t->address = tp_node_address(t->node, PORT);
    TRY(tp_listen(cx, &t->address, options));
    t->listener = tp_into_fd(cx, result);
    TRY(tp_deadline(cx, tp_accept(cx, t->listener), PATIENCE_NS));
    t->peer = tp_into_fd(cx, result);
    TRY(tp_recv(cx, t->peer, byte_of(t, false)));
    TRY(tp_write_at(cx, t->a, byte_of(t, true), 0));
    TRY(tp_send(cx, t->peer, byte_of(t, true)));
    TRY(tp_recv(cx, t->peer, byte_of(t, false)));
    TP_AWAIT(cx, tp_write_at(cx, t->b, byte_of(t, true), 0), &result);
    TRY(tp_send(cx, t->peer, byte_of(t, true)));
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Asks for one byte, then for another. */
static enum tp_step ask_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct teller *t = tp_container_of(machine, struct teller, machine);
    struct told *told = tp_sim_state(tp_node_sim(t->node));
    struct tp_socket_options plain = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    if (tp_node_boots(t->node) > 1)
        return tp_end(machine, 0);
    TRY(tp_timer(cx, 100000000));
    t->byte = 'x';
    t->address = tp_node_address(tp_sim_node(tp_node_sim(t->node), 0), PORT);
    TRY(tp_deadline(cx, tp_connect(cx, &t->address, plain), PATIENCE_NS));
    t->peer = tp_into_fd(cx, result);
    TRY(tp_send(cx, t->peer, byte_of(t, true)));
    TRY(tp_deadline(cx, tp_recv(cx, t->peer, byte_of(t, false)), PATIENCE_NS));
    told->of_a = result.value == 1;
    TRY(tp_send(cx, t->peer, byte_of(t, true)));
    TRY(tp_deadline(cx, tp_recv(cx, t->peer, byte_of(t, false)), PATIENCE_NS));
    told->of_b = result.value == 1;
    return tp_end(machine, 0);
    TP_END(cx);
}

static void setup(struct tp_sim *sim)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct tp_node_config config = {.spared = i > 0};
        struct tp_node *node = tp_sim_add_node(sim, &config);

        cr_assert(eq(i32, tp_disk_write_file(tp_node_disk(node), "/a", "-", 1), 0));
        cr_assert(eq(i32, tp_disk_write_file(tp_node_disk(node), "/b", "-", 1), 0));
    }
}

static void boot(struct tp_node *node)
{
    struct teller *t = tp_node_new(node, sizeof *t);
    tp_tick_fn *const *teller = tp_sim_context(tp_node_sim(node));

    t->node = node;
    tp_node_spawn(node, &t->machine, tp_node_index(node) == 0 ? *teller : ask_tick, "told");
}

static bool is_kept(struct tp_sim *sim, const char *path)
{
    char byte = 0;

    return tp_disk_read_at(tp_node_disk(tp_sim_node(sim, 0)), path, 0, &byte, 1) == 1 &&
           byte == 'x';
}

static void check(struct tp_sim *sim)
{
    const struct told *told = tp_sim_state(sim);

    if (told->of_a && !is_kept(sim, "/a"))
        tp_sim_fail(sim, "the first byte is gone");
    if (told->of_b && !is_kept(sim, "/b"))
        tp_sim_fail(sim, "the second byte is gone");
}

/* The first seed that fails with these faults only, explained. */
static struct tp_explain explained(tp_tick_fn *tick, uint32_t families)
{
    struct tp_scenario scenario = {.name = "told",
                                   .setup = setup,
                                   .boot = boot,
                                   .check = check,
                                   .state_bytes = sizeof(struct told),
                                   .context = &tick};
    struct s_wanted wanted = {.families = families, .seeds = SEEDS};
    struct tp_explain explain = {0};

    cr_assert(ne(u64, s_explain(&scenario, &wanted, &explain), 0));
    return explain;
}

Test(early, is_a_message_before_what_a_cut_takes)
{
    struct tp_explain explain = explained(hasty_tick, 0);

    cr_assert(eq(int, (int)explain.how, TP_EXPLAINED_EARLY));
    cr_assert(eq(u32, explain.told.op, TP_SEND));
    cr_assert(eq(u32, explain.failed.op, TP_WRITE));
}

/* No second byte is asked for if the first is not told of: that is no reason to wait. */
Test(early, is_no_message_that_others_go_on_from)
{
    struct tp_explain explain = explained(heedless_tick, TP_FAMILY_BIT(TP_FAMILY_ERROR));

    cr_assert(eq(int, (int)explain.how, TP_EXPLAINED_ERROR));
    cr_assert(eq(u32, explain.failed.op, TP_WRITE));
    cr_assert(eq(str, explain.failed.text, "/b"));
    cr_assert_null(explain.told.file);
}
