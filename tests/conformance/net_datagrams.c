/* Datagrams: one send is one receive, whole; who has sent it; what is dropped. */
#include "net.h"

enum { PLENTY = 70000 /* bytes: more than any datagram has */ };

static const uint16_t needed[] = {TP_BIND, TP_SEND_TO, TP_RECV_FROM, TP_SOCKET_ADDRESS};

static bool no_datagrams(struct conformance *c)
{
    struct tp_address address;

    if (lacks_one_of(c, needed, sizeof needed / sizeof needed[0]))
        return true;
    address = here(c);
    return c->variant == OVER_IPV6 &&
           no_ipv6(c, run(c, tp_request_bind(&address, plain())));
}

/* ------------------------------------------------------------------ what they share */

/* Binds, expecting success; `*address` becomes where it is. */
static struct tp_fd bind_with(struct conformance *c, struct tp_address *address,
                              struct tp_socket_options options)
{
    struct tp_fd fd = fd_of(c, run(c, tp_request_bind(address, options)));

    if (tp_fd_is_some(fd)) {
        EXPECT(c, run(c, tp_request_local_address(fd, address)), 0);
        EXPECT_THAT(c, address->port != 0);
    }
    return fd;
}

struct socket {
    struct tp_fd fd;
    struct tp_address address;
};

/* Two sockets on the loopback. False: the program is skipped. */
static bool open_both(struct conformance *c, struct socket *ret_a, struct socket *ret_b)
{
    if (no_datagrams(c))
        return false;
    ret_a->address = ret_b->address = here(c);
    ret_a->fd = bind_with(c, &ret_a->address, plain());
    ret_b->fd = bind_with(c, &ret_b->address, plain());
    EXPECT_THAT(c, ret_a->address.port != ret_b->address.port);
    return true;
}

static void close_both(struct conformance *c, struct socket *a, struct socket *b)
{
    close_end(c, &a->fd);
    close_end(c, &b->fd);
}

static int32_t send_bytes(struct conformance *c, struct tp_fd fd, const void *bytes,
                          uint32_t len, const struct tp_address *to)
{
    struct tp_buf buf = tp_buf_full(bytes, len);

    return run(c, tp_request_send_to(fd, &buf, to));
}

static void send_message(struct conformance *c, struct tp_fd fd, const char *text,
                         const struct tp_address *to)
{
    EXPECT(c, send_bytes(c, fd, text, (uint32_t)strlen(text), to), (int32_t)strlen(text));
}

/* Receives one, expecting that, from there, and cut or not. */
static void recv_message(struct conformance *c, struct tp_fd fd, const char *text,
                         uint32_t capacity, uint32_t flags, const struct tp_address *from)
{
    uint8_t memory[64];
    struct tp_buf buf = tp_buf_empty(memory, capacity);
    struct tp_datagram datagram;

    tp_assert(capacity <= sizeof memory);
    memset(&datagram, 0, sizeof datagram);
    EXPECT(c, run(c, tp_request_recv_from(fd, &buf, &datagram)), (int32_t)strlen(text));
    EXPECT_THAT(c, memcmp(memory, text, strlen(text)) == 0);
    EXPECT_THAT(c, datagram.flags == flags);
    EXPECT_THAT(c, tp_address_equal(&datagram.from, from));
}

/* A receive that waits, and what it is lent. */
struct receipt {
    uint8_t memory[16];
    struct tp_buf buf;
    struct tp_datagram datagram;
    uint64_t handle;
};

/* Begins so many, which wait. */
static void begin_receipts(struct conformance *c, struct tp_fd fd, struct receipt *receipts,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct receipt *at = &receipts[i];

        at->buf = tp_buf_empty(at->memory, sizeof at->memory);
        at->handle = submit(c, tp_request_recv_from(fd, &at->buf, &at->datagram));
    }
    EXPECT_THAT(c, waits(c, receipts[count - 1].handle));
}

/* ------------------------------------------------------------------ whole */

