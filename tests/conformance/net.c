#include "net.h"

#include <stdio.h>

/* ------------------------------------------------------------------ life */

/* Multishots say by themselves that they are lacking. */
static const uint16_t needed[] = {TP_LISTEN,   TP_CONNECT,    TP_ACCEPT,
                                  TP_RECV,     TP_SEND,       TP_SEND_BUFS,
                                  TP_SHUTDOWN, TP_SET_SOCKET, TP_SOCKET_ADDRESS};

struct tp_socket_options plain(void)
{
    struct tp_socket_options options;

    memset(&options, 0, sizeof options);
    return options;
}

bool no_ipv6(struct conformance *c, int32_t made)
{
    if (made >= 0)
        close_file(c, tp_io_into_fd(c->io, made));
    else if (made == -EAFNOSUPPORT || made == -EADDRNOTAVAIL)
        c->skipped = "IPv6";
    return c->skipped != NULL;
}

bool lacks_one_of(struct conformance *c, const uint16_t *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lacks(c, kinds[i]))
            return true;
    }
    return false;
}

bool no_net(struct conformance *c)
{
    struct tp_address address;

    if (lacks_one_of(c, needed, sizeof needed / sizeof needed[0]))
        return true;
    address = here(c);
    return c->variant == OVER_IPV6 &&
           no_ipv6(c, run(c, tp_request_listen(&address, plain())));
}

struct tp_address path_address(struct conformance *c, const char *name)
{
    struct tp_address address;
    int len;

    memset(&address, 0, sizeof address);
    address.family = TP_ADDRESS_UNIX;
    len = snprintf(address.at.path, sizeof address.at.path, "%s/%s", c->near, name);
    tp_assert(len > 0 && (size_t)len < sizeof address.at.path);
    return address;
}

struct tp_address here(struct conformance *c)
{
    struct tp_address address = tp_address_ipv4(127, 0, 0, 1, 0);

    if (c->variant == OVER_UNIX)
        return path_address(c, "s");
    if (c->variant == OVER_IPV6) {
        address = tp_address_any(0);
        address.at.ipv6[15] = 1;
    }
    return address;
}

struct tp_fd fd_of(struct conformance *c, int32_t value)
{
    if (value >= 0)
        return tp_io_into_fd(c->io, value);
    fail(c, __FILE__, __LINE__, "expected a fd, came %s", tp_errno_name(value));
    return tp_fd_none();
}

static struct tp_fd listen_with(struct conformance *c, struct tp_address *address,
                                struct tp_socket_options options)
{
    struct tp_fd fd = fd_of(c, run(c, tp_request_listen(address, options)));

    if (tp_fd_is_some(fd))
        EXPECT(c, run(c, tp_request_local_address(fd, address)), 0);
    return fd;
}

struct tp_fd listen_at(struct conformance *c, struct tp_address *address)
{
    return listen_with(c, address, plain());
}

struct tp_fd connect_to(struct conformance *c, const struct tp_address *address)
{
    return fd_of(c, run(c, tp_request_connect(address, plain())));
}

struct tp_fd accept_from(struct conformance *c, struct tp_fd listener)
{
    return fd_of(c, run(c, tp_request_accept(listener)));
}

static bool open_with(struct conformance *c, struct ends *ret_ends,
                      struct tp_socket_options options)
{
    struct ends ends = {tp_fd_none(), tp_fd_none(), tp_fd_none(), here(c)};

    if (no_net(c))
        return false;
    ends.listener = listen_with(c, &ends.address, options);
    if (tp_fd_is_some(ends.listener))
        ends.a = fd_of(c, run(c, tp_request_connect(&ends.address, options)));
    if (tp_fd_is_some(ends.a))
        ends.b = accept_from(c, ends.listener);
    *ret_ends = ends;
    if (tp_fd_is_some(ends.b))
        return true;
    close_ends(c, &ends);
    return false;
}

bool open_ends(struct conformance *c, struct ends *ret_ends)
{
    return open_with(c, ret_ends, plain());
}

