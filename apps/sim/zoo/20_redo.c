/* Zoo 20: redo that is not idempotent; only a crash in recovery shows it. After the test
 * suite of Berkeley DB. A record says "one more", not "now so many": a recovery that has
 * updated the counter and dies before it has emptied the log does it all again. */
#include "apps/sim/zoo/kit.h"

struct program {
    struct zoo zoo;
    uint64_t main;    /* the counter: so many were done ... */
    uint64_t records; /* ... and so many more are in the log */
    uint64_t record;
    struct tp_fd log;
};

/* How many records of the log are new to the counter. */
static uint64_t redo(const struct program *p)
{
    const struct zoo_file *file = &p->zoo.file;
    uint64_t first;

    memcpy(&first, file->bytes, sizeof first);
    if (p->zoo.is_fixed) /* their numbers say what the counter has seen */
        return first == 0 || first + zoo_records(file, 0, first) <= p->main + 1
                   ? 0
                   : first + zoo_records(file, 0, first) - 1 - p->main;
    return zoo_records(file, 0, first); /* ZOO: the bug is here */
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options create = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/counter"), &result);
    memcpy(&p->main, z->file.bytes, sizeof p->main);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/counter", sizeof p->main), &result);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/log"), &result);
    z->count = p->main + redo(p);
    zoo_compare(z, z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/log", z->file.len), &result);
    ZOO_TRY(cx, tp_open(cx, "/counter", create), &result);
    z->fd = tp_into_fd(cx, result);
    ZOO_TRY(cx, tp_open(cx, "/log", create), &result);
    p->log = tp_into_fd(cx, result);
    p->main = z->count;
    z->buf = tp_buf_full(&p->main, sizeof p->main);
    ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, 0), &result);
    ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
    ZOO_TRY(cx, tp_truncate(cx, p->log, 0), &result);
    ZOO_TRY(cx, tp_fsync(cx, p->log, 0), &result);
    while (tp_node_more(z->node)) {
        p->record = z->count + 1;
        zoo_begin(z, p->record);
        z->buf = tp_buf_full(&p->record, sizeof p->record);
        ZOO_WRITE(cx, z, tp_write_at(cx, p->log, &z->buf, p->records * 8), &result);
        ZOO_TRY(cx, tp_fsync(cx, p->log, 0), &result);
        p->records++;
        z->count = p->record;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "counter");
}

ZOO_SCENARIOS(20, "a recovery that is done twice counts twice", boot);
