/* Zoo 3: a temporary file, fsync, rename, no fsync of the directory, acknowledged. Seen in
 * litestream 1344. The content is durable; that it has this name is not. */
#include "apps/sim/zoo/kit.h"

#define STATE "/state"
#define NEW   "/state.new"

struct program {
    struct zoo zoo;
    uint64_t content;
};

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options fresh = {.write = true, .create = true, .truncate = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, STATE), &result);
    memcpy(&z->count, z->file.bytes, sizeof z->count);
    zoo_compare(z, z->count);
    while (tp_node_more(z->node)) {
        p->content = z->count + 1;
        zoo_begin(z, p->content);
        ZOO_TRY(cx, tp_open(cx, NEW, fresh), &result);
        z->fd = tp_into_fd(cx, result);
        z->buf = tp_buf_full(&p->content, sizeof p->content);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, 0), &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
        TP_AWAIT(cx, tp_close(cx, z->fd), &result);
        ZOO_TRY(cx, tp_rename(cx, NEW, STATE), &result); /* ZOO: the bug is here */
        if (z->is_fixed)
            ZOO_TRY(cx, tp_sync_dir(cx, "/"), &result);
        z->count = p->content;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "state keeper");
}

ZOO_SCENARIOS(03, "a rename that is promised without a sync of its directory", boot);
