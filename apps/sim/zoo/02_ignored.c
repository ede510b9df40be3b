/* Zoo 2: the result of fsync is ignored. Seen in redis 8111. */
#include "apps/sim/zoo/kit.h"

struct program {
    struct zoo zoo;
    uint64_t number;
};

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/pages"), &result);
    z->count = zoo_newest(&z->file);
    zoo_compare(z, z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/pages", ZOO_PAGES_BYTES), &result);
    ZOO_TRY(cx, tp_open(cx, "/pages", options), &result);
    z->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        p->number = z->count + 1;
        zoo_begin(z, p->number);
        z->buf = tp_buf_full(&p->number, sizeof p->number);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, zoo_page_of(p->number)), &result);
        TP_AWAIT(cx, tp_fsync(cx, z->fd, 0), &result); /* ZOO: the bug is here */
        if (z->is_fixed && result.value < 0)
            return zoo_end(cx, result.value);
        z->count = p->number;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "page writer");
}

ZOO_SCENARIOS(02, "nobody looks at what the sync has said", boot);