static void net_datagram_is_whole(struct conformance *c)
{
    static const uint32_t lens[] = {1, 0, 1000, 1472, 1473, 9000, 30000, 0, 7};
    uint8_t *out = take(c, PLENTY), *in = take(c, PLENTY);
    struct tp_buf buf = tp_buf_empty(in, PLENTY);
    struct tp_datagram datagram;
    struct socket a, b;

    if (open_both(c, &a, &b)) {
        for (uint32_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
            pattern_fill(out, lens[i], i);
            EXPECT(c, send_bytes(c, a.fd, out, lens[i], &b.address), (int32_t)lens[i]);
        }
        for (uint32_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
            EXPECT(c, run(c, tp_request_recv_from(b.fd, &buf, &datagram)),
                   (int32_t)lens[i]);
            EXPECT_THAT(c, pattern_is(in, lens[i], i));
            EXPECT_THAT(c, datagram.flags == 0);
            EXPECT_THAT(c, tp_address_equal(&datagram.from, &a.address));
        }
        close_both(c, &a, &b);
    }
    drop(c, out, PLENTY);
    drop(c, in, PLENTY);
}

static void net_datagram_as_long_as_can_be(struct conformance *c)
{
    const uint32_t len = c->variant == OVER_IPV4 ? 65507 : 65527;
    uint8_t *out = take(c, PLENTY), *in = take(c, PLENTY);
    struct tp_buf buf = tp_buf_empty(in, PLENTY);
    struct tp_address elsewhere = tp_address_ipv4(192, 0, 2, 1, 9);
    struct tp_datagram datagram;
    struct socket a, b;

    if (open_both(c, &a, &b)) {
        pattern_fill(out, len, 3);
        if (c->variant == OVER_IPV4) /* whatever else is wrong with it */
            EXPECT(c, send_bytes(c, a.fd, out, PLENTY, &elsewhere), -EMSGSIZE);
        EXPECT(c, send_bytes(c, a.fd, out, len + 1, &b.address), -EMSGSIZE);
        EXPECT(c, send_bytes(c, a.fd, out, PLENTY, &b.address), -EMSGSIZE);
        EXPECT(c, send_bytes(c, a.fd, out, len, &b.address), (int32_t)len);
        EXPECT(c, run(c, tp_request_recv_from(b.fd, &buf, &datagram)), (int32_t)len);
        EXPECT_THAT(c, pattern_is(in, len, 3) && datagram.flags == 0);
        close_both(c, &a, &b);
    }
    drop(c, out, PLENTY);
    drop(c, in, PLENTY);
}

/* What does not fit is gone, and the next one is whole again. */
static void net_datagram_cut(struct conformance *c)
{
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    for (uint32_t i = 0; i < 5; i++)
        send_message(c, a.fd, "0123456789", &b.address);
    EXPECT(c, send_bytes(c, a.fd, NULL, 0, &b.address), 0);
    recv_message(c, b.fd, "0123", 4, TP_TRUNCATED, &a.address);
    recv_message(c, b.fd, "012345678", 9, TP_TRUNCATED, &a.address);
    recv_message(c, b.fd, "0123456789", 10, 0, &a.address);
    recv_message(c, b.fd, "", 0, TP_TRUNCATED, &a.address);
    recv_message(c, b.fd, "0123456789", 64, 0, &a.address);
    recv_message(c, b.fd, "", 0, 0, &a.address);
    close_both(c, &a, &b);
}

static void net_datagram_answered(struct conformance *c)
{
    struct receipt receipt;
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    begin_receipts(c, b.fd, &receipt, 1);
    send_message(c, a.fd, "ask", &b.address);
    EXPECT(c, await(c, receipt.handle), 3);
    EXPECT_THAT(c, memcmp(receipt.memory, "ask", 3) == 0);
    send_message(c, b.fd, "answer", &receipt.datagram.from);
    recv_message(c, a.fd, "answer", 64, 0, &b.address);
    send_message(c, a.fd, "to myself", &a.address);
    recv_message(c, a.fd, "to myself", 64, 0, &a.address);
    close_both(c, &a, &b);
}

/* The address that stands for every interface is this machine, to whoever sends there. */
static void net_datagram_to_any(struct conformance *c)
{
    struct tp_address any = tp_address_any(0);
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    if (c->variant == OVER_IPV4)
        any = tp_address_ipv4(0, 0, 0, 0, 0);
    any.port = b.address.port;
    send_message(c, a.fd, "here", &any);
    recv_message(c, b.fd, "here", 64, 0, &a.address);
    close_both(c, &a, &b);
}

