/* Zoo 4: the rename of the pointer file is not ordered before the removal of the old log.
 * Seen in leveldb 195. Both are names in one directory, and either may reach the disk
 * first; after a crash the pointer may name a log that is gone. */
#include "apps/sim/zoo/kit.h"

#include <stdio.h>

#define CURRENT "/CURRENT"
#define NEW     "/CURRENT.new"

struct program {
    struct zoo zoo;
    uint64_t next; /* which is also what its log is called */
    char log[32], old_log[32];
};

static const char *name_log(char ret_name[32], uint64_t number)
{
    (void)snprintf(ret_name, 32, "/log.%llu", (unsigned long long)number);
    return ret_name;
}

static struct tp_buf *fill(struct program *p)
{
    p->zoo.buf = tp_buf_full(&p->next, sizeof p->next);
    return &p->zoo.buf;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options fresh = {.write = true, .create = true, .truncate = true};
    struct tp_result result;

    TP_BEGIN(cx);
    ZOO_TRY(cx, zoo_load_start(cx, &z->file, CURRENT), &result);
    memcpy(&z->count, z->file.bytes, sizeof z->count);
    if (z->count > 0) {
        ZOO_TRY(cx, zoo_load_start(cx, &z->file, name_log(p->log, z->count)), &result);
        memcpy(&z->count, z->file.bytes, sizeof z->count); /* 0: there is no such log */
    }
    zoo_compare(z, z->count);
    while (tp_node_more(z->node)) {
        p->next = z->count + 1;
        zoo_begin(z, p->next);
        TP_AWAIT(cx, tp_remove(cx, name_log(p->log, p->next)), &result); /* a dead one's */
        TP_AWAIT(cx, tp_remove(cx, NEW), &result);
        ZOO_TRY(cx, tp_open(cx, name_log(p->log, p->next), fresh), &result);
        z->fd = tp_into_fd(cx, result);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, fill(p), 0), &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
        TP_AWAIT(cx, tp_close(cx, z->fd), &result);
        ZOO_TRY(cx, tp_open(cx, NEW, fresh), &result);
        z->fd = tp_into_fd(cx, result);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, fill(p), 0), &result);
        ZOO_TRY(cx, tp_fsync(cx, z->fd, 0), &result);
        TP_AWAIT(cx, tp_close(cx, z->fd), &result);
        ZOO_TRY(cx, tp_sync_dir(cx, "/"), &result);        /* the new log is there */
        ZOO_TRY(cx, tp_rename(cx, NEW, CURRENT), &result); /* ZOO: the bug is here */
        if (z->is_fixed)
            ZOO_TRY(cx, tp_sync_dir(cx, "/"), &result);
        if (z->count > 0)
            TP_AWAIT(cx, tp_remove(cx, name_log(p->old_log, z->count)), &result);
        ZOO_TRY(cx, tp_sync_dir(cx, "/"), &result);
        z->count = p->next;
        zoo_promise(z, z->count);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    zoo_boot(node, sizeof(struct program), tick, "log switcher");
}

ZOO_SCENARIOS(04, "the old log is removed before the pointer to the new one is durable",
              boot);
