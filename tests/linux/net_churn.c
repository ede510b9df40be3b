/** tests/linux/net_churn.c - connections that come and go, so that each number is many
 * connections one after the other. Every connection has bytes of its own: one that arrives
 * where it does not belong, or a completion of what has ended, fails the test. */
#include <errno.h>
#include <string.h>

#include "tests/linux/net_support.h"

enum { ENDS = 64, ID_BYTES = 8, SHORT_BYTES = 64 * ID_BYTES, LONG_BYTES = 128 << 10 };
enum { ACCEPTOR = 1 };
enum what { CONNECT, RECV, SEND, CLOSE, WHATS };

/* One end of a connection: of a client, or one that was accepted. */
struct end {
    struct tp_fd fd;
    uint64_t handles[WHATS]; /* of what is in flight; 0: nothing */
    uint64_t id;       /* of the connection; 0: an accepted end does not know it yet */
    uint64_t received; /* bytes */
    bool is_client, is_open;
    uint32_t patience; /* rounds until a client closes */
    struct tp_buf out;
};

static struct churn {
    struct tp_io *io;
    struct tp_fd listener;
    struct tp_address address;
    struct end ends[2 * ENDS]; /* clients, then the accepted */
    uint8_t *bytes[2 * ENDS];  /* what they send */
    uint64_t random, handles, ids, closed, id_mismatches;
    uint32_t family;
    bool stops, ended;
} churn;

static uint32_t draw(uint32_t below)
{
    churn.random = churn.random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(churn.random >> 33) % below;
}

/* A handle never comes twice; its low bits say whose it is, and what. */
static uint64_t begin(struct end *end, enum what what)
{
    const uint64_t index = (uint64_t)(end - churn.ends);

    cr_assert(zero(u64, end->handles[what]));
    end->handles[what] = ++churn.handles << 16 | index << 4 | (uint64_t)what;
    return end->handles[what];
}

static void send_id(struct end *end)
{
    uint8_t *bytes = churn.bytes[end - churn.ends];
    const uint32_t len = draw(4) == 0 ? LONG_BYTES : SHORT_BYTES;

    for (uint32_t at = 0; at < len; at += ID_BYTES)
        memcpy(bytes + at, &end->id, ID_BYTES);
    end->out = tp_buf_full(bytes, len);
    tp_io_send(churn.io, begin(end, SEND), end->fd, &end->out);
}

static void start_client(struct end *end)
{
    const struct tp_socket_options options = {.no_delay = draw(4) == 0};

    end->id = ++churn.ids;
    end->received = 0;
    end->patience = draw(6);
    tp_io_connect(churn.io, begin(end, CONNECT), &churn.address, options);
}

static void use(struct end *end, int32_t value)
{
    end->fd = tp_io_into_fd(churn.io, value);
    end->is_open = true;
    if (draw(8) != 0) /* some do not read, so that the other's sends wait */
        tp_io_recv_many(churn.io, begin(end, RECV), end->fd);
    if (end->id != 0)
        send_id(end);
}

static void close_end(struct end *end)
{
    cr_assert(end->is_open);
    end->is_open = false;
    tp_io_close(churn.io, begin(end, CLOSE), end->fd);
}

static void accept_one(int32_t value)
{
    struct end *end = &churn.ends[ENDS];

    if (value == -ECANCELED && churn.ended)
        return;
    cr_assert(value >= 0, "%s", tp_errno_name(value));
    while (end < &churn.ends[(size_t)2 * ENDS] &&
           (end->is_open || end->handles[CLOSE] != 0 || end->handles[RECV] != 0 ||
            end->handles[SEND] != 0))
        end++;
    if (end == &churn.ends[(size_t)2 * ENDS]) { /* nobody is there to take it */
        struct tp_request request = tp_request_close(tp_io_into_fd(churn.io, value));

        request.handle = ++churn.handles << 16 | 0xffff;
        tp_io_submit(churn.io, &request);
        return;
    }
    end->id = 0;
    end->received = 0;
    end->patience = 50;
    use(end, value);
}

/* Each byte is the one that the connection's id has there. */
static void check_bytes(struct end *end, const struct tp_buf *buf)
{
    for (uint32_t i = 0; i < buf->len; i++) {
        const uint32_t at = (uint32_t)(end->received++ % ID_BYTES);
        const uint8_t byte = buf->data[i];

        if (end->received <= ID_BYTES && !end->is_client)
            end->id |= (uint64_t)byte << (8 * at);
        else if (byte != (uint8_t)(end->id >> (8 * at)))
            churn.id_mismatches++;
    }
    cr_assert(zero(u64, churn.id_mismatches), "bytes of another connection");
}

static void received(struct end *end, const struct tp_completion *completion)
{
    struct tp_buf *buf = tp_io_recv_buf(churn.io, completion);

    if (buf == NULL) {
        end->handles[RECV] = 0;
        if (end->is_open)
            close_end(end);
        return;
    }
    check_bytes(end, buf);
    tp_io_give_back(churn.io, buf);
    if (!end->is_client && end->is_open && end->received >= ID_BYTES &&
        end->handles[SEND] == 0)
        send_id(end);
}

