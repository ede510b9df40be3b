/* Zoo 18: fsync on a fd that was closed and is another file's by now. Seen in redis 8751.
 * The log is synced in the background; when it is switched meanwhile, the sync goes to
 * whatever has its number now, which reports no error to anybody who looks. (Tempest's fds
 * know that they are stale: EBADF. Here nobody looks.) */
#include "apps/sim/zoo/kit.h"

#include <stdio.h>

enum { RECORDS = 4 }; /* in a log */

/* Syncs a file a little later. */
struct syncer {
    struct tp_machine machine;
    struct tp_fd fd;
};

struct program {
    struct zoo zoo;
    struct syncer syncer;
    struct tp_op sync; /* of the log before */
    struct tp_result opened;
    uint64_t log, record;
    char name[32];
};

static enum tp_step sync_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct syncer *s = tp_container_of(machine, struct syncer, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, 1000), &result);
    TP_AWAIT(cx, tp_fsync(cx, s->fd, 0), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static const char *name_of(struct program *p)
{
    (void)snprintf(p->name, sizeof p->name, "/log.%llu", (unsigned long long)p->log);
    return p->name;
}

static enum tp_step tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct program *p = tp_container_of(machine, struct program, zoo.machine);
    struct zoo *z = &p->zoo;
    struct tp_open_options options = {.write = true, .create = true};
    struct tp_result result;

    TP_BEGIN(cx);
    for (;; p->log++) {
        ZOO_TRY(cx, zoo_load_start(cx, &z->file, name_of(p)), &result);
        p->record = zoo_records(&z->file, 0, z->count + 1);
        z->count += p->record;
        ZOO_TRY(cx, zoo_keep_start(cx, &z->file, name_of(p), 8 * (uint32_t)p->record),
                &result);
        if (p->record < RECORDS)
            break;
    }
    zoo_compare(z, z->count);
    ZOO_TRY(cx, tp_open(cx, name_of(p), options), &result);
    z->fd = tp_into_fd(cx, result);
    while (tp_node_more(z->node)) {
        p->record = z->count + 1;
        zoo_begin(z, p->record);
        if (z->count == (p->log + 1) * RECORDS) {
            p->syncer.fd = z->fd;
            p->sync = tp_start(cx, &p->syncer.machine, sync_tick, "syncer");
            if (z->is_fixed) /* the file is open until its sync has come to its end */
                ZOO_TRY(cx, p->sync, &result);
            TP_AWAIT(cx, tp_close(cx, z->fd), &result); /* ZOO: the bug is here */
            p->log++;
            TP_AWAIT(cx, tp_open(cx, name_of(p), options), &p->opened);
            if (!z->is_fixed)
                TP_AWAIT(cx, p->sync, &result);
            if (p->opened.value < 0)
                return zoo_end(cx, p->opened.value);
            z->fd = tp_into_fd(cx, p->opened);
            ZOO_TRY(cx, tp_sync_dir(cx, "/"), &result);
            zoo_promise(z, z->count);
        }
        z->buf = tp_buf_full(&p->record, sizeof p->record);
        ZOO_WRITE(cx, z, tp_write_at(cx, z->fd, &z->buf, z->count % RECORDS * 8), &result);
        z->count = p->record;
        if (z->count % RECORDS != 0) { /* the last one waits for the switch */
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

ZOO_SCENARIOS(18, "a sync in the background outlives its fd", boot);
