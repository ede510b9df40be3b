/* Zoo 10: the log is valid, the main file is never synced, recovery deletes the log. Seen
 * in turso 4899. A checkpoint while running does it right; the one at the start does not.
 */
#include "apps/sim/zoo/kit.h"

enum { RECORDS = 5 }; /* in the log, then comes a checkpoint */

struct program {
    struct zoo zoo;
    uint64_t main; /* what is in the main file */
    uint64_t record;
    struct tp_fd log;
};

/* The count is to go into the main file. */
static struct tp_buf *fill_main(struct program *p)
{
    p->main = p->zoo.count;
    p->zoo.buf = tp_buf_full(&p->main, sizeof p->main);
    return &p->zoo.buf;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options create = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/main"), &result);
    memcpy(&p->main, z->file.bytes, sizeof p->main);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/main", sizeof p->main), &result);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/log"), &result);
    z->count = p->main + zoo_records(&z->file, 0, p->main + 1);
    zoo_compare(z, z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/log", z->file.len), &result);
    ZOO_TRY(cx, tp_open(cx, "/main", create), &result);
    z->fd = tp_into_fd(cx, result);
    ZOO_TRY(cx, tp_open(cx, "/log", create), &result);
    p->log = tp_into_fd(cx, result);
    ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, fill_main(p), 0),
              &result); /* ZOO: the bug is here */
    if (z->is_fixed)
        ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
    ZOO_TRY(cx, tp_truncate(cx, p->log, 0), &result);
    ZOO_TRY(cx, tp_fsync(cx, p->log, 0), &result);
    while (tp_node_more(z->node)) {
        p->record = z->count + 1;
        zoo_begin(z, p->record);
        if (z->count - p->main == RECORDS) {
            ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, fill_main(p), 0), &result);
            ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
            ZOO_TRY(cx, tp_truncate(cx, p->log, 0), &result);
            ZOO_TRY(cx, tp_fsync(cx, p->log, 0), &result);
        }
        z->buf = tp_buf_full(&p->record, sizeof p->record);
        ZOO_WRITE(cx, z,
                  tp_write_at(cx, p->log, &z->buf, (z->count - p->main) * sizeof p->record),
                  &result);
        ZOO_TRY(cx, tp_fsync(cx, p->log, 0), &result);
        z->count = p->record;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "database");
}

ZOO_SCENARIOS(10, "recovery deletes the log before the main file is synced", boot);
