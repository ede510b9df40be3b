/* counter_module.c - a durable counter as a module: each click is a record of the log, and
 * counts once it is durable. The page is index.html; any host with files will do. */
#include <tempest/io/wasm/wasm.h>
#include <tempest/sm/journal.h>
#include <tempest/tempest.h>

#define DIRECTORY_MAX 1024
#define SEGMENT_BYTES (UINT64_C(256) << 10)
#define GROUP_BYTES   (UINT32_C(16) << 10)

enum { CLOSED, OPEN, FAILED };

struct counter {
    struct tp_machine machine;
    struct tp_journal log;
    struct tp_journal_record record;
    struct tp_op log_end;
    struct tp_waiter waiter;
    uint64_t lsn;
    uint64_t wanted; /* clicks that are to be written, of this run */
    uint64_t written, value;
    int32_t rc;
    uint32_t state;
    bool stop;
};

static struct tp_scheduler *scheduler;
static struct counter counter;
static char directory[DIRECTORY_MAX];

TP_WASM_EXPORTS(scheduler)

/** Where the path of the log's directory is written to before the start. */
TP_WASM_EXPORT(counter_directory) char *counter_directory(void);
/** 0, or -errno. */
TP_WASM_EXPORT(counter_start) int32_t counter_start(void);
/** A click. */
TP_WASM_EXPORT(counter_add) void counter_add(void);
/** Asks it to close the log and end. */
TP_WASM_EXPORT(counter_stop) void counter_stop(void);
/** Clicks that are durable, those of earlier runs included. */
TP_WASM_EXPORT(counter_value) uint32_t counter_value(void);
/** 0 it is being opened, 1 open, 2 it has failed: counter_error(). */
TP_WASM_EXPORT(counter_state) uint32_t counter_state(void);
TP_WASM_EXPORT(counter_error) int32_t counter_error(void);

static enum tp_step counter_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct counter *m = tp_container_of(machine, struct counter, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_create_dir_all(cx, directory), &result);
    m->rc = result.value;
    if (m->rc < 0) {
        m->state = FAILED;
        return tp_end(machine, m->rc);
    }
    m->log_end = tp_journal_open(cx, &m->log);
    for (;;) {
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_next(&m->log, &m->record)) != -EAGAIN);
        if (m->rc <= 0)
            break;
        m->value++; /* each record is a click */
    }
    m->state = m->rc == 0 ? OPEN : FAILED;
    while (m->rc == 0) {
        TP_AWAIT_UNTIL(cx, m->written < m->wanted || m->stop);
        if (m->written == m->wanted)
            break;
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_append(cx, &m->log, &m->waiter, "+", 1,
                                                      &m->lsn)) != -EAGAIN);
        if (m->rc < 0)
            break;
        m->written++;
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_wait(cx, &m->log, &m->waiter, m->lsn)) !=
                               -EAGAIN);
        m->value += m->rc == 0;
    }
    if (m->rc < 0)
        m->state = FAILED;
    tp_journal_close(&m->log);
    TP_AWAIT(cx, m->log_end, &result);
    return tp_end(machine, m->rc < 0 ? m->rc : result.value);
    TP_END(cx);
}

char *counter_directory(void)
{
    return directory;
}

int32_t counter_start(void)
{
    static const struct tp_journal_config log = {
        .path = directory, .segment_bytes = SEGMENT_BYTES, .group_bytes = GROUP_BYTES};
    static const struct tp_scheduler_config config = {.ops_max = 256, .machines_max = 16};
    struct tp_io *io;
    int error = tp_wasm_io_create(NULL, &io);

    if (error < 0)
        return error;
    error = tp_journal_init(&counter.log, &log);
    if (error == 0)
        error = tp_scheduler_create_with(io, &config, &scheduler);
    if (error < 0)
        return error;
    tp_scheduler_expect_wake(scheduler, 1); /* clicks come from outside */
    tp_spawn(scheduler, &counter.machine, counter_tick, "counter");
    return 0;
}

static void wake(void)
{
    if (tp_machine_alive(&counter.machine))
        tp_scheduler_post(scheduler, tp_machine_id(&counter.machine));
}

void counter_add(void)
{
    counter.wanted++;
    wake();
}

void counter_stop(void)
{
    counter.stop = true;
    wake();
}

uint32_t counter_value(void)
{
    return (uint32_t)counter.value;
}

uint32_t counter_state(void)
{
    return counter.state;
}

int32_t counter_error(void)
{
    return counter.rc < 0 ? counter.rc : counter.machine.result;
}
