/** tests/linux/net.c - sockets on LinuxIo: each kind, over each family. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/linux/net_support.h"

static const struct tp_socket_options plain;

Test(net, passes_bytes_both_ways)
{
    for (uint32_t family = 0; family < NET_FAMILIES; family++) {
        struct tp_io *io = make_io(NULL);
        struct net_pair pair = net_connect(io, family);

        for (uint32_t i = 0; i < 40; i++) { /* past TP_LINUX_HOT */
            net_pass(io, pair.client, pair.server, "to the server");
            net_pass(io, pair.server, pair.client, "and back");
        }
        net_close(io, &pair);
        tp_io_destroy(io);
    }
}

Test(net, sends_several_buffers_as_one)
{
    struct tp_io *io = make_io(NULL);
    struct net_pair pair = net_connect(io, NET_IPV4);
    const struct tp_buf bufs[] = {tp_buf_full("one, ", 5), tp_buf_full("", 0),
                                  tp_buf_full("two", 3)};
    char memory[16];
    struct tp_buf in = tp_buf_empty(memory, sizeof memory);

    cr_assert(eq(i32, net_run(io, tp_request_send_bufs(pair.client, bufs, 3)), 8));
    cr_assert(eq(i32, net_run(io, tp_request_recv(pair.server, &in)), 8));
    cr_assert(zero(int, memcmp(memory, "one, two", 8)));
    net_close(io, &pair);
    tp_io_destroy(io);
}

Test(net, half_close_ends_one_direction)
{
    for (uint32_t family = 0; family < NET_FAMILIES; family++) {
        struct tp_io *io = make_io(NULL);
        struct net_pair pair = net_connect(io, family);
        char memory[8];
        struct tp_buf in = tp_buf_empty(memory, sizeof memory), out = tp_buf_full("x", 1);

        cr_assert(zero(i32, net_run(io, tp_request_shutdown(pair.client, TP_SHUT_WRITE))));
        cr_assert(zero(i32, net_run(io, tp_request_recv(pair.server, &in))));
        cr_assert(eq(i32, net_run(io, tp_request_send(pair.client, &out)), -EPIPE));
        net_pass(io, pair.server, pair.client, "still");
        net_close(io, &pair);
        tp_io_destroy(io);
    }
}

Test(net, names_both_ends)
{
    for (uint32_t family = 0; family < NET_FAMILIES; family++) {
        struct tp_io *io = make_io(NULL);
        struct net_pair pair = net_connect(io, family);
        struct tp_address mine, theirs;

        cr_assert(zero(i32, net_run(io, tp_request_peer_address(pair.client, &theirs))));
        cr_assert(tp_address_equal(&theirs, &pair.address));
        cr_assert(zero(i32, net_run(io, tp_request_local_address(pair.client, &mine))));
        cr_assert(zero(i32, net_run(io, tp_request_peer_address(pair.server, &theirs))));
        cr_assert(eq(u32, mine.family, theirs.family));
        cr_assert(eq(u32, mine.port, theirs.port));
        cr_assert(eq(u32, mine.family,
                     family == NET_UNIX ? TP_ADDRESS_NONE : pair.address.family));
        cr_assert(eq(i32, net_run(io, tp_request_peer_address(pair.listener, &theirs)),
                     -ENOTCONN));
        net_close(io, &pair);
        tp_io_destroy(io);
    }
}

/* ------------------------------------------------------------------ options */

static int option_of(struct tp_fd fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    cr_assert(zero(int, getsockopt((int)fd.number, level, name, &value, &len)));
    return value;
}

