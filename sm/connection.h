/** sm/connection.h - a connection as a service sees it: input to be consumed, output in
 * order.
 *
 *     struct client {
 *         struct tp_machine machine;
 *         struct tp_connection connection;
 *         uint8_t memory[4096];
 *         const uint8_t *bytes;
 *         int32_t len;
 *     };
 *
 *     tp_connection_init(&m->connection, fd, m->memory, sizeof m->memory, &options);
 *     ...
 *     TP_BEGIN(cx);                                                   an echo service
 *     for (;;) {
 *         TP_AWAIT_UNTIL(cx, (m->len = tp_connection_peek(cx, c, 1, &m->bytes)) !=
 * -EAGAIN); if (m->len <= 0) break; tp_connection_write(c, m->bytes, (uint32_t)m->len);
 *         tp_connection_consume(c, (uint32_t)m->len);
 *     }
 *     TP_AWAIT_UNTIL(cx, tp_connection_close(cx, c));
 *     return tp_end(machine, c->error);
 *     TP_END(cx);
 *
 * It is no machine but a part of one, whose ticks drive it: it submits in that machine's
 * name and claims its own operations only. A machine may have several, and other operations
 * beside. peek() is the heart: it claims what has come, and when there is nothing to do it
 * sends what was written, in one piece, and receives on. So each tick ends with a peek()
 * that gave -EAGAIN, with close(), or with settle().
 *
 * Input: bytes are parsed where they were received. A frame that is not complete stays:
 * peek with a larger `len_min`, and go on when that much is there, up to `frame_max`. The
 * bytes may lie elsewhere by then. Per tick at most `share_bytes` are consumed, then the
 * others have their turn.
 *
 * Output: written in order, sent in order, in one send at a time. When more than
 * `output_high` waits, peek() gives -EAGAIN until half of it has gone, and receiving stops:
 * a peer that does not read is not read from. Past `output_max` the connection is broken.
 *
 * Held output: tp_connection_hold(c, n) says that the reply just written may leave when
 * tp_connection_release(c, reached) was told of a number >= n: replies that must wait until
 * a log is durable, while the next requests are being worked on.
 *
 * Half close: at the peer's end of data peek() gives 0 once nothing is left; what was
 * written is sent by close(). tp_connection_end_output() ends this side's, and input goes
 * on.
 *
 * Time: a peer is not idle while it is owed something: a reply is held, or the owner has
 * set `working`.
 *
 * End: close() sends what is left, ends the output, reads on until the peer has ended too
 * (so that no reset destroys what is on its way), and closes; it takes `close_ns` at most.
 * After an error, a cancel or abort() it closes at once. A machine that has begun must not
 * end before close() was true.
 *
 * Errors: `error` is the first that happened, and peek() gives it from then on:
 * -ECONNRESET, -EPIPE, ...; -ETIMEDOUT: idle or altogether too long, or a close was;
 * -ENOBUFS: more output than output_max; -ENOMEM; -ECANCELED. There is no code for cancel
 * to be written.
 *
 * Memory: the caller's for small amounts, blocks from the allocator for what does not fit,
 * until it is gone. Nothing is allocated per operation. An idle connection holds none.
 */
#ifndef TEMPEST_SM_CONNECTION_H
#define TEMPEST_SM_CONNECTION_H

#include "input.h"
#include "output.h"

/** Shared by many connections; must outlive them. All zero is a working default. */
struct tp_connection_options {
    uint32_t size;        /* of this struct; 0: as in version 0.1 */
    uint32_t frame_max;   /* bytes that peek can be asked for; 0: 1 MiB */
    uint32_t share_bytes; /* consumed in a tick; 0: 64 KiB */
    uint32_t output_high; /* input waits above; 0: 256 KiB */
    uint32_t output_max;  /* broken above; 0: 64 MiB */
    uint32_t reserved;
    uint64_t idle_ns;  /* nothing came, nothing went, nothing was owed; 0: no limit */
    uint64_t total_ns; /* from the first tick on; 0: no limit */
    uint64_t close_ns; /* of an orderly close, once nothing is owed; 0: 5 s */
    const bool *stop;  /* set: peek gives 0 when no whole frame is there; NULL: never.
                          Wake the machine after setting it: see listener.h */
    const struct tp_allocator *allocator; /* of blocks; NULL: calloc() and free() */
};

enum tp_connection_phase {
    TP_CONNECTION_NEW,
    TP_CONNECTION_OPEN,
    TP_CONNECTION_CLOSING,
    TP_CONNECTION_CLOSED,
};

/** Embed it; read `error`, `received`, `sent`, `fd`; write `working`; the rest is internal.
 */
struct tp_connection {
    struct tp_fd fd;
    const struct tp_connection_options *options;
    int32_t error;     /* the first; 0 */
    uint8_t phase;     /* enum tp_connection_phase */
    bool ended;        /* the peer has sent all */
    bool blocked;      /* too much output */
    bool pausing;      /* receiving was asked to stop */
    bool output_ended; /* nothing more will be written */
    bool shut;         /* and the peer was told */
    bool send_asked;   /* to stop */
    bool working;    /* the owner says: a request has come, its reply is not written yet */
    bool owing;      /* that, or a reply was held, when it was last looked at */
    uint32_t wanted; /* of the last peek */
    uint32_t peeked; /* bytes that it gave */
    uint32_t consumed; /* in this turn */
    uint32_t scanned;  /* no end of a line is before */
    uint64_t received; /* bytes */
    uint64_t sent;     /* bytes; both stay when it has closed */
    struct tp_op recv_op, send_op, shutdown_op, timer_op;
    struct tp_input input;
    struct tp_output output;
    uint64_t began_ns, active_ns, closing_ns, timer_due_ns;
};

