/* log.c - a durable log: a boot that appends three records, a power cut, and a boot that
 * reads them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <tempest/io/virtual/virtual.h>
#include <tempest/sm/journal.h>
#include <tempest/tempest.h>

static const char *const words[] = {"one", "two", "three"};

struct app {
    struct tp_machine machine;
    struct tp_journal log;
    struct tp_op log_end;
    struct tp_journal_record record;
    struct tp_waiter waiter;
    uint64_t lsn;
    int32_t rc;
    uint32_t next;
};

/* Reads what the log holds, and appends the words that are not in it yet. */
static enum tp_step app_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct app *m = tp_container_of(machine, struct app, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    m->log_end = tp_journal_open(cx, &m->log);
    for (;;) {
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_next(&m->log, &m->record)) != -EAGAIN);
        if (m->rc <= 0)
            break;
        printf("read record %d: %.*s\n", (int)m->record.lsn, (int)m->record.len,
               (const char *)m->record.bytes);
    }
    for (m->next = (uint32_t)tp_journal_lsn(&m->log); m->rc == 0 && m->next < 3;
         m->next++) {
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_append(
                                cx, &m->log, &m->waiter, words[m->next],
                                (uint32_t)strlen(words[m->next]), &m->lsn)) != -EAGAIN);
        if (m->rc < 0)
            break;
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_wait(cx, &m->log, &m->waiter, m->lsn)) !=
                               -EAGAIN);
        if (m->rc == 0)
            printf("record %d is durable\n", (int)m->lsn);
    }
    tp_journal_close(&m->log);
    TP_AWAIT(cx, m->log_end, &result);
    return tp_end(machine, m->rc < 0 ? m->rc : result.value);
    TP_END(cx);
}

static int32_t boot(struct tp_disk *disk)
{
    struct tp_virtual_io_config io_config = {.size = sizeof io_config, .disk = disk};
    struct tp_journal_config config = {.path = "/log", .segment_bytes = 2 << 20};
    struct app app = {.lsn = 0};
    struct tp_scheduler *scheduler;
    struct tp_io *io;

    tp_assert(tp_virtual_io_create(&io_config, &io) == 0);
    tp_assert(tp_journal_init(&app.log, &config) == 0);
    scheduler = tp_scheduler_create(io, 64);
    tp_assert(scheduler != NULL);
    tp_spawn(scheduler, &app.machine, app_tick, "app");
    tp_scheduler_run(scheduler);
    tp_scheduler_destroy(scheduler);
    tp_journal_deinit(&app.log);
    tp_virtual_io_destroy(io);
    return app.machine.result;
}

int main(void)
{
    struct tp_disk *disk;
    struct tp_tape *choices;
    int32_t first, second;

    tp_assert(tp_disk_create(NULL, &disk) == 0);
    tp_assert(tp_tape_from_seed(1, false, NULL, &choices) == 0);
    tp_assert(tp_disk_make_dir(disk, "/log", 0755) == 0);
    first = boot(disk);
    tp_disk_power_cut(disk, choices, 0);
    puts("the power was cut");
    second = boot(disk);
    tp_tape_destroy(choices);
    tp_disk_destroy(disk);
    return first < 0 || second < 0;
}