Test(net, options_are_set_before_connecting_and_inherited)
{
    const struct tp_socket_options options = {.recv_buffer_bytes = 65536,
                                              .send_buffer_bytes = 32768,
                                              .keep_alive_s = 60,
                                              .no_delay = true};
    const struct tp_socket_options off = {.no_delay = false};

    for (uint32_t family = 0; family < NET_FAMILIES; family++) {
        struct tp_io *io = make_io(NULL);
        const struct tp_address at = net_address(family);
        struct tp_address address;
        struct net_pair pair;

        pair.listener = net_fd(io, tp_request_listen(&at, options));
        cr_assert(
            zero(i32, net_run(io, tp_request_local_address(pair.listener, &address))));
        pair.address = address;
        pair.client = net_fd(io, tp_request_connect(&address, options));
        pair.server = net_fd(io, tp_request_accept(pair.listener));
        if (family != NET_UNIX) {
            cr_assert(eq(int, option_of(pair.client, SOL_SOCKET, SO_KEEPALIVE), 1));
            cr_assert(eq(int, option_of(pair.server, SOL_SOCKET, SO_KEEPALIVE), 1));
            cr_assert(eq(int, option_of(pair.client, 6 /* TCP */, 1 /* NODELAY */), 1));
            cr_assert(eq(int, option_of(pair.server, 6, 1), 1));
            cr_assert(eq(int, option_of(pair.server, 6, 4 /* KEEPIDLE */), 60));
            cr_assert(zero(i32, net_run(io, tp_request_set_socket(pair.server, off))));
            cr_assert(eq(int, option_of(pair.server, 6, 1), 0));
            cr_assert(eq(int, option_of(pair.server, SOL_SOCKET, SO_KEEPALIVE), 0));
            cr_assert(eq(int, option_of(pair.server, SOL_SOCKET, SO_RCVBUF), 131072));
        }
        cr_assert(eq(int, option_of(pair.client, SOL_SOCKET, SO_SNDBUF), 65536));
        net_close(io, &pair);
        tp_io_destroy(io);
    }
}

/* ------------------------------------------------------------------ errors */

Test(net, a_connect_that_fails_leaves_nothing_open)
{
    struct tp_io *io = make_io(NULL);
    struct tp_address address;
    const struct tp_fd listener = net_listen(io, NET_IPV4, &address);
    const struct tp_socket_options options = {.no_delay = true};
    uint32_t fds;

    cr_assert(zero(i32, net_run(io, tp_request_close(listener))));
    fds = count_fds_of(io);
    cr_assert(eq(i32, net_run(io, tp_request_connect(&address, plain)), -ECONNREFUSED));
    cr_assert(eq(i32, net_run(io, tp_request_connect(&address, options)), -ECONNREFUSED));
    address = net_address(NET_UNIX);
    cr_assert(eq(i32, net_run(io, tp_request_connect(&address, plain)), -ENOENT));
    cr_assert(eq(u32, count_fds(), fds));
    tp_io_destroy(io);
}

Test(net, a_path_with_a_full_backlog_says_so)
{
    struct tp_io *io = make_io(NULL);
    const struct tp_address address = net_address(NET_UNIX);
    const struct tp_socket_options options = {.backlog = 1};
    const struct tp_fd listener = net_fd(io, tp_request_listen(&address, options));
    int32_t value = 0;

    for (uint32_t i = 0; i < 10 && value >= 0; i++)
        value = net_run(io, tp_request_connect(&address, plain));
    cr_assert(eq(i32, value, -EAGAIN));
    cr_assert(eq(i32, net_run(io, tp_request_listen(&address, plain)), -EADDRINUSE));
    cr_assert(zero(i32, net_run(io, tp_request_close(listener))));
    cr_assert(zero(i32, net_run(io, tp_request_remove(address.at.path))));
    tp_io_destroy(io);
}