TP_BEGIN_DECLS

/** A connection over an open, connected socket, which is the connection's from now on.
 * `memory` (at least 512 bytes, lent to it until the close) is what it works with: a
 * quarter for input, the rest for output. `options` may be NULL. Nothing happens yet. */
TP_EXPORT void tp_connection_init(struct tp_connection *connection, struct tp_fd fd,
                                  void *memory, uint32_t memory_bytes,
                                  const struct tp_connection_options *options);

/** How many bytes of input there are, at least `len_min` (>= 1), and where: they stay until
 * the next call about input, and to the end of the tick at most. -EAGAIN: not so many yet,
 * or it is not the time; ask again when woken. 0: the peer will send no more, or the
 * service is to stop; fewer than `len_min` bytes are left, if any. -EMSGSIZE: `len_min` is
 * above frame_max (the connection is as it was). Else the connection is broken. While it is
 * being closed: 0, or why it was broken. */
TP_EXPORT int32_t tp_connection_peek(struct tp_ctx *cx, struct tp_connection *connection,
                                     uint32_t len_min, const uint8_t **ret_bytes);

/** The same for a line: its length with its '\n', at most `len_max`. -EMSGSIZE: it is
 * longer.
 */
TP_EXPORT int32_t tp_connection_peek_line(struct tp_ctx *cx,
                                          struct tp_connection *connection,
                                          uint32_t len_max, const uint8_t **ret_bytes);

/** The first `bytes` of what peek() gave are done with. */
TP_EXPORT void tp_connection_consume(struct tp_connection *connection, uint32_t bytes);

/** Appends a copy to the output. 0, -ENOBUFS, -ENOMEM: then the connection is broken, which
 * peek() says too; so this need not be looked at. */
TP_EXPORT int32_t tp_connection_write(struct tp_connection *connection, const void *bytes,
                                      uint32_t len_bytes);

/** The same without the copy: room for up to `bytes`, to be written to and committed before
 * the next call of any function here. NULL: the connection is broken. */
TP_EXPORT uint8_t *tp_connection_reserve(struct tp_connection *connection, uint32_t bytes);
TP_EXPORT void tp_connection_commit(struct tp_connection *connection, uint32_t bytes);

/** The reply that ends here, all that was written since the last call, waits until `until`
 * was reached, and for what is before it; 0: for that only. Call it for each reply, in the
 * tick in which it was written, or not at all. */
static inline void tp_connection_hold(struct tp_connection *connection, uint64_t until)
{
    tp_output_hold(&connection->output, until);
}

/** What waits for numbers up to `reached` may leave; it does in this tick's end, or in that
 * of the machine's next one: wake it when another machine calls. Whether anything was held.
 */
static inline bool tp_connection_release(struct tp_connection *connection, uint64_t reached)
{
    return tp_output_release(&connection->output, reached);
}

/** What the first held reply waits for; 0: nothing is held. */
static inline uint64_t tp_connection_held(const struct tp_connection *connection)
{
    return tp_output_held(&connection->output);
}

/** Drops what is held and everything behind it. How many replies that was, as
 * tp_connection_hold() counts them: as many others are due, and may be written at once,
 * even if the output was to end or the connection is being closed. */
static inline uint32_t tp_connection_discard_held(struct tp_connection *connection)
{
    return tp_output_discard_held(&connection->output);
}

/** Bytes of output that wait, held ones included. */
static inline uint64_t tp_connection_pending(const struct tp_connection *connection)
{
    return tp_output_len(&connection->output);
}

/** Bytes of input that are received and not consumed. */
static inline uint32_t tp_connection_buffered(const struct tp_connection *connection)
{
    return tp_input_len(&connection->input);
}

/** Ends a tick in which the machine stops looking at input before peek() gave -EAGAIN:
 * claims what has come, sends what may leave. */
TP_EXPORT void tp_connection_settle(struct tp_ctx *cx, struct tp_connection *connection);

/** Ends this side's output when it is sent: the peer reads its end. Input goes on. */
TP_EXPORT void tp_connection_end_output(struct tp_connection *connection);

/** Breaks it with `error` (negative), unless it is broken; what was not sent is not sent
 * any more. Go on with close(). */
TP_EXPORT void tp_connection_abort(struct tp_connection *connection, int32_t error);

/** Closes; call it until it is true, in every tick. Held output is waited for: go on
 * releasing. Then nothing of it is in flight, no memory is held, the fd is closed. */
TP_EXPORT bool tp_connection_close(struct tp_ctx *cx, struct tp_connection *connection);

/** Gives the blocks back that a connection has when its scheduler has crashed; a closed one
 * has none. */
TP_EXPORT void tp_connection_deinit(struct tp_connection *connection);

TP_END_DECLS

#endif
