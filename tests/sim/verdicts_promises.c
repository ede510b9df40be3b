/* Scenarios of programs that promise what is not durable yet, each in its own way. */
#include "tests/sim/verdicts.h"

#include <errno.h>
#include <stdio.h>

enum { MANY = 20 }; /* files */

static uint32_t *promised_by(const struct worker *w)
{
    return tp_sim_state(tp_node_sim(w->node));
}

/* It promises while the sync is under way: the barrier is there, and nobody waits for it.
 */
enum tp_step hurries(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options options = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/rounds", options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    w->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    TP_AWAIT(cx, tp_fstat(cx, w->fd, &w->statx), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    w->rounds = (uint32_t)w->statx.size;
    if (w->rounds < *promised_by(w))
        tp_sim_fail(tp_node_sim(w->node), "a promise is gone");
    while (tp_node_more(w->node)) {
        w->buf = tp_buf_full(w->bytes, 1);
        TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, w->rounds), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        w->sync = tp_fsync(cx, w->fd, 0);
        *promised_by(w) = ++w->rounds;
        tp_node_promised(w->node, "round %u", w->rounds);
        TP_AWAIT(cx, w->sync, &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* The same with a name, and the sync of its directory. */
enum tp_step names_in_a_hurry(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options options = {.read = true};
    struct tp_result result;

    TP_BEGIN(cx);
    if (*promised_by(w) > 0) {
        TP_AWAIT(cx, tp_open(cx, "/name", options), &result);
        if (result.value == -ENOENT)
            tp_sim_fail(tp_node_sim(w->node), "a promised name is gone");
        return tp_end(machine, result.value < 0 ? result.value : 0);
    }
    options.write = options.create = true;
    TP_AWAIT(cx, tp_open(cx, "/name", options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    w->sync = tp_sync_dir(cx, "/");
    tp_node_promised(w->node, "name %u", ++*promised_by(w));
    TP_AWAIT(cx, w->sync, &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

/* The sync is begun while the write is under way, which it may overtake. */
enum tp_step overtakes(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/one", options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    w->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    w->buf = tp_buf_empty(w->bytes, 1);
    TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, 0), &result);
    if (*promised_by(w) > 0) {
        if (result.value != 1 || w->bytes[0] != 'x')
            tp_sim_fail(tp_node_sim(w->node), "a promised byte is gone");
        return tp_end(machine, 0);
    }
    w->bytes[0] = 'x';
    w->buf = tp_buf_full(w->bytes, 1);
    w->write = tp_write_at(cx, w->fd, &w->buf, 0);
    w->sync = tp_fsync(cx, w->fd, 0);
    TP_AWAIT(cx, w->write, &result);
    TP_AWAIT(cx, w->sync, &result);
    tp_node_promised(w->node, "byte %u", ++*promised_by(w));
    TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* It is promised while the file is being made; a kill may come before that. */
enum tp_step tells_early(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options options = {.read = true};
    struct tp_result result;

    TP_BEGIN(cx);
    if (*promised_by(w) > 0) {
        TP_AWAIT(cx, tp_open(cx, "/name", options), &result);
        if (result.value == -ENOENT)
            tp_sim_fail(tp_node_sim(w->node), "a promised name is gone");
        TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
        return tp_end(machine, result.value);
    }
    options.write = options.create = true;
    w->sync = tp_open(cx, "/name", options);
    TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
    tp_node_promised(w->node, "name %u", ++*promised_by(w));
    TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
    TP_AWAIT(cx, w->sync, &result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

/* It ends with the error of a sync, and believes what it reads when it is started again: a
 * file of letters, each promised when it is synced. */
enum tp_step believes(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/letters", options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    w->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    while (result.value >= 0) {
        w->buf = tp_buf_empty(w->bytes, 1);
        TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, (uint64_t)w->rounds * 4096), &result);
        if (result.value < 1 || w->bytes[0] != 'a')
            break;
        w->rounds++;
    }
    if (result.value < 0)
        return tp_end(machine, result.value);
    if (w->rounds < *promised_by(w))
        tp_sim_fail(tp_node_sim(w->node), "a letter is gone");
    while (tp_node_more(w->node)) {
        w->bytes[0] = 'a';
        w->buf = tp_buf_full(w->bytes, 1);
        TP_AWAIT(cx, tp_write_at(cx, w->fd, &w->buf, (uint64_t)w->rounds * 4096), &result);
        if (result.value < 1)
            return tp_end(machine, -EIO);
        TP_AWAIT(cx, tp_fsync(cx, w->fd, 0), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        *promised_by(w) = ++w->rounds;
        tp_node_promised(w->node, "letter %u", w->rounds);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static const char *name_of(struct worker *w, char letter)
{
    (void)snprintf(w->bytes, sizeof w->bytes, "/%c%u", letter, *promised_by(w) % 1000);
    return w->bytes;
}

/* The same with two files, one of which is enough: of a kill that leaves both undone it
 * cannot be said which of them it should have waited for. */
enum tp_step tells_of_two(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options read = {.read = true}, make = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    if (*promised_by(w) > 0) {
        TP_AWAIT(cx, tp_open(cx, name_of(w, 'a'), read), &result);
        w->rounds = result.value == -ENOENT;
        TP_AWAIT(cx, tp_open(cx, name_of(w, 'b'), read), &result);
        if (w->rounds > 0 && result.value == -ENOENT)
            tp_sim_fail(tp_node_sim(w->node), "both names are gone");
    }
    while (tp_node_more(w->node)) {
        ++*promised_by(w);
        w->sync = tp_open(cx, name_of(w, 'a'), make);
        w->write = tp_open(cx, name_of(w, 'b'), make);
        --*promised_by(w);
        TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
        tp_node_promised(w->node, "name %u", ++*promised_by(w));
        TP_AWAIT(cx, tp_stat(cx, "/", &w->statx), &result);
        TP_AWAIT(cx, w->sync, &result);
        TP_AWAIT(cx, w->write, &result);
    }
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

/* ------------------------------------------------------------------ of many files */

static const char *file_of(struct worker *w)
{
    (void)snprintf(w->bytes, sizeof w->bytes, "/file%u", w->rounds);
    return w->bytes;
}

static struct tp_op read_first(struct worker *w, struct tp_ctx *cx, struct tp_result opened)
{
    if (opened.value < 0)
        tp_sim_fail(tp_node_sim(w->node), "a promised file is gone");
    w->fd = tp_into_fd(cx, opened);
    w->buf = tp_buf_empty(w->bytes, 1);
    return tp_read_at(cx, w->fd, &w->buf, 0);
}

static void look_at_first(struct worker *w, struct tp_result result)
{
    if (result.value != 1 || w->bytes[0] != 'x')
        tp_sim_fail(tp_node_sim(w->node), "a promised byte is gone");
}

static struct tp_op write_first(struct worker *w, struct tp_ctx *cx)
{
    w->bytes[0] = 'x';
    w->buf = tp_buf_full(w->bytes, 1);
    return tp_write_at(cx, w->fd, &w->buf, 0);
}

/* It writes files in a loop, and syncs their directory alone. */
enum tp_step syncs_none_of_many(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options read = {.read = true}, make = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    for (w->rounds = 0; w->rounds < *promised_by(w); w->rounds++) {
        TP_AWAIT(cx, tp_open(cx, file_of(w), read), &result);
        TP_AWAIT(cx, read_first(w, cx, result), &result);
        look_at_first(w, result);
        TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    }
    if (w->rounds > 0)
        return tp_end(machine, 0);
    for (; w->rounds < MANY; w->rounds++) {
        TP_AWAIT(cx, tp_open(cx, file_of(w), make), &result);
        w->fd = tp_into_fd(cx, result);
        TP_AWAIT(cx, write_first(w, cx), &result);
        TP_AWAIT(cx, tp_close(cx, w->fd), &result);
    }
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    *promised_by(w) = MANY;
    tp_node_promised(w->node, "%u files", *promised_by(w));
    TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* It promises two files while their syncs are under way. */
enum tp_step hurries_with_two(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options read = {.read = true}, make = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    for (w->rounds = 0; w->rounds < *promised_by(w); w->rounds++) {
        TP_AWAIT(cx, tp_open(cx, file_of(w), read), &result);
        TP_AWAIT(cx, read_first(w, cx, result), &result);
        look_at_first(w, result);
    }
    if (w->rounds > 0)
        return tp_end(machine, 0);
    for (; w->rounds < 2; w->rounds++) {
        w->other = w->fd;
        TP_AWAIT(cx, tp_open(cx, file_of(w), make), &result);
        w->fd = tp_into_fd(cx, result);
        TP_AWAIT(cx, write_first(w, cx), &result);
    }
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    w->sync = tp_fsync(cx, w->fd, 0);
    w->write = tp_fsync(cx, w->other, 0);
    *promised_by(w) = w->rounds;
    tp_node_promised(w->node, "%u files", *promised_by(w));
    TP_AWAIT(cx, w->sync, &result);
    TP_AWAIT(cx, w->write, &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* All that it writes is durable, and what it promises is no part of that. */
enum tp_step writes_something_else(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, file_of(w), options), &result);
    w->fd = tp_into_fd(cx, result);
    if (*promised_by(w) > 0) {
        w->buf = tp_buf_empty(w->bytes, 1);
        TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, 0), &result);
        tp_sim_fail(tp_node_sim(w->node), "it knows of %c only", w->bytes[0]);
        return tp_end(machine, 0);
    }
    TP_AWAIT(cx, write_first(w, cx), &result);
    TP_AWAIT(cx, tp_fsync(cx, w->fd, 0), &result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    *promised_by(w) = 1;
    tp_node_promised(w->node, "y");
    return tp_end(machine, 0);
    TP_END(cx);
}

/* It promises a byte while its sync is under way, and what a cut in between has taken is
 * told at the end, behind other cuts. */
enum tp_step notices_late(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct worker *w = worker_of(machine);
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, file_of(w), options), &result);
    w->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    w->buf = tp_buf_empty(w->bytes, 1);
    TP_AWAIT(cx, tp_read_at(cx, w->fd, &w->buf, 0), &result);
    if (*promised_by(w) > 0 && result.value == 0)
        *promised_by(w) = 2;
    TP_AWAIT(cx, write_first(w, cx), &result);
    w->sync = tp_fsync(cx, w->fd, 0);
    if (*promised_by(w) == 0) {
        *promised_by(w) = 1;
        tp_node_promised(w->node, "x");
    }
    TP_AWAIT(cx, w->sync, &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

void check_late(struct tp_sim *sim)
{
    if (*(const uint32_t *)tp_sim_state(sim) > 1)
        tp_sim_fail(sim, "a promised byte was gone");
}

/* Node 1 keeps a number for node 0, which promises it when it is told that it is kept. */
struct keeper {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd file, socket;
    struct tp_buf buf;
    struct tp_datagram datagram;
    struct tp_address here, there;
    uint32_t number;
};

enum { PATIENCE_NS = 100000000 };

static enum tp_step asks(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct keeper *k = tp_container_of(machine, struct keeper, machine);
    uint32_t *promised = tp_sim_state(tp_node_sim(k->node));
    struct tp_socket_options options = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_bind(cx, &k->here, options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    k->socket = tp_into_fd(cx, result);
    while (tp_node_more(k->node)) {
        do {
            k->number = *promised + 1;
            k->buf = tp_buf_full(&k->number, sizeof k->number);
            TP_AWAIT(cx, tp_send_to(cx, k->socket, &k->buf, &k->there), &result);
            k->buf = tp_buf_empty(&k->number, sizeof k->number);
            TP_AWAIT(cx,
                     tp_deadline(cx, tp_recv_from(cx, k->socket, &k->buf, &k->datagram),
                                 PATIENCE_NS),
                     &result);
        } while (result.value < 0 || k->number != *promised + 1);
        tp_node_promised(k->node, "number %u", ++*promised);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* What it has told is not durable, and nothing else is ever written. */
static enum tp_step keeps(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct keeper *k = tp_container_of(machine, struct keeper, machine);
    const uint32_t *promised = tp_sim_state(tp_node_sim(k->node));
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_socket_options socket = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/number", options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    k->file = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    k->buf = tp_buf_empty(&k->number, sizeof k->number);
    TP_AWAIT(cx, tp_read_at(cx, k->file, &k->buf, 0), &result);
    if (result.value < (int32_t)sizeof k->number)
        k->number = 0;
    if (k->number < *promised)
        tp_sim_fail(tp_node_sim(k->node), "a number is gone that was kept");
    TP_AWAIT(cx, tp_bind(cx, &k->here, socket), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    k->socket = tp_into_fd(cx, result);
    for (;;) {
        k->buf = tp_buf_empty(&k->number, sizeof k->number);
        TP_AWAIT(cx, tp_recv_from(cx, k->socket, &k->buf, &k->datagram), &result);
        k->buf = tp_buf_full(&k->number, sizeof k->number);
        TP_AWAIT(cx, tp_write_at(cx, k->file, &k->buf, 0), &result);
        k->buf = tp_buf_full(&k->number, sizeof k->number);
        TP_AWAIT(cx, tp_send_to(cx, k->socket, &k->buf, &k->there), &result);
    }
    TP_END(cx);
}

void boot_keeper(struct tp_node *node)
{
    struct keeper *k = tp_node_new(node, sizeof *k);
    uint32_t index = tp_node_index(node);

    k->node = node;
    k->here = tp_node_address(node, 7);
    k->there = tp_node_address(tp_sim_node(tp_node_sim(node), 1 - index), 7);
    tp_node_spawn(node, &k->machine, index == 0 ? asks : keeps, "keeper");
}

bool keeper_is_done(struct tp_sim *sim)
{
    return tp_node_has_finished(tp_sim_node(sim, 0)) && tp_node_is_up(tp_sim_node(sim, 1));
}
