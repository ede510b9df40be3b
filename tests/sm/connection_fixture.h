/** tests/sm/connection_fixture.h - a connection whose peer, system and clock are the test.
 *
 * An owner drives it as a service does, in one of a few ways. The test says what comes in,
 * how much of a send the system takes, and when; and looks at what was sent, byte by byte.
 */
#ifndef TESTS_SM_CONNECTION_FIXTURE_H
#define TESTS_SM_CONNECTION_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/fd_table.h"
#include "io/recv_pool.h"
#include "runtime/tempest.h"
#include "sm/connection.h"
#include "tests/common/manual_io.h"

#define MS UINT64_C(1000000)

enum { POOL = 64, POOL_BYTES = 1024, SENT_MAX = 1 << 20, FD = 3 };

/** What the owner does with what comes. */
enum manner {
    ECHO,   /* sends it back */
    LINES,  /* answers each line with "<line>" */
    HELD,   /* the same; line n waits for number n */
    FRAMES, /* answers every `frame_bytes` with "." */
    LAZY,   /* looks at nothing */
};

static struct manual_io manual;
static struct tp_scheduler *scheduler;

static struct {
    struct tp_machine machine;
    struct tp_connection connection;
    struct tp_connection_options options;
    enum manner manner;
    uint32_t memory_bytes, frame_bytes;
    uint64_t lines;
    uint64_t reached; /* what is released */
    uint32_t ticks;
    int32_t last; /* what peek gave */
    bool done;    /* it is to close, whatever comes */
    uint8_t memory[4096];
} owner;

static char sent[SENT_MAX];
static uint32_t sent_len, sends;
static uint8_t pool_memory[POOL * POOL_BYTES];
static uint32_t blocks, blocks_asked, blocks_fail_at;

/* ------------------------------------------------------------------ the owner */

static inline void answer_line(struct tp_connection *c, const uint8_t *line, uint32_t len)
{
    owner.lines++;
    (void)tp_connection_write(c, "<", 1);
    (void)tp_connection_write(c, line, len - 1);
    (void)tp_connection_write(c, ">", 1);
    if (owner.manner == HELD)
        tp_connection_hold(c, owner.lines);
}

static inline int32_t look(struct tp_ctx *cx, struct tp_connection *c)
{
    const uint8_t *bytes;
    int32_t len;

    if (owner.manner == LAZY) {
        tp_connection_settle(cx, c);
        return c->error < 0 ? c->error : -EAGAIN;
    }
    if (owner.manner == ECHO) {
        while ((len = tp_connection_peek(cx, c, 1, &bytes)) > 0) {
            (void)tp_connection_write(c, bytes, (uint32_t)len);
            tp_connection_consume(c, (uint32_t)len);
        }
        return len;
    }
    if (owner.manner == FRAMES) {
        while ((len = tp_connection_peek(cx, c, owner.frame_bytes, &bytes)) > 0) {
            (void)tp_connection_write(c, ".", 1);
            tp_connection_consume(c, owner.frame_bytes);
        }
        return len;
    }
    while ((len = tp_connection_peek_line(cx, c, 4096, &bytes)) > 0) {
        answer_line(c, bytes, (uint32_t)len);
        tp_connection_consume(c, (uint32_t)len);
    }
    return len;
}

static inline enum tp_step owner_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_connection *c = &owner.connection;

    owner.ticks++;
    (void)tp_connection_release(c, owner.reached);
    if (!owner.done) {
        owner.last = look(cx, c);
        if (owner.last == -EAGAIN)
            return TP_WAIT;
    }
    owner.done = true;
    return tp_connection_close(cx, c) ? tp_end(machine, c->error) : TP_WAIT;
}

/* ------------------------------------------------------------------ the world */

static inline void *take_block(void *context, size_t size_bytes, size_t align)
{
    (void)context;
    if (++blocks_asked == blocks_fail_at)
        return NULL;
    blocks++;
    return aligned_alloc(align, (size_bytes + align - 1) / align * align);
}

