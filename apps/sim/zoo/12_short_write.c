/* Zoo 12: a short write near a full disk is taken for success. Seen in nixl 1696. A write
 * that could not write all says how much it wrote, and is no error. */
#include "apps/sim/zoo/kit.h"

enum { RECORD = 64 };

struct record {
    uint64_t number;
    uint8_t body[RECORD - 16];
    uint64_t sum; /* of all before it */
};

struct program {
    struct zoo zoo;
    struct record record;
};

/* Counts the records that are whole and in turn. */
static uint64_t count_records(const struct zoo_file *file)
{
    struct record record;
    uint64_t count = 0;

    for (uint32_t at = 0; at + RECORD <= file->len; at += RECORD) {
        memcpy(&record, file->bytes + at, RECORD);
        if (record.number != count + 1 ||
            record.sum != zoo_sum(&record, offsetof(struct record, sum)))
            break;
        count++;
    }
    return count;
}

static void make(struct record *record, uint64_t number)
{
    record->number = number;
    memset(record->body, (int)(number & 0xff), sizeof record->body);
    record->sum = zoo_sum(record, offsetof(struct record, sum));
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/log"), &result);
    z->count = count_records(&z->file);
    zoo_compare(z, z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/log", RECORD * (uint32_t)z->count), &result);
    ZOO_TRY(cx, tp_open(cx, "/log", options), &result);
    z->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node) && (z->count + 1) * RECORD < ZOO_FILE_BYTES) {
        make(&p->record, z->count + 1);
        zoo_begin(z, p->record.number);
        z->buf = tp_buf_full(&p->record, RECORD);
        if (z->is_fixed)
            ZOO_TRY(cx,
                    tp_write_all_start(cx, &z->write, z->fd, &z->buf, z->count * RECORD, 0),
                    &result);
        else
            ZOO_TRY(cx, tp_write_at(cx, z->fd, &z->buf, z->count * RECORD),
                    &result); /* ZOO: the bug is here */
        ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
        z->count = p->record.number;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "log");
}

ZOO_SCENARIOS(12, "a write that is not an error is taken for a whole one", boot);
