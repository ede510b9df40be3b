/* Operations on the wrong sort of fd: sockets are no files, and files are no sockets. */
#include "net.h"

/* ------------------------------------------------------------------ sockets as files */

/* A stream has no places. A kernel would receive and send at offset 0, and at -1, where
 * there is no bound on how long that may wait: backends refuse it. */
static void net_socket_is_not_read_at(struct conformance *c)
{
    uint8_t memory[8];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    send_text(c, ends.b, "unharmed");
    let_arrive(c);
    EXPECT(c, run(c, tp_request_read_at(ends.a, &buf, 0)), -ESPIPE);
    EXPECT(c, run(c, tp_request_read_at(ends.a, &buf, UINT64_MAX)), -EINVAL);
    EXPECT(c, run(c, tp_request_read_at(ends.a, &buf, 1)), -ESPIPE);
    EXPECT(c, run(c, tp_request_read_at(ends.a, &buf, 4096)), -ESPIPE);
    recv_text(c, ends.a, "unharmed");
    close_ends(c, &ends);
}

static void net_socket_is_not_written_at(struct conformance *c)
{
    struct tp_buf buf = tp_buf_full("x", 1);
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_write_at(ends.a, &buf, 0)), -ESPIPE);
    EXPECT(c, run(c, tp_request_write_at(ends.a, &buf, UINT64_MAX)), -EINVAL);
    EXPECT(c, run(c, tp_request_write_at(ends.a, &buf, 1)), -ESPIPE);
    EXPECT(c, run(c, tp_request_write_at(ends.a, &buf, 4096)), -ESPIPE);
    close_end(c, &ends.a);
    recv_end(c, ends.b, 1); /* nothing went through */
    close_ends(c, &ends);
}

static void net_socket_is_not_synced(struct conformance *c)
{
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_fsync(ends.a, 0)), -EINVAL);
    EXPECT(c, run(c, tp_request_fsync(ends.a, TP_DATA_ONLY)), -EINVAL);
    EXPECT(c, run(c, tp_request_fsync(ends.listener, 0)), -EINVAL);
    close_ends(c, &ends);
}

static void net_socket_has_no_size(struct conformance *c)
{
    struct tp_extent extent;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_truncate(ends.a, 0)), -EINVAL);
    EXPECT(c, run(c, tp_request_fallocate(ends.a, 0, 10, 0)), -ENODEV, -ESPIPE);
    EXPECT(c, run(c, tp_request_find_data(ends.a, 0, &extent)), -ESPIPE);
    close_ends(c, &ends);
}

static void net_socket_is_no_directory(struct conformance *c)
{
    uint64_t memory[64];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    struct tp_statx statx;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_list_dir(ends.a, &buf)), -ENOTDIR);
    EXPECT(c, run(c, tp_request_open_in(ends.a, "x", open_options("r"))), -ENOTDIR);
    EXPECT(c, run(c, tp_request_stat_in(ends.a, "x", &statx)), -ENOTDIR);
    EXPECT(c, run(c, tp_request_remove_in(ends.a, "x")), -ENOTDIR);
    EXPECT(c, run(c, tp_request_create_dir_in(ends.a, "x", 0777)), -ENOTDIR);
    close_ends(c, &ends);
}

static void net_socket_has_attributes(struct conformance *c)
{
    struct tp_statx statx;
    struct ends ends;

    if (!open_ends(c, &ends))
        return;
    EXPECT(c, run(c, tp_request_fstat(ends.a, &statx)), 0);
    EXPECT_THAT(c, statx.kind == TP_FILE_OTHER && statx.size == 0);
    EXPECT(c, run(c, tp_request_fstat(ends.listener, &statx)), 0);
    EXPECT_THAT(c, statx.kind == TP_FILE_OTHER && statx.size == 0);
    close_ends(c, &ends);
}

/* ------------------------------------------------------------------ files as sockets */

/* What one operation says of a fd. */
typedef int32_t ask_fn(struct conformance *c, struct tp_fd fd);

