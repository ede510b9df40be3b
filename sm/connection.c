#include "sm/connection.h"

#include <errno.h>
#include <string.h>

#include "runtime/operations.h"

enum {
    FRAME_BYTES_MAX = 1 << 20,
    SHARE_BYTES = 64 << 10,
    OUTPUT_BYTES_HIGH = 256 << 10,
    OUTPUT_BYTES_MAX = 64 << 20,
    INPUT_BYTES_HIGH = 64 << 10, /* not consumed: nothing more is received */
    SEND_BYTES_MAX = 256 << 10,  /* in one operation, so that others have their turn */
    SHOTS_KEPT_MAX = 4,          /* while the machine awaits something else */
    MEMORY_BYTES_MIN = 512,
};

#define CLOSE_NS UINT64_C(5000000000)

static const struct tp_connection_options all_zero;

static uint32_t or_else(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static uint64_t after(uint64_t moment_ns, uint64_t delay_ns)
{
    return delay_ns >= TP_NEVER - moment_ns ? TP_NEVER : moment_ns + delay_ns;
}

static void break_off(struct tp_connection *c, int32_t error)
{
    tp_assert(error < 0);
    if (c->error == 0)
        c->error = error;
}

void tp_connection_init(struct tp_connection *connection, struct tp_fd fd, void *memory,
                        uint32_t memory_bytes, const struct tp_connection_options *options)
{
    struct tp_connection fresh = {.fd = fd};
    uint32_t input_bytes = memory_bytes / 4;

    tp_assert(memory != NULL && memory_bytes >= MEMORY_BYTES_MIN);
    fresh.options = options != NULL ? options : &all_zero;
    options = fresh.options;
    tp_assert(options->size == 0 || options->size == sizeof *options);
    tp_input_init(&fresh.input, memory, input_bytes, options->allocator);
    tp_output_init(&fresh.output, (uint8_t *)memory + input_bytes,
                   memory_bytes - input_bytes,
                   or_else(options->output_max, OUTPUT_BYTES_MAX), options->allocator);
    *connection = fresh;
}

/* ------------------------------------------------------------------ time */

static bool is_timed(const struct tp_connection *c)
{
    return c->options->idle_ns != 0 || c->options->total_ns != 0 ||
           c->phase == TP_CONNECTION_CLOSING;
}

static void note_activity(struct tp_ctx *cx, struct tp_connection *c)
{
    if (c->options->idle_ns != 0)
        c->active_ns = tp_now_ns(cx);
}

/* Whether the peer waits for the owner, and not the other way round. */
static bool is_owing(const struct tp_connection *c)
{
    return c->working || tp_output_held(&c->output) != 0;
}

/* The peer's time begins when it is owed nothing any more. */
static void note_owing(struct tp_ctx *cx, struct tp_connection *c)
{
    if (c->owing)
        c->active_ns = c->closing_ns = tp_now_ns(cx);
    c->owing = is_owing(c);
}

/* When its time is over. */
static uint64_t due_ns(const struct tp_connection *c)
{
    const struct tp_connection_options *options = c->options;
    uint64_t close_ns = options->close_ns != 0 ? options->close_ns : CLOSE_NS;
    bool owing = is_owing(c);
    uint64_t due = TP_NEVER, other;

    if (options->idle_ns != 0 && !owing)
        due = after(c->active_ns, options->idle_ns);
    if (options->total_ns != 0 && (other = after(c->began_ns, options->total_ns)) < due)
        due = other;
    if (c->phase == TP_CONNECTION_CLOSING && !owing &&
        (other = after(c->closing_ns, close_ns)) < due)
        due = other;
    return due;
}

/* The timer runs until the earliest moment at which the time could have been over; being
 * active costs nothing, since only then is it looked at what has happened meanwhile. */
static void arm_timer(struct tp_ctx *cx, struct tp_connection *c)
{
    uint64_t due, now;

    if (!is_timed(c))
        return;
    due = due_ns(c);
    if (due == TP_NEVER || (tp_op_is_some(c->timer_op) && c->timer_due_ns <= due))
        return;
    tp_abandon(cx, c->timer_op);
    now = tp_now_ns(cx);
    c->timer_op = tp_timer(cx, due > now ? due - now : 0);
    c->timer_due_ns = due;
}

/* ------------------------------------------------------------------ what has come */

static void begin(struct tp_ctx *cx, struct tp_connection *c)
{
    c->phase = TP_CONNECTION_OPEN;
    if (is_timed(c))
        c->began_ns = c->active_ns = tp_now_ns(cx);
}

static void claim_send(struct tp_ctx *cx, struct tp_connection *c)
{
    struct tp_result result;

    if (!tp_take(cx, &c->send_op, &result))
        return;
    tp_output_taken(&c->output, result.value < 0 ? 0 : (uint32_t)result.value);
    if (result.value > 0) {
        c->sent += (uint32_t)result.value;
        note_activity(cx, c);
    } else if (result.value != -EINTR) { /* then it is sent again */
        break_off(c, result.value < 0 ? result.value : -EIO);
    }
}

static void end_receiving(struct tp_connection *c, int32_t value)
{
    bool paused = c->pausing && value == -ECANCELED;

    c->pausing = false;
    if (value == 0)
        c->ended = true;
    else if (!paused && value != -EINTR) /* then it is begun again */
        break_off(c, value);
}

/* Claims one completion of receiving; false when there is none. */
static bool claim_shot(struct tp_ctx *cx, struct tp_connection *c)
{
    struct tp_result result;

    if (!tp_next_of(cx, &c->recv_op, &result))
        return false;
    if (result.buf == NULL) {
        end_receiving(c, result.value);
        return true;
    }
    c->received += result.buf->len;
    note_activity(cx, c);
    if (c->phase == TP_CONNECTION_CLOSING)
        tp_give_back(cx, result.buf);
    else if (tp_input_add(cx, &c->input, result.buf, c->wanted) < 0)
        break_off(c, -ENOMEM);
    return true;
}

static void claim_shots(struct tp_ctx *cx, struct tp_connection *c)
{
    while (claim_shot(cx, c))
        ;
}

/* Its time may be over. Not if something has come that was not looked at yet: the machine,
 * or the whole computer, may have stood still. */
static void claim_timer(struct tp_ctx *cx, struct tp_connection *c)
{
    struct tp_result result;

    if (!tp_take(cx, &c->timer_op, &result) || result.value < 0)
        return;
    claim_shots(cx, c);
    if (due_ns(c) <= tp_now_ns(cx))
        break_off(c, -ETIMEDOUT);
}

/* Claims what has come of all but receiving. */
static void claim_answers(struct tp_ctx *cx, struct tp_connection *c)
{
    struct tp_result result;

    note_owing(cx, c);
    if (tp_op_is_some(c->send_op))
        claim_send(cx, c);
    if (tp_take(cx, &c->shutdown_op, &result) && result.value < 0)
        break_off(c, result.value);
    if (tp_op_is_some(c->timer_op))
        claim_timer(cx, c);
    if (tp_cancelled(cx))
        break_off(c, -ECANCELED);
}

/* ------------------------------------------------------------------ what is to be done */

/* Sends what may leave; after the last of it, ends the output. */
static void flush(struct tp_ctx *cx, struct tp_connection *c)
{
    struct tp_output *output = &c->output;
    uint32_t count = tp_output_take(output, SEND_BYTES_MAX);

    if (count == 1)
        c->send_op = tp_send(cx, c->fd, &output->bufs[0]);
    else if (count == 2)
        c->send_op = tp_send_bufs(cx, c->fd, output->bufs, 2);
    if (!c->output_ended || c->shut || tp_output_len(output) > 0)
        return;
    if (c->phase == TP_CONNECTION_CLOSING && c->ended)
        return; /* the close says it as well */
    c->shut = true;
    c->shutdown_op = tp_shutdown(cx, c->fd, TP_SHUT_WRITE);
}

/* Receives, unless so much is there already that the owner does not look at. */
static void steer_receiving(struct tp_ctx *cx, struct tp_connection *c)
{
    uint32_t len = tp_input_len(&c->input);

    if (c->ended)
        return;
    if (!tp_op_is_some(c->recv_op)) {
        if (len < INPUT_BYTES_HIGH / 2 || len < c->wanted)
            c->recv_op = tp_keep(cx, tp_recv_many(cx, c->fd), SHOTS_KEPT_MAX);
        return;
    }
    if (len >= INPUT_BYTES_HIGH && len >= c->wanted && !c->pausing) {
        c->pausing = true;
        tp_cancel(cx, c->recv_op);
    }
}

/* The end of a tick, in which everything that has come is claimed. */
static void end_tick(struct tp_ctx *cx, struct tp_connection *c)
{
    if (tp_input_settle(cx, &c->input, c->wanted) < 0)
        break_off(c, -ENOMEM);
    c->consumed = 0;
    c->peeked = 0;
    if (c->error < 0)
        return;
    flush(cx, c);
    steer_receiving(cx, c);
    c->owing = c->owing || is_owing(c);
    arm_timer(cx, c);
}

void tp_connection_settle(struct tp_ctx *cx, struct tp_connection *connection)
{
    struct tp_connection *c = connection;

    tp_assert(c->phase == TP_CONNECTION_NEW || c->phase == TP_CONNECTION_OPEN);
    if (c->phase == TP_CONNECTION_NEW)
        begin(cx, c);
    claim_answers(cx, c);
    claim_shots(cx, c);
    end_tick(cx, c);
}

/* ------------------------------------------------------------------ input */

static bool is_blocked(struct tp_connection *c)
{
    uint32_t high = or_else(c->options->output_high, OUTPUT_BYTES_HIGH);
    uint64_t len = tp_output_len(&c->output);

    if (len > high)
        c->blocked = true;
    else if (len <= high / 2)
        c->blocked = false;
    return c->blocked;
}

/* Claims until `len_min` bytes are there; false when they are not: all is claimed then,
 * unless the connection is broken. */
static bool gather(struct tp_ctx *cx, struct tp_connection *c, uint32_t len_min)
{
    while (tp_input_len(&c->input) < len_min) {
        if (!claim_shot(cx, c) || c->error < 0)
            return false;
    }
    return true;
}

/* Whether its turn lasts. */
static bool may_give(struct tp_connection *c)
{
    return c->error == 0 && !is_blocked(c) &&
           c->consumed < or_else(c->options->share_bytes, SHARE_BYTES);
}

static int32_t give(struct tp_connection *c, const uint8_t **ret_bytes)
{
    *ret_bytes = tp_input_bytes(&c->input);
    c->peeked = tp_input_len(&c->input);
    return (int32_t)c->peeked;
}

static bool is_over(const struct tp_connection *c)
{
    return c->ended || (c->options->stop != NULL && *c->options->stop);
}

int32_t tp_connection_peek(struct tp_ctx *cx, struct tp_connection *connection,
                           uint32_t len_min, const uint8_t **ret_bytes)
{
    struct tp_connection *c = connection;
    bool blocked, there = false;

    tp_assert(len_min > 0);
    if (c->phase >= TP_CONNECTION_CLOSING)
        return c->error;
    if (tp_input_len(&c->input) >= len_min && may_give(c))
        return give(c, ret_bytes);
    if (len_min > or_else(c->options->frame_max, FRAME_BYTES_MAX))
        return -EMSGSIZE;
    if (c->phase == TP_CONNECTION_NEW)
        begin(cx, c);
    claim_answers(cx, c);
    c->wanted = len_min;
    blocked = is_blocked(c);
    if (!blocked && c->error == 0)
        there = gather(cx, c, len_min);
    if (c->error < 0)
        return c->error;
    if (there && may_give(c))
        return give(c, ret_bytes);
    if (there)
        tp_wake(cx->self);
    else if (!blocked && is_over(c))
        return 0;
    if (there || blocked)
        claim_shots(cx, c);
    end_tick(cx, c);
    return c->error < 0 ? c->error : -EAGAIN;
}

int32_t tp_connection_peek_line(struct tp_ctx *cx, struct tp_connection *connection,
                                uint32_t len_max, const uint8_t **ret_bytes)
{
    struct tp_connection *c = connection;

    tp_assert(len_max > 0);
    while (c->scanned < len_max) {
        int32_t rc = tp_connection_peek(cx, c, c->scanned + 1, ret_bytes);
        uint32_t len;
        const uint8_t *end;

        if (rc <= 0)
            return rc;
        len = (uint32_t)rc < len_max ? (uint32_t)rc : len_max;
        end = memchr(*ret_bytes + c->scanned, '\n', len - c->scanned);
        if (end != NULL) {
            c->scanned = (uint32_t)(end - *ret_bytes);
            return (int32_t)c->scanned + 1;
        }
        c->scanned = len;
    }
    return -EMSGSIZE;
}

void tp_connection_consume(struct tp_connection *connection, uint32_t bytes)
{
    tp_assert(bytes <= connection->peeked);
    tp_input_consume(&connection->input, bytes);
    connection->peeked -= bytes;
    connection->consumed += bytes;
    connection->scanned = 0;
}

/* ------------------------------------------------------------------ output */

uint8_t *tp_connection_reserve(struct tp_connection *connection, uint32_t bytes)
{
    struct tp_connection *c = connection;
    uint8_t *place;

    tp_assert(!c->shut);
    if (c->error < 0)
        return NULL;
    place = tp_output_reserve(&c->output, bytes);
    if (place == NULL)
        break_off(c, tp_output_len(&c->output) + bytes > c->output.bytes_max ? -ENOBUFS
                                                                             : -ENOMEM);
    return place;
}

void tp_connection_commit(struct tp_connection *connection, uint32_t bytes)
{
    tp_output_commit(&connection->output, bytes);
}

int32_t tp_connection_write(struct tp_connection *connection, const void *bytes,
                            uint32_t len_bytes)
{
    uint8_t *place = tp_connection_reserve(connection, len_bytes);

    if (place == NULL)
        return connection->error;
    if (len_bytes > 0)
        memcpy(place, bytes, len_bytes);
    tp_output_commit(&connection->output, len_bytes);
    return 0;
}

/* ------------------------------------------------------------------ the end */

void tp_connection_end_output(struct tp_connection *connection)
{
    connection->output_ended = true;
}

void tp_connection_abort(struct tp_connection *connection, int32_t error)
{
    break_off(connection, error);
}

static void abandon(struct tp_ctx *cx, struct tp_op *op)
{
    tp_abandon(cx, *op);
    *op = tp_no_op();
}

/* Gives everything up, once nothing is on loan any more. */
static bool finish(struct tp_ctx *cx, struct tp_connection *c)
{
    if (tp_op_is_some(c->send_op)) {
        if (!c->send_asked)
            tp_cancel(cx, c->send_op);
        c->send_asked = true;
        return false;
    }
    abandon(cx, &c->recv_op);
    abandon(cx, &c->shutdown_op);
    abandon(cx, &c->timer_op);
    tp_input_deinit(cx, &c->input);
    tp_assert(c->output.flying == 0);
    tp_output_deinit(&c->output);
    tp_detach(cx, tp_close(cx, c->fd));
    c->phase = TP_CONNECTION_CLOSED;
    return true;
}

static void begin_close(struct tp_ctx *cx, struct tp_connection *c)
{
    if (c->phase == TP_CONNECTION_NEW)
        begin(cx, c);
    c->phase = TP_CONNECTION_CLOSING;
    c->closing_ns = tp_now_ns(cx);
    c->output_ended = true;
    c->wanted = 1;
    tp_input_consume(&c->input, tp_input_len(&c->input));
}

bool tp_connection_close(struct tp_ctx *cx, struct tp_connection *connection)
{
    struct tp_connection *c = connection;

    if (c->phase == TP_CONNECTION_CLOSED)
        return true;
    if (c->phase != TP_CONNECTION_CLOSING)
        begin_close(cx, c);
    claim_answers(cx, c);
    claim_shots(cx, c);
    (void)tp_input_settle(cx, &c->input, 0); /* nothing is in it that could be lost */
    if (c->error < 0)
        return finish(cx, c);
    flush(cx, c);
    if (c->ended && tp_output_len(&c->output) == 0)
        return finish(cx, c);
    steer_receiving(cx, c);
    arm_timer(cx, c);
    return false;
}

void tp_connection_deinit(struct tp_connection *connection)
{
    tp_input_deinit(NULL, &connection->input);
    tp_output_deinit(&connection->output);
    connection->phase = TP_CONNECTION_CLOSED;
}