static inline void give_block(void *context, void *memory, size_t size_bytes)
{
    (void)context, (void)size_bytes;
    blocks--;
    free(memory);
}

static const struct tp_allocator counted = {take_block, give_block, NULL};

static inline void set_up(void)
{
    memset(&owner, 0, sizeof owner);
    sent_len = sends = blocks = blocks_asked = blocks_fail_at = 0;
    manual_io_init(&manual);
    cr_assert(eq(i32, tp_io_set_recv_bufs(&manual.io, pool_memory, POOL, POOL_BYTES), 0));
    scheduler = tp_scheduler_create(&manual.io, 4096);
    cr_assert(ne(ptr, scheduler, NULL));
    cr_assert(tp_io_fd_opened(&manual.io, FD));
    owner.options.allocator = &counted;
    owner.memory_bytes = sizeof owner.memory;
}

/** Runs while something is ready. */
static inline void settle(void)
{
    while (tp_scheduler_tick(scheduler) == TP_PROGRESS) {
    }
}

/** The owner begins; set its manner and options before. */
static inline void open_connection(enum manner manner)
{
    owner.manner = manner;
    tp_connection_init(&owner.connection, tp_io_into_fd(&manual.io, FD), owner.memory,
                       owner.memory_bytes, &owner.options);
    tp_spawn(scheduler, &owner.machine, owner_tick, "owner");
    settle();
}

/** Wakes the owner, if it is there, and lets it run. */
static inline void nudge(void)
{
    if (tp_machine_alive(&owner.machine))
        tp_wake(&owner.machine);
    settle();
}

static inline bool is_receiving(void)
{
    return manual_find(&manual, TP_RECV_MANY) != NULL;
}

/** Something comes in, in one piece. */
static inline void feed(const char *text)
{
    manual_receive(&manual, manual_find(&manual, TP_RECV_MANY), text);
}

static inline void take(const struct tp_buf *buf, uint32_t *bytes)
{
    uint32_t len = buf->len < *bytes ? buf->len : *bytes;

    cr_assert(le(u32, sent_len + len, SENT_MAX));
    memcpy(sent + sent_len, buf->data, len);
    sent_len += len;
    *bytes -= len;
}

static inline struct manual_op *pending_send(void)
{
    struct manual_op *op = manual_find(&manual, TP_SEND);

    return op != NULL ? op : manual_find(&manual, TP_SEND_BUFS);
}

/** The system takes up to `bytes` of what is being sent. False: nothing is. */
static inline bool accept_send(uint32_t bytes)
{
    struct manual_op *op = pending_send();
    uint32_t before = sent_len;

    if (op == NULL)
        return false;
    sends++;
    if (op->request.kind == TP_SEND) {
        take(op->request.buf, &bytes);
    } else {
        for (uint32_t i = 0; i < op->request.len; i++)
            take(&op->request.a.bufs[i], &bytes);
    }
    manual_complete(op, (int32_t)(sent_len - before));
    settle();
    return true;
}

static inline void accept_all(void)
{
    while (accept_send(UINT32_MAX)) {
    }
}

static inline bool was_sent(const char *text)
{
    return sent_len == strlen(text) && memcmp(sent, text, sent_len) == 0;
}

/** An operation of the connection comes to `value`. */
static inline void come_to(enum tp_kind kind, int32_t value)
{
    manual_complete(manual_find(&manual, kind), value);
    settle();
}

static inline void pass_time(uint64_t ns)
{
    manual.now_ns += ns;
    settle();
}

/** The connection's end is there: nothing is left of it. */
static inline void check_closed(int32_t error)
{
    cr_assert(not(tp_machine_alive(&owner.machine)));
    cr_assert(eq(i32, owner.machine.result, error));
    come_to(TP_CLOSE, 0);
    cr_assert(eq(u32, manual_pending(&manual), 0));
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0));
    cr_assert(eq(u32, manual.io.fds->open_count, 0));
    cr_assert(eq(u32, blocks, 0));
}

static inline void tear_down(void)
{
    tp_scheduler_destroy(scheduler);
    manual_io_deinit(&manual);
}

#endif