/* ------------------------------------------------------------------ many */

/* The memory may be used for something else as soon as the send is claimed. */
static void net_datagrams_from_one_memory(struct conformance *c)
{
    enum { COUNT = 50 };
    uint8_t byte = 0, got = 0;
    struct tp_buf out = tp_buf_full(&byte, 1), in = tp_buf_empty(&got, 1);
    struct tp_datagram datagram;
    struct tp_address to;
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint64_t handle;

        byte = (uint8_t)i;
        to = b.address;
        handle = submit(c, tp_request_send_to(a.fd, &out, &to));
        memset(&to, 0xff, sizeof to); /* was copied */
        EXPECT(c, await(c, handle), 1);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        EXPECT(c, run(c, tp_request_recv_from(b.fd, &in, &datagram)), 1);
        EXPECT_THAT(c, got == i);
    }
    close_both(c, &a, &b);
}

/* Several that wait: each datagram comes to one of them. */
static void net_datagrams_to_several(struct conformance *c)
{
    enum { COUNT = 4 };
    struct receipt receipts[COUNT];
    uint32_t seen = 0;
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    begin_receipts(c, b.fd, receipts, COUNT);
    send_message(c, a.fd, "a", &b.address);
    send_message(c, a.fd, "b", &b.address);
    send_message(c, a.fd, "c", &b.address);
    send_message(c, a.fd, "d", &b.address);
    for (uint32_t i = 0; i < COUNT; i++) {
        EXPECT(c, await(c, receipts[i].handle), 1);
        EXPECT_THAT(c, tp_address_equal(&receipts[i].datagram.from, &a.address));
        seen |= 1U << (receipts[i].memory[0] - 'a');
    }
    EXPECT_THAT(c, seen == 0xf);
    close_both(c, &a, &b);
}

/* A receive buffer has an end. What it holds is what was sent first. */
static void net_datagrams_past_a_full_buffer(struct conformance *c)
{
    enum { COUNT = 100, LEN = 1000 };
    struct tp_socket_options options = plain();
    uint8_t memory[LEN];
    struct tp_buf buf = tp_buf_empty(memory, LEN);
    struct tp_datagram datagram;
    struct tp_address address = here(c);
    struct tp_fd full;
    uint32_t got = 0;
    uint64_t handle;
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    options.recv_buffer_bytes = 8192;
    full = bind_with(c, &address, options);
    for (uint32_t i = 0; i < COUNT; i++) {
        pattern_fill(memory, LEN, i);
        EXPECT(c, send_bytes(c, a.fd, memory, LEN, &address), LEN);
    }
    let_arrive(c);
    send_message(c, a.fd, "last", &b.address);
    recv_message(c, b.fd, "last", 64, 0, &a.address);
    for (;;) {
        handle = submit(c, tp_request_recv_from(full, &buf, &datagram));
        let_arrive(c);
        EXPECT(c, run(c, tp_request_cancel(handle)), 0, -ENOENT);
        if (await(c, handle) != LEN)
            break;
        EXPECT_THAT(c, pattern_is(memory, LEN, got));
        got++;
    }
    EXPECT_THAT(c, got > 0 && got < COUNT);
    send_message(c, a.fd, "room again", &address);
    recv_message(c, full, "room again", 64, 0, &a.address);
    close_end(c, &full);
    close_both(c, &a, &b);
}

/* ------------------------------------------------------------------ bind */

/* A port that is ours for one thing may be another program's for the next one, which runs
 * beside this: then it is asked for again, so often at most. */
enum { TRIES = 8 };

/* Streams have ports of their own: a datagram socket takes that of a listener. */
static void bind_beside_a_listener(struct conformance *c)
{
    int32_t value = -EADDRINUSE;

    for (uint32_t i = 0; i < TRIES && value == -EADDRINUSE; i++) {
        struct tp_address address = here(c);
        struct tp_fd listener = listen_at(c, &address);

        value = run(c, tp_request_bind(&address, plain()));
        close_end(c, &listener);
    }
    close_file(c, fd_of(c, value));
}

