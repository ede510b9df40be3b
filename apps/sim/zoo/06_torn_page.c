/* Zoo 6: a page of two sectors is torn, its second half first. Seen in etcd 16596 (bbolt).
 * Two pages are written in turn, so that one is always whole; but whether a page is whole
 * is told by its last bytes, as if a disk wrote from front to back. */
#include "apps/sim/zoo/kit.h"

enum { PAGE = 2 * ZOO_SECTOR, APART = 4096 };

struct page {
    uint64_t number; /* what was done last */
    uint8_t content[PAGE - 24];
    uint64_t sum;     /* of all before it */
    uint64_t trailer; /* the number again: the page is whole */
};

struct program {
    struct zoo zoo;
    struct page page;
};

static void fill(struct page *page, uint64_t number)
{
    page->number = page->trailer = number;
    memset(page->content, (int)(number & 0xff), sizeof page->content);
    page->sum = zoo_sum(page, offsetof(struct page, sum));
}

static bool is_whole(const struct page *page, bool is_fixed)
{
    if (is_fixed && page->sum != zoo_sum(page, offsetof(struct page, sum)))
        return false;
    return page->trailer != 0; /* ZOO: the bug is here */
}

/* The number in the newer of the two pages. */
static uint64_t newest(const struct zoo *z)
{
    uint64_t trailer = 0, number = 0;

    for (uint32_t i = 0; i < 2; i++) {
        struct page page;

        memcpy(&page, z->file.bytes + (size_t)i * APART, sizeof page);
        if (!is_whole(&page, z->is_fixed) || page.trailer < trailer)
            continue;
        trailer = page.trailer;
        number = page.number;
    }
    return number;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/pages"), &result);
    z->count = newest(z);
    zoo_compare(z, z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/pages", 2 * APART), &result);
    ZOO_TRY(cx, tp_open(cx, "/pages", options), &result);
    z->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        fill(&p->page, z->count + 1);
        zoo_begin(z, p->page.number);
        z->buf = tp_buf_full(&p->page, sizeof p->page);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, p->page.number % 2 * APART),
                  &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, TP_DATA_ONLY), &result);
        z->count = p->page.number;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "page writer");
}

ZOO_SCENARIOS(06, "a page is taken for whole because its last bytes are there", boot);
