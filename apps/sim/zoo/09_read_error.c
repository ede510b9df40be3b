/* Zoo 9: a read error while the log is read is taken for its end. Seen in rocksdb 6288.
 * What lies behind is not recovered, and then written over. */
#include "apps/sim/zoo/kit.h"

struct program {
    struct zoo zoo;
    uint64_t record;
};

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, tp_open(cx, "/log", options), &result);
    z->fd = tp_into_fd(cx, result);
    do {
        z->buf = tp_buf_empty(z->file.bytes + z->file.len, 64);
        TP_AWAIT(cx, tp_read_at(cx, z->fd, &z->buf, z->file.len), &result);
        if (z->is_fixed && result.value < 0)
            return zoo_end(cx, result.value);
        if (result.value > 0)
            z->file.len += (uint32_t)result.value;
    } while (result.value > 0 &&
             z->file.len + 64 < ZOO_FILE_BYTES); /* ZOO: the bug is here */
    TP_AWAIT(cx, tp_close(cx, z->fd), &result);
    z->count = zoo_records(&z->file, 0, 1);
    zoo_compare(z, z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/log", 8 * (uint32_t)z->count), &result);
    ZOO_TRY(cx, tp_open(cx, "/log", options), &result);
    z->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        p->record = z->count + 1;
        zoo_begin(z, p->record);
        z->buf = tp_buf_full(&p->record, sizeof p->record);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, 8 * z->count), &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
        z->count = p->record;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "log");
}

ZOO_SCENARIOS(09, "a read error is taken for the end of the log", boot);
