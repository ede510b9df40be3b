/* Zoo 16: a bit flips in padding that no checksum covers. Seen in tigerbeetle 2681. The
 * reader is strict: padding that is not zero is refused, and since the sum is right, nobody
 * thinks of the other copy. */
#include "apps/sim/zoo/kit.h"

enum { COPIES = 2 };

struct block {
    uint64_t number;
    uint64_t sum; /* of the number; in the twin of the padding too */
    uint8_t padding[ZOO_SECTOR - 16];
};

struct program {
    struct zoo zoo;
    struct zoo_file files[COPIES];
    struct tp_fd fd; /* of the first */
    struct block block;
    uint32_t copy;
};

static const char *const names[COPIES] = {"/first", "/second"};

static uint64_t sum_of(const struct block *block, bool is_fixed)
{
    struct block whole = *block;

    whole.sum = 0;
    return zoo_sum(&whole, is_fixed ? sizeof whole
                                    : sizeof whole.number); /* ZOO: the bug is here */
}

static bool is_padded(const struct block *block)
{
    for (uint32_t i = 0; i < sizeof block->padding; i++) {
        if (block->padding[i] != 0)
            return false;
    }
    return true;
}

/* The newest block whose sum is right. */
static struct block newest(const struct program *p)
{
    struct block best = {.number = 0};

    for (uint32_t i = 0; i < COPIES; i++) {
        struct block block;

        memcpy(&block, p->files[i].bytes, sizeof block);
        if (block.sum == sum_of(&block, p->zoo.is_fixed) && block.number > best.number)
            best = block;
    }
    return best;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    /* The first may be unreadable, which is as good as empty. */
    TP_AWAIT(cx, zoo_load_start(cx, &p->files[0], names[0]), &result);
    ZOO_TRY(cx, zoo_load_start(cx, &p->files[1], names[1]), &result);
    p->block = newest(p);
    if (!is_padded(&p->block))
        return tp_end(machine, -EINVAL);
    z->count = p->block.number;
    zoo_compare(z, z->count);
    for (p->copy = COPIES; p->copy-- > 0;) { /* the second first: it is the better one */
        memcpy(p->files[p->copy].bytes, &p->block, sizeof p->block);
        ZOO_TRY(cx, zoo_keep_start(cx, &p->files[p->copy], names[p->copy], sizeof p->block),
                &result);
    }
    ZOO_TRY(cx, tp_open(cx, names[0], options), &result);
    p->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        p->block.number = z->count + 1;
        p->block.sum = sum_of(&p->block, z->is_fixed);
        zoo_begin(z, p->block.number);
        z->buf = tp_buf_full(&p->block, sizeof p->block);
        ZOO_WRITE(cx, z, tp_write_at(cx, p->fd, &z->buf, 0), &result);
        ZOO_TRY(cx, tp_fsync(cx, p->fd, 0), &result);
        /* In place it could be torn while the first is bad. */
        memcpy(p->files[1].bytes, &p->block, sizeof p->block);
        ZOO_TRY(cx, zoo_keep_start(cx, &p->files[1], names[1], sizeof p->block), &result);
        z->count = p->block.number;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "block keeper");
}

/* The medium of the second copy is a good one. */
static bool may_fault(struct tp_sim *sim, struct tp_node *node, const char *path,
                      uint64_t offset, uint64_t len)
{
    (void)sim;
    (void)node;
    (void)offset;
    (void)len;
    return strcmp(path, names[0]) == 0;
}

ZOO_MEDIA_SCENARIOS(16, "padding that no sum covers", boot, may_fault);