Test(net, what_is_wrong_with_the_fd_is_said)
{
    struct tp_io *io = make_io(NULL);
    struct net_pair pair = net_connect(io, NET_IPV4);
    char path[256], memory[8];
    struct tp_buf in = tp_buf_empty(memory, sizeof memory), out = tp_buf_full("x", 1),
                  nothing = tp_buf_empty(memory, 0);
    struct tp_fd file;

    scratch_name(path, "file");
    file = open_file(io, path);
    cr_assert(eq(i32, net_run(io, tp_request_recv(file, &in)), -ENOTSOCK));
    cr_assert(eq(i32, net_run(io, tp_request_recv(file, &nothing)), -ENOTSOCK));
    cr_assert(eq(i32, net_run(io, tp_request_send(file, &out)), -ENOTSOCK));
    cr_assert(eq(i32, net_run(io, tp_request_accept(file)), -ENOTSOCK));
    cr_assert(eq(i32, net_run(io, tp_request_shutdown(file, TP_SHUT_READ)), -ENOTSOCK));
    cr_assert(eq(i32, net_run(io, tp_request_set_socket(file, plain)), -ENOTSOCK));
    cr_assert(eq(i32, net_run(io, tp_request_recv(pair.listener, &in)), -ENOTCONN));
    cr_assert(eq(i32, net_run(io, tp_request_accept(pair.client)), -EINVAL));
    cr_assert(zero(i32, net_run(io, tp_request_recv(pair.client, &nothing))));
    out.len = 0;
    cr_assert(zero(i32, net_run(io, tp_request_send(pair.client, &out))));
    out.len = 1;
    for (uint32_t i = 0; i < 40; i++) {
        cr_assert(eq(i32, net_run(io, tp_request_read_at(pair.client, &in, 0)), -ESPIPE));
        cr_assert(eq(i32, net_run(io, tp_request_write_at(pair.client, &out, 0)), -ESPIPE));
    }
    cr_assert(zero(i32, net_run(io, tp_request_close(file))));
    cr_assert(zero(i32, net_run(io, tp_request_remove(path))));
    net_close(io, &pair);
    tp_io_destroy(io);
}

/* ------------------------------------------------------------------ cancel, close */

enum { HANDLE_A = 1, HANDLE_B, HANDLE_C, HANDLE_CANCEL };

Test(net, what_waits_can_be_stopped)
{
    struct tp_io *io = make_io(NULL);
    struct net_pair pair = net_connect(io, NET_IPV4);
    char memory[8];
    struct tp_buf in = tp_buf_empty(memory, sizeof memory);

    tp_io_recv(io, HANDLE_A, pair.server, &in);
    tp_io_accept(io, HANDLE_B, pair.listener);
    tp_io_poll(io);
    for (uint64_t target = HANDLE_A; target <= HANDLE_B; target++) {
        tp_io_cancel(io, HANDLE_CANCEL, target);
        cr_assert(eq(i32, wait_for(io, target), -ECANCELED));
        cr_assert(zero(i32, wait_for(io, HANDLE_CANCEL)));
        tp_io_cancel(io, HANDLE_CANCEL, target);
        cr_assert(eq(i32, wait_for(io, HANDLE_CANCEL), -ENOENT));
    }
    net_pass(io, pair.client, pair.server, "it goes on");
    net_close(io, &pair);
    tp_io_destroy(io);
}

Test(net, a_connect_stops_in_each_of_its_steps)
{
    struct tp_io *io = make_io(NULL);
    struct tp_address address;
    const struct tp_fd listener = net_listen(io, NET_IPV4, &address);
    const struct tp_socket_options options = {.no_delay = true};
    const uint32_t fds = count_fds_of(io);

    for (uint32_t polls = 0; polls < 4; polls++) {
        for (uint32_t with_options = 0; with_options < 2; with_options++) {
            int32_t value;

            tp_io_connect(io, HANDLE_A, &address, with_options ? options : plain);
            for (uint32_t i = 0; i < polls; i++)
                tp_io_poll(io);
            tp_io_cancel(io, HANDLE_CANCEL, HANDLE_A);
            (void)wait_for(io, HANDLE_CANCEL);
            value = wait_for(io, HANDLE_A);
            cr_assert(value >= 0 || value == -ECANCELED);
            if (value >= 0)
                cr_assert(
                    zero(i32, net_run(io, tp_request_close(tp_io_into_fd(io, value)))));
            cr_assert(eq(u32, count_fds(), fds));
        }
    }
    cr_assert(zero(i32, net_run(io, tp_request_close(listener))));
    tp_io_destroy(io);
}

