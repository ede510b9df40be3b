#include "journal_maker.h"

#include <errno.h>

#include "runtime/await.h"

/* A new file, never one that a process has left that died while it made a segment: what it
 * had handed to the kernel may still land in that one. */
static struct tp_op open_temporary(struct tp_ctx *cx, const struct tp_journal_maker *m)
{
    struct tp_open_options options = {
        .write = true, .create_new = true, .direct = m->direct};

    return tp_open_in(cx, m->dir, TP_JOURNAL_SPARE_NAME, options);
}

static struct tp_op open_final(struct tp_ctx *cx, const struct tp_journal_maker *m)
{
    struct tp_open_options options = {.write = true, .direct = m->direct, .dsync = true};

    return tp_open_in(cx, m->dir, m->name, options);
}

/* Takes the result of an open. */
static bool opened(struct tp_ctx *cx, struct tp_journal_maker *m, struct tp_result result)
{
    m->error = result.value < 0 ? result.value : 0;
    if (m->error == 0)
        m->fd = tp_into_fd(cx, result);
    return m->error == 0;
}

/* Starts to write what comes next: zeros behind the first block, then the header in it. */
static void write_next(struct tp_ctx *cx, struct tp_journal_maker *m)
{
    uint64_t left = m->segment.size_bytes - m->at;

    if (left > m->zeros.capacity)
        left = m->zeros.capacity;
    if (left > 0) {
        tp_journal_transfer_write(cx, &m->transfer, m->fd, &m->zeros, (uint32_t)left,
                                  m->at);
        m->at += left;
        return;
    }
    tp_journal_segment_encode(&m->segment, m->block.data);
    tp_journal_transfer_write(cx, &m->transfer, m->fd, &m->block, TP_JOURNAL_BLOCK, 0);
}

/* Whether the last write has been made, or one has failed. */
static bool written(struct tp_journal_maker *m)
{
    m->error = m->transfer.result < 0 ? m->transfer.result : 0;
    return m->error < 0 || m->transfer.offset == 0;
}

static struct tp_op close_file(struct tp_ctx *cx, struct tp_journal_maker *m)
{
    struct tp_fd fd = m->fd;

    m->fd = tp_fd_none();
    return tp_close(cx, fd);
}

/* Whether all of it is to be tried once more: without direct I/O, which this file system
 * does not have, or because it was interrupted. */
static bool starts_over(struct tp_journal_maker *m)
{
    if (m->error != -EINVAL || !m->direct)
        return tp_journal_interrupted(&m->stalls, m->error);
    m->direct = false;
    return true;
}

/* Writes the temporary file and makes it durable. What a close says after that is of no
 * interest. */
static enum tp_step maker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_journal_maker *m = tp_container_of(machine, struct tp_journal_maker, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    do {
        do {
            TP_AWAIT(cx, tp_remove_in(cx, m->dir, TP_JOURNAL_SPARE_NAME), &result);
        } while (tp_journal_interrupted(&m->stalls, result.value));
        m->left = result.value < 0 && result.value != -ENOENT ? result.value : 0;
        TP_AWAIT(cx, open_temporary(cx, m), &result);
        if (!opened(cx, m, result)) {
            /* What is in the way is what could not be removed: that is the error. */
            m->error = m->error == -EEXIST && m->left < 0 ? m->left : m->error;
            continue;
        }
        m->at = TP_JOURNAL_BLOCK;
        do {
            write_next(cx, m);
            TP_AWAIT_UNTIL(cx, tp_journal_transfer_done(cx, &m->transfer));
        } while (!written(m));
        if (m->error == 0) {
            TP_AWAIT(cx, tp_fsync(cx, m->fd, 0), &result);
            m->error = result.value;
        }
        TP_AWAIT(cx, close_file(cx, m), &result);
    } while (starts_over(m));
    if (m->error == 0) {
        TP_AWAIT(cx, tp_rename_in(cx, m->dir, TP_JOURNAL_SPARE_NAME, m->dir, m->name),
                 &result);
        m->error = result.value;
    }
    if (m->error < 0) {
        TP_AWAIT(cx, tp_remove_in(cx, m->dir, TP_JOURNAL_SPARE_NAME), &result);
        return tp_end(machine, m->error);
    }
    TP_AWAIT(cx, tp_fsync(cx, m->dir, 0), &result);
    m->final = result.value < 0;
    if (m->final)
        return tp_end(machine, result.value);
    do {
        TP_AWAIT(cx, open_final(cx, m), &result);
    } while (!opened(cx, m, result) && tp_journal_interrupted(&m->stalls, m->error));
    return tp_end(machine, m->error);
    TP_END(cx);
}

struct tp_op tp_journal_maker_start(struct tp_ctx *cx, struct tp_journal_maker *maker)
{
    tp_assert(maker->block.capacity >= TP_JOURNAL_BLOCK &&
              maker->zeros.capacity >= TP_JOURNAL_BLOCK);
    tp_assert(maker->segment.size_bytes >= (uint64_t)2 * TP_JOURNAL_BLOCK);
    tp_journal_name(maker->segment.number, maker->name);
    maker->fd = tp_fd_none();
    maker->final = false;
    maker->stalls = 0;
    return (tp_start)(cx, &maker->machine, maker_tick, "journal-maker");
}