/* Of a file, of a directory. */
static void expect_no_socket(struct conformance *c, ask_fn *ask)
{
    struct tp_fd fd;

    if (no_net(c))
        return;
    make_file(c, at(c, "file"), 10);
    fd = open_file(c, at(c, "file"), "rw");
    EXPECT(c, ask(c, fd), -ENOTSOCK);
    close_file(c, fd);
    fd = open_file(c, c->dir, "r");
    EXPECT(c, ask(c, fd), -ENOTSOCK);
    close_file(c, fd);
    EXPECT(c, ask(c, fd), -EBADF);
}

static int32_t ask_recv(struct conformance *c, struct tp_fd fd)
{
    uint8_t byte;

    return recv_once(c, fd, &byte, 1);
}

static int32_t ask_recv_many(struct conformance *c, struct tp_fd fd)
{
    return shots_end(c, submit(c, tp_request_recv_many(fd)));
}

static int32_t ask_send(struct conformance *c, struct tp_fd fd)
{
    struct tp_buf buf = tp_buf_full("x", 1);

    return run(c, tp_request_send(fd, &buf));
}

static int32_t ask_send_bufs(struct conformance *c, struct tp_fd fd)
{
    const struct tp_buf bufs[] = {tp_buf_full("x", 1), tp_buf_full("y", 1)};

    return run(c, tp_request_send_bufs(fd, bufs, 2));
}

static int32_t ask_accept(struct conformance *c, struct tp_fd fd)
{
    return run(c, tp_request_accept(fd));
}

static int32_t ask_accept_many(struct conformance *c, struct tp_fd fd)
{
    return shots_end(c, submit(c, tp_request_accept_many(fd)));
}

static int32_t ask_shutdown(struct conformance *c, struct tp_fd fd)
{
    return run(c, tp_request_shutdown(fd, TP_SHUT_READ | TP_SHUT_WRITE));
}

static int32_t ask_set_socket(struct conformance *c, struct tp_fd fd)
{
    return run(c, tp_request_set_socket(fd, plain()));
}

static int32_t ask_local_address(struct conformance *c, struct tp_fd fd)
{
    struct tp_address address;

    return run(c, tp_request_local_address(fd, &address));
}

static int32_t ask_peer_address(struct conformance *c, struct tp_fd fd)
{
    struct tp_address address;

    return run(c, tp_request_peer_address(fd, &address));
}

#define NO_SOCKET(what)                                       \
    static void net_file_has_no_##what(struct conformance *c) \
    {                                                         \
        expect_no_socket(c, ask_##what);                      \
    }
NO_SOCKET(recv)
NO_SOCKET(recv_many)
NO_SOCKET(send)
NO_SOCKET(send_bufs)
NO_SOCKET(accept)
NO_SOCKET(accept_many)
NO_SOCKET(shutdown)
NO_SOCKET(set_socket)
NO_SOCKET(local_address)
NO_SOCKET(peer_address)
#undef NO_SOCKET

const struct conformance_program conformance_net_kinds[] = {
    OVER_EACH(net_socket_is_not_read_at),
    OVER_EACH(net_socket_is_not_written_at),
    OVER_EACH(net_socket_is_not_synced),
    OVER_EACH(net_socket_has_no_size),
    OVER_EACH(net_socket_is_no_directory),
    OVER_EACH(net_socket_has_attributes),
    PROGRAM(net_file_has_no_recv),
    PROGRAM(net_file_has_no_recv_many),
    PROGRAM(net_file_has_no_send),
    PROGRAM(net_file_has_no_send_bufs),
    PROGRAM(net_file_has_no_accept),
    PROGRAM(net_file_has_no_accept_many),
    PROGRAM(net_file_has_no_shutdown),
    PROGRAM(net_file_has_no_set_socket),
    PROGRAM(net_file_has_no_local_address),
    PROGRAM(net_file_has_no_peer_address),
    {0},
};
