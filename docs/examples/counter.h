/* counter.h - the counter of tally.c, made durable: an increment is answered when it would
 * survive a power cut. counter.c runs it on the kernel, counter_cuts.c in a simulated
 * world.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <tempest/sm/journal.h>
#include <tempest/sm/service.h>
#include <tempest/tempest.h>

enum { LINE_BYTES = 64 };

struct counter {
    struct tp_machine machine;
    struct tp_journal log; /* a record for each value that the counter has had */
    struct tp_service service;
    struct tp_service_config config;
    struct tp_op log_op, service_op;
    struct tp_journal_record record;
    uint64_t value;
    int32_t rc;
};

struct client {
    struct tp_client base;
    struct tp_waiter room, durable; /* its places among those that wait for the log */
};

static bool is_word(const uint8_t *line, int32_t len, const char *word)
{
    return (size_t)len == strlen(word) + 1 && memcmp(line, word, strlen(word)) == 0;
}

/* Appends the next value. -EAGAIN: the log has no room now; else as the log says. */
static int32_t increment(struct tp_ctx *cx, struct counter *counter, struct client *m)
{
    uint64_t next = counter->value + 1, lsn;
    int32_t rc =
        tp_journal_append(cx, &counter->log, &m->room, &next, (uint32_t)sizeof next, &lsn);

    if (rc == 0)
        counter->value = next;
    return rc;
}

/* The value itself may be on its way to the disk, so even GET's answer waits for that. */
static int32_t answer(struct tp_ctx *cx, struct counter *counter, struct client *m,
                      const uint8_t *line, int32_t len)
{
    char reply[64];
    int32_t rc = is_word(line, len, "INCR") ? increment(cx, counter, m) : 0;

    if (rc == -EAGAIN)
        return rc;
    if (rc < 0)
        snprintf(reply, sizeof reply, "not counted: %s\n", tp_errno_name(rc));
    else if (is_word(line, len, "INCR") || is_word(line, len, "GET"))
        snprintf(reply, sizeof reply, "%" PRIu64 "\n", counter->value);
    else
        snprintf(reply, sizeof reply, "INCR or GET\n");
    tp_connection_write(&m->base.connection, reply, (uint32_t)strlen(reply));
    tp_connection_hold(&m->base.connection, tp_journal_lsn(&counter->log));
    return 0;
}

static enum tp_step client_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct client *m = tp_container_of(tp_client_of(machine), struct client, base);
    struct counter *counter = tp_container_of(m->base.service, struct counter, service);
    struct tp_connection *c = &m->base.connection;
    const uint8_t *line;
    int32_t len, rc = 0;
    enum tp_step step = TP_WAIT;

    tp_connection_release(c, tp_journal_durable_lsn(&counter->log));
    while ((len = tp_connection_peek_line(cx, c, LINE_BYTES, &line)) > 0) {
        if (answer(cx, counter, m, line, len) == -EAGAIN)
            break;
        tp_connection_consume(c, (uint32_t)len);
    }
    if (len > 0)
        tp_connection_settle(cx, c); /* the log wakes us when it has room */
    if (tp_connection_held(c) != 0)
        rc = tp_journal_wait(cx, &counter->log, &m->durable, tp_connection_held(c));
    if (rc < 0 && rc != -EAGAIN)
        tp_connection_abort(c, rc); /* nobody knows whether it is on the disk */
    if (c->error < 0 || (len <= 0 && len != -EAGAIN))
        step = tp_client_end(machine, cx);
    if (step == TP_DONE) {
        tp_journal_leave(&m->room);
        tp_journal_leave(&m->durable);
    }
    return step;
}

/* The log first: the last record is the value. Then the service, until it is stopped. */
static enum tp_step counter_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct counter *m = tp_container_of(machine, struct counter, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    m->log_op = tp_journal_open(cx, &m->log);
    for (;;) {
        TP_AWAIT_UNTIL(cx, (m->rc = tp_journal_next(&m->log, &m->record)) != -EAGAIN);
        if (m->rc <= 0)
            break;
        memcpy(&m->value, m->record.bytes, sizeof m->value);
    }
    if (m->rc == 0) {
        m->service_op = tp_service_start(cx, &m->service, &m->config);
        TP_AWAIT(cx, m->service_op, &result);
        m->rc = result.value;
    }
    tp_journal_close(&m->log);
    TP_AWAIT(cx, m->log_op, &result);
    return tp_end(machine, m->rc < 0 ? m->rc : result.value);
    TP_END(cx);
}
