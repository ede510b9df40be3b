/* Zoo 19: a checkpoint's marker is written before what it covers is durable. Seen in Ceph
 * 3721. The journal is cut by what the marker says; the store has it in its cache only. */
#include "apps/sim/zoo/kit.h"

enum { RECORDS = 5, SLOTS = 4 }; /* in the journal, then comes a checkpoint; in the store */

struct program {
    struct zoo zoo;
    uint64_t marker; /* up to here the store has everything */
    uint64_t record;
    uint64_t slots[SLOTS]; /* command n is in slot n % SLOTS, until a later one is */
    struct tp_fd journal, marker_fd;
};

static void apply(struct program *p, uint64_t number)
{
    p->slots[number % SLOTS] = number;
}

/* Every slot must hold the last command that goes there. */
static void check_store(const struct program *p)
{
    for (uint64_t number = p->zoo.count; number > 0 && number + SLOTS > p->zoo.count;
         number--) {
        if (p->slots[number % SLOTS] != number)
            tp_sim_fail(tp_node_sim(p->zoo.node),
                        "of %llu commands, %llu is not in the store",
                        (unsigned long long)p->zoo.count, (unsigned long long)number);
    }
}

static struct tp_buf *fill(struct program *p, const void *bytes, uint32_t len)
{
    p->zoo.buf = tp_buf_full(bytes, len);
    return &p->zoo.buf;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options create = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/store"), &result);
    memcpy(p->slots, z->file.bytes, sizeof p->slots);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/marker"), &result);
    memcpy(&p->marker, z->file.bytes, sizeof p->marker);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/journal"), &result);
    z->count = p->marker + zoo_records(&z->file, 0, p->marker + 1);
    for (uint64_t number = p->marker + 1; number <= z->count; number++)
        apply(p, number);
    check_store(p);
    zoo_compare(z, z->count);
    /* The journal first, as it is: neither the marker nor the store may be durable yet.
     * Then the store, then the marker that covers it. */
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/journal", z->file.len), &result);
    memcpy(z->file.bytes, p->slots, sizeof p->slots);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/store", sizeof p->slots), &result);
    memcpy(z->file.bytes, &z->count, sizeof z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/marker", sizeof z->count), &result);
    p->marker = z->count;
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/journal", 0), &result);
    ZOO_TRY(cx, tp_open(cx, "/store", create), &result);
    z->fd = tp_into_fd(cx, result);
    ZOO_TRY(cx, tp_open(cx, "/marker", create), &result);
    p->marker_fd = tp_into_fd(cx, result);
    ZOO_TRY(cx, tp_open(cx, "/journal", create), &result);
    p->journal = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        p->record = z->count + 1;
        zoo_begin(z, p->record);
        ZOO_WRITE(
            cx, z,
            tp_write_at(cx, p->journal, fill(p, &p->record, 8), (z->count - p->marker) * 8),
            &result);
        ZOO_TRY(cx, tp_fsync(cx, p->journal, 0), &result);
        z->count = p->record;
        zoo_promise(z, z->count);
        apply(p, z->count);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, fill(p, p->slots, sizeof p->slots), 0),
                  &result);
        if (z->count - p->marker < RECORDS)
            continue;
        if (z->is_fixed)
            ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
        p->marker = z->count;
        ZOO_WRITE(cx, z, tp_write_at(cx, p->marker_fd, fill(p, &p->marker, 8), 0),
                  &result); /* ZOO: the bug is here */
        ZOO_TRY(cx, tp_fsync(cx, p->marker_fd, 0), &result);
        ZOO_TRY(cx, tp_truncate(cx, p->journal, 0), &result);
        ZOO_TRY(cx, tp_fsync(cx, p->journal, 0), &result);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "store");
}

ZOO_SCENARIOS(19, "a marker is durable before what it covers", boot);
