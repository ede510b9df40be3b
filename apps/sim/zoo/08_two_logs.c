/* Zoo 8: two logs, the newer one synced and the older not; recovery replays past the hole.
 * Seen in rocksdb 12489. A sync promises everything before it, but reaches one file only.
 */
#include "apps/sim/zoo/kit.h"

#include <stdio.h>

enum { RECORDS = 3, RECORD = 8, LOGS_MAX = 1000 }; /* records in a log */

struct program {
    struct zoo zoo;
    uint64_t log;
    uint64_t record;
    char name[32];
};

static const char *name_of(struct program *p)
{
    (void)snprintf(p->name, sizeof p->name, "/log.%03llu", (unsigned long long)p->log);
    return p->name;
}

static uint32_t at(const struct program *p)
{
    return (uint32_t)((p->record - 1) % RECORDS) * RECORD;
}

/* Applies the log that was read: records are numbered, and one that is there is applied. */
static void replay(struct program *p)
{
    struct zoo *z = &p->zoo;

    for (uint32_t i = 0; i + RECORD <= z->file.len; i += RECORD) {
        uint64_t number;

        memcpy(&number, z->file.bytes + i, sizeof number);
        if (number == 0)
            return;
        z->count++;
    }
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options create = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    do {
        ZOO_TRY(cx, zoo_load_start(cx, &z->file, name_of(p)), &result);
        replay(p);
        if (z->file.len > 0)
            ZOO_TRY(cx, zoo_keep_start(cx, &z->file, name_of(p), z->file.len), &result);
    } while (z->file.len > 0 && ++p->log < LOGS_MAX);
    zoo_compare(z, z->count);
    p->log = z->count / RECORDS;
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, name_of(p)), &result);
    ZOO_TRY(cx, zoo_keep_start(cx, &z->file, name_of(p), z->file.len), &result);
    ZOO_TRY(cx, tp_open(cx, name_of(p), create), &result);
    z->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        p->record = z->count + 1;
        zoo_begin(z, p->record);
        if (p->record / RECORDS > p->log && at(p) == 0) {
            if (z->is_fixed)
                ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
            TP_AWAIT(cx, tp_close(cx, z->fd), &result); /* ZOO: the bug is here */
            p->log++;
            ZOO_TRY(cx, tp_open(cx, name_of(p), create), &result);
            z->fd = tp_into_fd(cx, result);
            ZOO_TRY(cx, tp_sync_dir(cx, "/"), &result);
        }
        z->buf = tp_buf_full(&p->record, RECORD);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, at(p)), &result);
        z->count = p->record;
        if (tp_node_draw(z->node, 3) == 0) {
            ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
            zoo_promise(z, z->count);
        }
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "log");
}

ZOO_SCENARIOS(08, "a sync of the newer log promises what is in the older one", boot);