Test(net, close_stops_what_is_pending_and_tells_the_peer)
{
    for (uint32_t family = 0; family < NET_FAMILIES; family++) {
        struct tp_io *io = make_io(NULL);
        struct net_pair pair = net_connect(io, family);
        char memory[8], other[8];
        struct tp_buf in = tp_buf_empty(memory, sizeof memory),
                      peers = tp_buf_empty(other, sizeof other);

        tp_io_recv(io, HANDLE_A, pair.server, &in);
        tp_io_accept(io, HANDLE_B, pair.listener);
        tp_io_recv(io, HANDLE_C, pair.client, &peers);
        tp_io_poll(io);
        cr_assert(zero(i32, net_run(io, tp_request_close(pair.server))));
        cr_assert(zero(i32, net_run(io, tp_request_close(pair.listener))));
        cr_assert(eq(i32, wait_for(io, HANDLE_A), -ECANCELED));
        cr_assert(eq(i32, wait_for(io, HANDLE_B), -ECANCELED));
        cr_assert(zero(i32, wait_for(io, HANDLE_C)), "the peer reads the end");
        cr_assert(zero(i32, net_run(io, tp_request_close(pair.client))));
        if (family == NET_UNIX)
            cr_assert(zero(i32, net_run(io, tp_request_remove(pair.address.at.path))));
        tp_io_destroy(io);
    }
}

static int32_t linger(void *context)
{
    const struct timespec pause = {0, 20000000};

    (void)nanosleep(&pause, NULL);
    return context == NULL ? 0 : 1;
}

/* One of each kind that waits, some in the kernel and some not yet. */
Test(net, the_end_closes_everything)
{
    const struct tp_socket_options options = {.no_delay = true};
    const uint32_t fds = count_fds();
    struct tp_io *io = make_io(NULL);
    struct net_pair pair = net_connect(io, NET_IPV4);
    static uint8_t big[8 << 20];
    char memory[8];
    struct tp_buf in = tp_buf_empty(memory, sizeof memory),
                  out = tp_buf_full(big, sizeof big);

    tp_io_recv(io, HANDLE_A, pair.server, &in);
    tp_io_accept(io, HANDLE_B, pair.listener);
    for (uint64_t i = 0; i < 40; i++)
        tp_io_send(io, 100 + i, pair.client, &out);
    tp_io_connect(io, HANDLE_C, &pair.address, plain);
    tp_io_accept_many(io, 200, pair.listener);
    tp_io_recv_many(io, 201, pair.client);
    for (uint64_t i = 0; i < 20; i++)
        tp_io_offload(io, 300 + i, linger, NULL);
    tp_io_poll(io);
    tp_io_close(io, 202, pair.server);
    tp_io_connect(io, HANDLE_C + 1, &pair.address, plain);
    tp_io_connect(io, HANDLE_C + 2, &pair.address, options);
    tp_io_poll(io);
    tp_io_destroy(io);
    cr_assert(eq(u32, count_fds(), fds));
}

/* A number past the Io's own table is closed again. */
Test(net, the_table_of_descriptors_has_an_end)
{
    const uint32_t used = count_fds() + 8;
    const struct tp_linux_io_config config = {.fds_max = used};
    struct tp_io *io = make_io(&config);
    struct tp_address address;
    const struct tp_fd listener = net_listen(io, NET_IPV4, &address);
    const uint32_t fds = count_fds_of(io);
    int32_t value = 0;
    uint32_t opened = 0;

    for (; opened < 20 && value >= 0; opened++)
        value = net_run(io, tp_request_connect(&address, plain));
    cr_assert(eq(i32, value, -EMFILE));
    cr_assert(eq(i32, net_run(io, tp_request_accept(listener)), -EMFILE));
    cr_assert(eq(u32, count_fds(), fds + opened - 1));
    tp_io_destroy(io);
}
