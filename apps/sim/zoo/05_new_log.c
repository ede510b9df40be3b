/* Zoo 5: a new log file is synced, its directory never is. Seen in leveldb 196. The records
 * are durable, in a file that nobody finds after a crash. */
#include "apps/sim/zoo/kit.h"

#include <stdio.h>

enum { RECORDS = 4 }; /* in a file; then comes the next */

struct program {
    struct zoo zoo;
    uint64_t file; /* which one is written */
    uint64_t record;
    char name[32];
};

static const char *name_of(struct program *p)
{
    (void)snprintf(p->name, sizeof p->name, "/log.%llu", (unsigned long long)p->file);
    return p->name;
}

static uint32_t at(const struct program *p)
{
    return (uint32_t)(p->zoo.count - p->file * RECORDS) * (uint32_t)sizeof p->record;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options create = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    for (;; p->file++) {
        ZOO_TRY(cx, zoo_load_start(cx, &z->file, name_of(p)), &result);
        p->record = zoo_records(&z->file, 0, z->count + 1);
        z->count += p->record;
        ZOO_TRY(cx, zoo_keep_start(cx, &z->file, name_of(p), 8 * (uint32_t)p->record),
                &result);
        if (p->record < RECORDS)
            break;
    }
    zoo_compare(z, z->count);
    while (tp_node_more(z->node)) {
        p->record = z->count + 1;
        zoo_begin(z, p->record);
        if (z->count == (p->file + 1) * RECORDS)
            p->file++;
        ZOO_TRY(cx, tp_open(cx, name_of(p), create), &result); /* ZOO: the bug is here */
        z->fd = tp_into_fd(cx, result);
        if (z->is_fixed && at(p) == 0)
            ZOO_TRY(cx, tp_sync_dir(cx, "/"), &result);
        z->buf = tp_buf_full(&p->record, sizeof p->record);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, at(p)), &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
        TP_AWAIT(cx, tp_close(cx, z->fd), &result);
        z->count = p->record;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "log");
}

ZOO_SCENARIOS(05, "a new log file is synced, its directory is not", boot);