static void deliver(const struct tp_completion *completion)
{
    const uint32_t what = (uint32_t)(completion->handle & 15);
    struct end *end;

    if ((completion->handle & 0xffff) == 0xffff)
        return;
    tp_assert((completion->handle >> 4 & 0xfff) < (uint64_t)2 * ENDS);
    end = &churn.ends[completion->handle >> 4 & 0xfff];
    cr_assert(eq(u64, completion->handle, end->handles[what]), "of what has ended");
    if ((completion->flags & TP_MORE) == 0)
        end->handles[what] = 0;
    if (what == CONNECT && completion->value >= 0)
        use(end, completion->value);
    else if (what == CONNECT)
        cr_assert(churn.family == NET_UNIX && completion->value == -EAGAIN);
    else if (what == RECV)
        received(end, completion);
    else if (what == CLOSE)
        churn.closed++;
}

static void deliver_all(void)
{
    struct tp_completions *list = tp_io_completions(churn.io);
    struct tp_completion completion;

    for (uint32_t i = 0; i < list->count; i++) {
        const uint64_t handle = list->items[i].handle;

        if (handle == 0)
            continue;
        cr_assert(tp_io_get_cqe(churn.io, handle, &completion));
        if (handle == ACCEPTOR)
            accept_one(completion.value);
        else
            deliver(&completion);
    }
}

static bool is_idle(const struct end *end)
{
    for (uint32_t what = 0; what < WHATS; what++) {
        if (end->handles[what] != 0)
            return false;
    }
    return !end->is_open;
}

/* Closes who has lost patience, with whatever is pending; starts others. */
static void turn(void)
{
    for (uint32_t i = 0; i < 2 * ENDS; i++) {
        struct end *end = &churn.ends[i];

        if (end->is_open && end->patience-- == 0)
            close_end(end);
        else if (end->is_client && !churn.stops && is_idle(end))
            start_client(end);
    }
}

static bool is_quiet(void)
{
    for (uint32_t i = 0; i < 2 * ENDS; i++) {
        if (!is_idle(&churn.ends[i]))
            return false;
    }
    return true;
}

static void close_listener(void)
{
    struct tp_request request = tp_request_close(churn.listener);

    request.handle = ++churn.handles << 16 | 0xffff;
    churn.ended = true;
    tp_io_submit(churn.io, &request);
}

static void run_churn(uint32_t features_off, uint32_t family, uint64_t connections)
{
    const struct tp_linux_io_config config = {
        .features_off = features_off, .recv_buf_count = 16, .recv_buf_size = 4096};
    const struct tp_socket_options small = {.recv_buffer_bytes = 8192,
                                            .send_buffer_bytes = 8192};
    uint8_t *bytes[2 * ENDS];
    uint32_t fds;

    memcpy(bytes, churn.bytes, sizeof bytes);
    memset(&churn, 0, sizeof churn);
    memcpy(churn.bytes, bytes, sizeof bytes);
    churn.io = make_io(&config);
    churn.family = family;
    churn.random = 4711 + features_off;
    churn.handles = ACCEPTOR;
    churn.address = net_address(family);
    churn.listener = net_fd(churn.io, tp_request_listen(&churn.address, small));
    cr_assert(zero(
        i32, net_run(churn.io, tp_request_local_address(churn.listener, &churn.address))));
    fds = count_fds_of(churn.io);
    for (uint32_t i = 0; i < ENDS; i++)
        churn.ends[i].is_client = true;
    tp_io_accept_many(churn.io, ACCEPTOR, churn.listener);
    for (uint32_t rounds = 0; tp_io_in_flight(churn.io) > 0; rounds++) {
        cr_assert(lt(u32, rounds, 1000000));
        churn.stops = churn.closed >= connections;
        if (churn.stops && !churn.ended && is_quiet())
            close_listener();
        turn();
        tp_io_park(churn.io, tp_io_now_ns(churn.io) + 100000);
        deliver_all();
    }
    cr_assert(eq(u32, count_fds(), fds - 1), "a connection is open that nobody has");
    if (family == NET_UNIX)
        cr_assert(zero(i32, net_run(churn.io, tp_request_remove(churn.address.at.path))));
    tp_io_destroy(churn.io);
}

static void make_bytes(void)
{
    static uint8_t memory[2 * ENDS][LONG_BYTES];

    for (uint32_t i = 0; i < 2 * ENDS; i++)
        churn.bytes[i] = memory[i];
}

Test(net_churn, no_connection_hears_of_another)
{
    make_bytes();
    for (uint32_t mask = 0; mask < NET_MASKS; mask++)
        run_churn(net_masks[mask], NET_IPV4, 2000);
}

Test(net_churn, nor_does_one_to_a_path)
{
    make_bytes();
    run_churn(0, NET_UNIX, 2000);
    run_churn(UINT32_MAX, NET_UNIX, 2000);
}