bool open_narrow_ends(struct conformance *c, struct ends *ret_ends)
{
    struct tp_socket_options options = plain();

    options.recv_buffer_bytes = NARROW;
    options.send_buffer_bytes = NARROW;
    return open_with(c, ret_ends, options);
}

void close_end(struct conformance *c, struct tp_fd *fd)
{
    if (tp_fd_is_some(*fd))
        close_file(c, *fd);
    *fd = tp_fd_none();
}

void close_ends(struct conformance *c, struct ends *ends)
{
    close_end(c, &ends->a);
    close_end(c, &ends->b);
    close_end(c, &ends->listener);
}

/* ------------------------------------------------------------------ bytes */

static bool send_all(struct conformance *c, struct tp_fd fd, const uint8_t *memory,
                     uint32_t len)
{
    for (uint32_t sent = 0; sent < len;) {
        struct tp_buf buf = tp_buf_full(memory + sent, len - sent);
        int32_t value = run(c, tp_request_send(fd, &buf));

        if (value <= 0 || (uint32_t)value > len - sent) {
            fail(c, __FILE__, __LINE__, "sending %u bytes, the rest of %u: %d (%s)",
                 len - sent, len, value, tp_errno_name(value));
            return false;
        }
        sent += (uint32_t)value;
    }
    return true;
}

void send_text(struct conformance *c, struct tp_fd fd, const char *text)
{
    (void)send_all(c, fd, (const uint8_t *)text, (uint32_t)strlen(text));
}

void send_pattern(struct conformance *c, struct tp_fd fd, uint32_t len, uint64_t offset)
{
    uint8_t *memory = take(c, len);

    pattern_fill(memory, len, offset);
    (void)send_all(c, fd, memory, len);
    drop(c, memory, len);
}

int32_t recv_once(struct conformance *c, struct tp_fd fd, void *memory, uint32_t size_bytes)
{
    struct tp_buf buf = tp_buf_empty(memory, size_bytes);

    return run(c, tp_request_recv(fd, &buf));
}

/* Exactly `len` bytes; false if there are fewer. */
static bool recv_all(struct conformance *c, struct tp_fd fd, uint8_t *memory, uint32_t len)
{
    for (uint32_t got = 0; got < len;) {
        int32_t value = recv_once(c, fd, memory + got, len - got);

        if (value <= 0 || (uint32_t)value > len - got) {
            fail(c, __FILE__, __LINE__, "receiving %u bytes, the rest of %u: %d (%s)",
                 len - got, len, value, tp_errno_name(value));
            return false;
        }
        got += (uint32_t)value;
    }
    return true;
}

void recv_text(struct conformance *c, struct tp_fd fd, const char *text)
{
    uint8_t memory[256];
    const uint32_t len = (uint32_t)strlen(text);

    tp_assert(len <= sizeof memory);
    if (recv_all(c, fd, memory, len) && memcmp(memory, text, len) != 0)
        fail(c, __FILE__, __LINE__, "received \"%.*s\", not \"%s\"", (int)len,
             (const char *)memory, text);
}

void recv_pattern(struct conformance *c, struct tp_fd fd, uint32_t len, uint64_t offset)
{
    uint8_t *memory = take(c, len);

    if (recv_all(c, fd, memory, len))
        EXPECT_THAT(c, pattern_is(memory, len, offset));
    drop(c, memory, len);
}

void recv_end(struct conformance *c, struct tp_fd fd, uint32_t times)
{
    uint8_t byte;

    while (times-- > 0)
        EXPECT(c, recv_once(c, fd, &byte, 1), 0);
}

/* Whether it has not completed within a time in which a send does that can. Kernels may
 * keep an acknowledgement, and with it the room for more, back for 40 ms. */
static bool is_full(struct conformance *c, uint64_t handle, int32_t *ret_value)
{
    struct tp_completion completion;

    tp_io_poll(c->io);
    for (uint32_t i = 0; i < 12; i++) {
        if (tp_io_get_cqe(c->io, handle, &completion)) {
            *ret_value = completion.value;
            return false;
        }
        let_arrive(c);
    }
    return true;
}

