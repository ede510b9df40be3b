/* Zoo 14: an empty file after a crash blocks the start. Seen in ZooKeeper 2332. A new log
 * is made, its name is durable, and before its head is, the power goes. */
#include "apps/sim/zoo/kit.h"

#include <stdio.h>

enum { RECORDS = 4, HEAD = 8, LOGS_MAX = 1000 }; /* records in a log, behind its head */
#define MAGIC UINT64_C(0x676f6c2d6f6f7a00)

struct program {
    struct zoo zoo;
    uint64_t log, in_log; /* which one is written, and records in it */
    uint64_t record[2];   /* a head, and a record: a log begins with both */
    char name[32];
};

static const char *name_of(struct program *p)
{
    (void)snprintf(p->name, sizeof p->name, "/log.%llu", (unsigned long long)p->log);
    return p->name;
}

static bool has_head(const struct zoo_file *file)
{
    uint64_t magic;

    memcpy(&magic, file->bytes, sizeof magic);
    return file->len >= HEAD && magic == MAGIC;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options create = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    for (p->log = 0; p->log < LOGS_MAX; p->log++) {
        TP_AWAIT(cx, tp_open(cx, name_of(p), (struct tp_open_options){.read = true}),
                 &result);
        if (result.value == -ENOENT)
            break;
        if (result.value < 0)
            return zoo_end(cx, result.value);
        z->fd = tp_into_fd(cx, result);
        TP_AWAIT(cx, tp_close(cx, z->fd), &result);
        ZOO_TRY(cx, zoo_load_start(cx, &z->file, name_of(p)), &result);
        if (z->is_fixed && !has_head(&z->file)) { /* it was being made: make it anew */
            ZOO_TRY(cx, tp_remove(cx, name_of(p)), &result);
            break;
        }
        if (!has_head(&z->file)) /* ZOO: the bug is here */
            return tp_end(machine, -EINVAL);
        p->in_log = zoo_records(&z->file, HEAD, z->count + 1);
        z->count += p->in_log;
        ZOO_TRY(cx,
                zoo_keep_start(cx, &z->file, name_of(p), HEAD + 8 * (uint32_t)p->in_log),
                &result);
        if (p->in_log < RECORDS)
            break;
        p->in_log = 0;
    }
    zoo_compare(z, z->count);
    while (tp_node_more(z->node)) {
        zoo_begin(z, z->count + 1);
        ZOO_TRY(cx, tp_open(cx, name_of(p), create), &result);
        z->fd = tp_into_fd(cx, result);
        if (p->in_log == 0)
            ZOO_TRY(cx, tp_sync_dir(cx, "/"), &result);
        p->record[0] = MAGIC;
        p->record[1] = z->count + 1;
        z->buf =
            p->in_log == 0 ? tp_buf_full(p->record, 16) : tp_buf_full(p->record + 1, 8);
        ZOO_WRITE(
            cx, z,
            tp_write_at(cx, z->fd, &z->buf, p->in_log == 0 ? 0 : HEAD + 8 * p->in_log),
            &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
        TP_AWAIT(cx, tp_close(cx, z->fd), &result);
        zoo_promise(z, ++z->count);
        if (++p->in_log == RECORDS) {
            p->log++;
            p->in_log = 0;
        }
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "log");
}

ZOO_SCENARIOS(14, "a new log that is still empty blocks the start", boot);