static void net_bind_in_use(struct conformance *c)
{
    struct tp_socket_options shared = plain();
    struct tp_fd others[2];
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    EXPECT(c, run(c, tp_request_bind(&a.address, plain())), -EADDRINUSE);
    shared.reuse_port = true; /* a.fd does not share */
    EXPECT(c, run(c, tp_request_bind(&a.address, shared)), -EADDRINUSE);
    if (!lacks(c, TP_LISTEN))
        bind_beside_a_listener(c);
    b.address.port = 0;
    for (uint32_t i = 0; i < 2; i++)
        others[i] = bind_with(c, &b.address, shared);
    close_end(c, &others[0]);
    close_end(c, &others[1]);
    close_end(c, &a.fd);
    a.fd = bind_with(c, &a.address, plain()); /* free again at once */
    close_both(c, &a, &b);
}

static void net_bind_elsewhere(struct conformance *c)
{
    struct tp_address address = tp_address_ipv4(192, 0, 2, 1, 0);

    if (no_datagrams(c))
        return;
    EXPECT(c, run(c, tp_request_bind(&address, plain())), -EADDRNOTAVAIL);
    address.family = TP_ADDRESS_UNIX;
    memcpy(address.at.path, "/s", sizeof "/s");
    EXPECT(c, run(c, tp_request_bind(&address, plain())), -EAFNOSUPPORT);
    address.family = 77;
    EXPECT(c, run(c, tp_request_bind(&address, plain())), -EAFNOSUPPORT);
    EXPECT(c, run(c, tp_request_bind(NULL, plain())), -EFAULT);
}

/* What came for the one that had the port before is not for the next one. */
static void net_bind_begins_empty(struct conformance *c)
{
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    send_message(c, a.fd, "old", &b.address);
    let_arrive(c);
    close_end(c, &b.fd);
    b.fd = bind_with(c, &b.address, plain());
    send_message(c, a.fd, "new", &b.address);
    recv_message(c, b.fd, "new", 64, 0, &a.address);
    close_both(c, &a, &b);
}

/* One of IPv4, and at the same port one of every interface, but of IPv6 alone. */
static void bind_apart(struct conformance *c, struct socket *ret_four,
                       struct socket *ret_six)
{
    struct tp_socket_options v6_only = plain();
    int32_t value = -EADDRINUSE;

    v6_only.v6_only = true;
    for (uint32_t i = 0; i < TRIES && value == -EADDRINUSE; i++) {
        if (i > 0)
            close_end(c, &ret_four->fd);
        ret_four->address = tp_address_ipv4(127, 0, 0, 1, 0);
        ret_four->fd = bind_with(c, &ret_four->address, plain());
        ret_six->address = tp_address_any(ret_four->address.port);
        value = run(c, tp_request_bind(&ret_six->address, v6_only));
    }
    ret_six->fd = fd_of(c, value);
}

/* Every interface, both families; and IPv6 alone. */
static void net_bind_any(struct conformance *c)
{
    struct tp_address any = tp_address_any(0), to = tp_address_ipv4(127, 0, 0, 1, 0);
    struct socket a, b, four, six;
    struct tp_fd both;

    if (!open_both(c, &a, &b)) /* over IPv6, or it is skipped */
        return;
    both = bind_with(c, &any, plain());
    bind_apart(c, &four, &six);
    to.port = any.port;
    send_message(c, four.fd, "four", &to);
    recv_message(c, both, "four", 64, 0, &four.address);
    a.address.port = any.port;
    send_message(c, b.fd, "six", &a.address);
    recv_message(c, both, "six", 64, 0, &b.address);
    send_message(c, both, "back", &four.address);
    recv_message(c, four.fd, "back", 64, 0, &to); /* which the other does not hear */
    a.address.port = six.address.port;
    send_message(c, b.fd, "only", &a.address);
    recv_message(c, six.fd, "only", 64, 0, &b.address);
    EXPECT(c, send_bytes(c, six.fd, "x", 1, &four.address), -ENETUNREACH);
    EXPECT(c, send_bytes(c, b.fd, "x", 1, &four.address), -ENETUNREACH);
    EXPECT(c, send_bytes(c, four.fd, "x", 1, &b.address), -EAFNOSUPPORT);
    close_end(c, &both);
    close_end(c, &six.fd);
    close_end(c, &four.fd);
    close_both(c, &a, &b);
}

