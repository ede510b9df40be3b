/* Zoo 11: the root page is persisted before the page that it points to. Seen in LMDB with
 * WRITEMAP. Two roots are written in turn, pages are never changed in place, so there is
 * always a root with its page; but without a barrier between them the new root may reach
 * the disk alone. */
#include "apps/sim/zoo/kit.h"

enum { PAGE = ZOO_SECTOR, ROOTS = 2, PAGES = 8 };

struct root {
    uint64_t count; /* which is in the page of this number */
    uint64_t sum;
};

struct program {
    struct zoo zoo;
    struct root root;
    uint64_t page[PAGE / 8];
};

static uint32_t place_of(uint64_t number)
{
    return (uint32_t)(ROOTS + number % (PAGES - ROOTS)) * PAGE;
}

/* What the newer root says, and the page that it points to must say as well. */
static uint64_t read_tree(const struct zoo *z)
{
    uint64_t count = 0, number = 0;

    for (uint32_t i = 0; i < ROOTS; i++) {
        struct root root;

        memcpy(&root, z->file.bytes + (size_t)i * PAGE, sizeof root);
        if (root.sum == zoo_sum(&root, offsetof(struct root, sum)) && root.count > count)
            count = root.count;
    }
    if (count > 0)
        memcpy(&number, z->file.bytes + place_of(count), sizeof number);
    if (number != count)
        tp_sim_fail(tp_node_sim(z->node), "the root points to page %llu, which holds %llu",
                    (unsigned long long)count, (unsigned long long)number);
    return count;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/tree"), &result);
    z->count = read_tree(z);
    zoo_compare(z, z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/tree", PAGES * PAGE), &result);
    ZOO_TRY(cx, tp_open(cx, "/tree", options), &result);
    z->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        p->root.count = p->page[0] = z->count + 1;
        p->root.sum = zoo_sum(&p->root, offsetof(struct root, sum));
        zoo_begin(z, p->root.count);
        z->buf = tp_buf_full(p->page, PAGE);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, place_of(p->root.count)),
                  &result); /* ZOO: the bug is here */
        if (z->is_fixed)
            ZOO_TRY(cx, tp_fsync(cx, z->fd, TP_DATA_ONLY), &result);
        z->buf = tp_buf_full(&p->root, sizeof p->root);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, p->root.count % ROOTS * PAGE),
                  &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, TP_DATA_ONLY), &result);
        z->count = p->root.count;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "tree");
}

ZOO_SCENARIOS(11, "no barrier between a page and the root that points to it", boot);