uint64_t fill(struct conformance *c, struct tp_fd fd, uint8_t *memory, uint32_t len,
              struct tp_buf *buf, uint64_t *ret_waiting)
{
    const uint64_t enough = UINT64_C(64) << 20;
    uint64_t sent = 0;
    int32_t value;

    while (sent < enough) {
        pattern_fill(memory, len, sent);
        *buf = tp_buf_full(memory, len);
        *ret_waiting = submit(c, tp_request_send(fd, buf));
        if (is_full(c, *ret_waiting, &value)) {
            EXPECT_THAT(c, sent > 0);
            return sent;
        }
        if (value <= 0 || (uint32_t)value > len) {
            fail(c, __FILE__, __LINE__, "a send of %u bytes: %d (%s)", len, value,
                 tp_errno_name(value));
            return 0;
        }
        sent += (uint32_t)value;
    }
    fail(c, __FILE__, __LINE__, "%llu bytes that nobody receives, and no send waits",
         (unsigned long long)sent);
    return 0;
}

/* ------------------------------------------------------------------ multishot */

struct shot await_shot(struct conformance *c, uint64_t handle)
{
    struct shot shot = {NOTHING_CAME, false, NULL};
    struct tp_completion completion;

    if (!await_next(c, handle, &completion))
        return shot;
    shot.value = completion.value;
    shot.more = (completion.flags & TP_MORE) != 0;
    shot.buf = tp_io_recv_buf(c->io, &completion);
    if (shot.buf != NULL && (!shot.more || (int64_t)shot.buf->len != shot.value))
        fail(c, __FILE__, __LINE__, "a buffer with %u bytes, and a value of %d",
             shot.buf->len, shot.value);
    if (shot.more && shot.value < 0)
        fail(c, __FILE__, __LINE__, "more will follow an error: %s",
             tp_errno_name(shot.value));
    if (!shot.more && shot.value > 0)
        fail(c, __FILE__, __LINE__, "the end of a multishot carries something: %d",
             shot.value);
    if (!shot.more && tp_io_get_cqe(c->io, handle, &completion))
        fail(c, __FILE__, __LINE__, "operation %llu ended twice",
             (unsigned long long)handle);
    return shot;
}

/* Gives back, or closes, what a shot brought. */
static void let_go(struct conformance *c, const struct shot *shot)
{
    if (shot->buf != NULL)
        tp_io_give_back(c->io, shot->buf);
    else if (shot->more && shot->value >= 0)
        close_file(c, tp_io_into_fd(c->io, shot->value));
}

static void shots_bytes(struct conformance *c, uint64_t handle, uint32_t len,
                        const uint8_t *expected)
{
    for (uint32_t got = 0; got < len;) {
        struct shot shot = await_shot(c, handle);
        bool good = shot.more && shot.buf != NULL && shot.buf->len <= len - got &&
                    memcmp(shot.buf->data, expected + got, shot.buf->len) == 0;

        if (shot.buf != NULL)
            got += shot.buf->len;
        let_go(c, &shot);
        if (!good) {
            fail(c, __FILE__, __LINE__, "of %u bytes %u came, not as sent: %d (%s)", len,
                 got, shot.value, tp_errno_name(shot.value));
            return;
        }
    }
}

void shots_text(struct conformance *c, uint64_t handle, const char *text)
{
    shots_bytes(c, handle, (uint32_t)strlen(text), (const uint8_t *)text);
}

void shots_pattern(struct conformance *c, uint64_t handle, uint32_t len, uint64_t offset)
{
    uint8_t *memory = take(c, len);

    pattern_fill(memory, len, offset);
    shots_bytes(c, handle, len, memory);
    drop(c, memory, len);
}

int32_t shots_end(struct conformance *c, uint64_t handle)
{
    struct shot shot;

    do {
        shot = await_shot(c, handle);
        let_go(c, &shot);
    } while (shot.more);
    return shot.value;
}

void cancel_many(struct conformance *c, uint64_t handle)
{
    EXPECT(c, run(c, tp_request_cancel(handle)), 0);
    EXPECT(c, shots_end(c, handle), -ECANCELED);
}