/* ------------------------------------------------------------------ nobody, cancel, close
 */

/* A port that was free just now could be another program's next: that of the service which
 * discards what it is sent is given to nobody who asks for any. */
static void net_datagram_that_nobody_hears(struct conformance *c)
{
    struct tp_address nobody;
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    nobody = b.address;
    nobody.port = 9;
    for (uint32_t i = 0; i < 3; i++) {
        send_message(c, a.fd, "hello?", &nobody);
        let_arrive(c); /* what comes back for it is not ours to hear */
    }
    send_message(c, a.fd, "still here", &a.address);
    recv_message(c, a.fd, "still here", 64, 0, &a.address);
    close_both(c, &a, &b);
}

static void net_recv_from_cancelled(struct conformance *c)
{
    struct receipt receipt;
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    begin_receipts(c, b.fd, &receipt, 1);
    EXPECT(c, run(c, tp_request_cancel(receipt.handle)), 0);
    EXPECT(c, await(c, receipt.handle), -ECANCELED);
    EXPECT(c, run(c, tp_request_cancel(receipt.handle)), -ENOENT);
    send_message(c, a.fd, "kept", &b.address);
    recv_message(c, b.fd, "kept", 64, 0, &a.address);
    close_both(c, &a, &b);
}

static void net_recv_from_whose_socket_is_closed(struct conformance *c)
{
    struct receipt receipts[2];
    struct socket a, b;
    struct tp_fd stale;

    if (!open_both(c, &a, &b))
        return;
    begin_receipts(c, b.fd, receipts, 2);
    stale = b.fd;
    close_end(c, &b.fd);
    for (uint32_t i = 0; i < 2; i++)
        EXPECT(c, await(c, receipts[i].handle), -ECANCELED);
    EXPECT(c, run(c, tp_request_recv_from(stale, &receipts[0].buf, &receipts[0].datagram)),
           -EBADF);
    EXPECT(c, send_bytes(c, stale, "x", 1, &a.address), -EBADF);
    close_both(c, &a, &b);
}

/* ------------------------------------------------------------------ what does not go
 * together */

static void net_datagram_arguments(struct conformance *c)
{
    uint8_t byte;
    struct tp_buf buf = tp_buf_empty(&byte, 1), none = tp_buf_empty(NULL, 1);
    struct tp_address path = {.family = TP_ADDRESS_UNIX, .at.path = "/s"};
    struct tp_datagram datagram;
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    EXPECT(c, send_bytes(c, a.fd, "x", 1, NULL), -EFAULT);
    EXPECT(c, send_bytes(c, a.fd, "x", 1, &path), -EAFNOSUPPORT);
    EXPECT(c, send_bytes(c, a.fd, NULL, 1, &b.address), -EFAULT);
    EXPECT(c, run(c, tp_request_recv_from(a.fd, &buf, NULL)), -EFAULT);
    EXPECT(c, run(c, tp_request_recv_from(a.fd, &none, &datagram)), -EFAULT);
    path = b.address;
    path.port = 0;
    EXPECT(c, send_bytes(c, a.fd, "x", 1, &path), -EINVAL);
    close_both(c, &a, &b);
}

