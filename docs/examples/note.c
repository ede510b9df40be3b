/* note.c - a program that keeps a number in a file, and replaces the file whenever the
 * number changes. The simulator finds what is wrong with that: docs/simulation.md. */
#include <tempest/sim.h>

/* What clients know; it outlives every crash. */
struct oracle {
    uint64_t begun, promised;
};

struct note {
    struct tp_machine machine;
    struct tp_node *node;
    struct oracle *oracle;
    struct tp_fd fd;
    struct tp_buf buf;
    uint64_t value;
};

#define DO(op)                                    \
    do {                                          \
        TP_AWAIT(cx, op, &result);                \
        if (result.value < 0)                     \
            return tp_end(machine, result.value); \
    } while (0)

static void compare(struct note *n)
{
    if (n->value < n->oracle->promised || n->value > n->oracle->begun)
        tp_sim_fail(tp_node_sim(n->node), "the note says %llu, promised was %llu",
                    (unsigned long long)n->value, (unsigned long long)n->oracle->promised);
}

static bool is_repaired(const struct note *n)
{
    return tp_sim_context(tp_node_sim(n->node)) != NULL;
}

static enum tp_step note_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct note *n = tp_container_of(machine, struct note, machine);
    struct tp_open_options read = {.read = true};
    struct tp_open_options new = {.write = true, .create = true, .truncate = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/note", read), &result);
    if (result.value >= 0) {
        n->fd = tp_into_fd(cx, result);
        n->buf = tp_buf_empty(&n->value, sizeof n->value);
        DO(tp_read_at(cx, n->fd, &n->buf, 0));
        if (result.value == 0)
            n->value = 0;
        else if (result.value != sizeof n->value)
            return tp_end(machine, -EIO);
        DO(tp_close(cx, n->fd));
    } else if (result.value != -ENOENT) {
        return tp_end(machine, result.value);
    }
    compare(n);
    while (tp_node_more(n->node)) {
        n->oracle->begun = ++n->value;
        DO(tp_open(cx, "/note.new", new));
        n->fd = tp_into_fd(cx, result);
        n->buf = tp_buf_full(&n->value, sizeof n->value);
        DO(tp_write_at(cx, n->fd, &n->buf, 0));
        if (result.value != sizeof n->value)
            return tp_end(machine, -EIO);
        if (is_repaired(n))
            DO(tp_fsync(cx, n->fd, 0));
        DO(tp_close(cx, n->fd));
        DO(tp_rename(cx, "/note.new", "/note"));
        DO(tp_sync_dir(cx, "/"));
        n->oracle->promised = n->value;
        tp_node_promised(n->node, "%llu", (unsigned long long)n->value);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    struct note *n = tp_node_new(node, sizeof *n);

    n->node = node;
    n->oracle = tp_sim_state(tp_node_sim(node));
    tp_node_spawn(node, &n->machine, note_tick, "note");
}

int main(int argc, char **argv)
{
    static const struct tp_scenario scenarios[] = {
        {.name = "note", .state_bytes = sizeof(struct oracle), .boot = boot},
        {.name = "repaired",
         .state_bytes = sizeof(struct oracle),
         .boot = boot,
         .context = "with the sync"},
    };

    return tp_sim_main(argc, argv, scenarios, 2);
}
