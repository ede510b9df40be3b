/* Zoo 7: a zero tail of the log is read as a record. Seen in etcd 6378 and 14098. An append
 * may keep its size and lose its data; zeros then say: a record of length 0, with a sum of
 * 0 over nothing. */
#include "apps/sim/zoo/kit.h"

enum { BODY = 40 };

struct record {
    uint32_t len;
    uint32_t sum; /* of the body; that of no bytes is 0 */
    uint8_t body[BODY];
};

struct program {
    struct zoo zoo;
    struct record record;
    uint32_t end; /* of the valid records */
};

static uint32_t sum_of(const uint8_t *body, uint32_t len)
{
    return len == 0 ? 0 : (uint32_t)zoo_sum(body, len);
}

/* Counts the records that are whole. */
static void recover(struct program *p)
{
    const struct zoo_file *file = &p->zoo.file;
    struct record record;

    while (file->len - p->end >= offsetof(struct record, body)) {
        const uint8_t *body = file->bytes + p->end + offsetof(struct record, body);

        memcpy(&record, file->bytes + p->end, offsetof(struct record, body));
        if (record.len > file->len - p->end - offsetof(struct record, body))
            return;                                 /* a torn tail */
        if (record.sum != sum_of(body, record.len)) /* ZOO: the bug is here */
            return;
        if (p->zoo.is_fixed && record.len == 0)
            return;
        p->end += (uint32_t)offsetof(struct record, body) + record.len;
        p->zoo.count++;
    }
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.write = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, "/log"), &result);
    recover(p);
    zoo_compare(z, z->count);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, "/log", p->end), &result);
    ZOO_TRY(cx, tp_open(cx, "/log", options), &result);
    z->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node) && p->end + sizeof p->record < ZOO_FILE_BYTES) {
        zoo_begin(z, z->count + 1);
        p->record.len = BODY;
        memset(p->record.body, (int)(z->count & 0xff), BODY);
        p->record.sum = sum_of(p->record.body, BODY);
        z->buf = tp_buf_full(&p->record, sizeof p->record);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, p->end), &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, TP_DATA_ONLY), &result);
        p->end += (uint32_t)sizeof p->record;
        zoo_promise(z, ++z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "log");
}

ZOO_SCENARIOS(07, "zeros at the end of a log are read as records", boot);