/* What belongs to streams, of a socket for datagrams. */
static void net_datagrams_are_no_stream(struct conformance *c)
{
    uint8_t byte;
    struct tp_buf in = tp_buf_empty(&byte, 1), none = tp_buf_empty(&byte, 0);
    struct tp_buf out = tp_buf_full("x", 1);
    struct tp_address peer;
    struct tp_statx statx;
    struct socket a, b;

    if (!open_both(c, &a, &b))
        return;
    send_message(c, b.fd, "unharmed", &a.address);
    EXPECT(c, run(c, tp_request_recv(a.fd, &in)), -EOPNOTSUPP);
    EXPECT(c, run(c, tp_request_recv(a.fd, &none)), -EOPNOTSUPP);
    EXPECT(c, run(c, tp_request_send(a.fd, &out)), -EOPNOTSUPP);
    EXPECT(c, run(c, tp_request_send(a.fd, &none)), -EOPNOTSUPP);
    EXPECT(c, run(c, tp_request_send_bufs(a.fd, &out, 1)), -EOPNOTSUPP);
    EXPECT(c, run(c, tp_request_accept(a.fd)), -EOPNOTSUPP);
    EXPECT(c, shots_end(c, submit(c, tp_request_accept_many(a.fd))), -EOPNOTSUPP);
    EXPECT(c, shots_end(c, submit(c, tp_request_recv_many(a.fd))), -EOPNOTSUPP);
    EXPECT(c, run(c, tp_request_shutdown(a.fd, TP_SHUT_READ | TP_SHUT_WRITE)), -ENOTCONN);
    EXPECT(c, run(c, tp_request_peer_address(a.fd, &peer)), -ENOTCONN);
    EXPECT(c, run(c, tp_request_set_socket(a.fd, plain())), 0);
    EXPECT(c, run(c, tp_request_read_at(a.fd, &in, 0)), -ESPIPE);
    EXPECT(c, run(c, tp_request_write_at(a.fd, &out, 0)), -ESPIPE);
    EXPECT(c, run(c, tp_request_fsync(a.fd, 0)), -EINVAL);
    EXPECT(c, run(c, tp_request_fstat(a.fd, &statx)), 0);
    EXPECT_THAT(c, statx.kind == TP_FILE_OTHER);
    recv_message(c, a.fd, "unharmed", 64, 0, &b.address);
    close_both(c, &a, &b);
}

/* And the other way round. */
static void net_stream_takes_no_datagrams(struct conformance *c)
{
    uint8_t byte;
    struct tp_buf in = tp_buf_empty(&byte, 1);
    struct tp_address to = tp_address_ipv4(127, 0, 0, 1, 9);
    struct tp_datagram datagram;
    struct tp_fd file;
    struct ends ends;

    if (no_datagrams(c) || !open_ends(c, &ends))
        return;
    file = open_file(c, at(c, "file"), "rwc");
    EXPECT(c, send_bytes(c, ends.a, "x", 1, &to), -EOPNOTSUPP);
    EXPECT(c, send_bytes(c, ends.listener, "x", 1, &to), -EOPNOTSUPP);
    EXPECT(c, send_bytes(c, file, "x", 1, &to), -ENOTSOCK);
    EXPECT(c, run(c, tp_request_recv_from(ends.b, &in, &datagram)), -EOPNOTSUPP);
    EXPECT(c, run(c, tp_request_recv_from(ends.listener, &in, &datagram)), -EOPNOTSUPP);
    EXPECT(c, run(c, tp_request_recv_from(file, &in, &datagram)), -ENOTSOCK);
    send_text(c, ends.a, "unharmed");
    recv_text(c, ends.b, "unharmed");
    close_file(c, file);
    close_ends(c, &ends);
}

const struct conformance_program conformance_net_datagrams[] = {
    OVER_TCP(net_datagram_is_whole),
    OVER_TCP(net_datagram_as_long_as_can_be),
    OVER_TCP(net_datagram_cut),
    OVER_TCP(net_datagram_answered),
    OVER_TCP(net_datagram_to_any),
    OVER_TCP(net_datagrams_from_one_memory),
    OVER_TCP(net_datagrams_to_several),
    OVER_TCP(net_datagrams_past_a_full_buffer),
    OVER_TCP(net_bind_in_use),
    OVER_TCP(net_bind_begins_empty),
    VARIANT(net_bind_elsewhere, "ipv4", OVER_IPV4),
    VARIANT(net_bind_any, "ipv6", OVER_IPV6),
    OVER_TCP(net_datagram_that_nobody_hears),
    OVER_TCP(net_recv_from_cancelled),
    OVER_TCP(net_recv_from_whose_socket_is_closed),
    OVER_TCP(net_datagram_arguments),
    OVER_TCP(net_datagrams_are_no_stream),
    OVER_TCP(net_stream_takes_no_datagrams),
    {0},
};
