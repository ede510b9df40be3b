/** tests/virtual/net_unix.c - sockets with a path: names on the disk, streams without a way
 * in between. */
#include "net_fixture.h"

static const struct tp_socket_options plain;
static struct tp_fd listener;
static struct n_pair pair;

static void tear_down(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

TestSuite(net_unix, .fini = tear_down);

static struct tp_address path(const char *text)
{
    struct tp_address address = {.family = TP_ADDRESS_UNIX};

    memcpy(address.at.path, text, strlen(text));
    return address;
}

static int32_t listen_at(const char *text)
{
    struct tp_address at = path(text);

    return n_do(0, tp_request_listen(&at, plain));
}

static int32_t connect_at(const char *text)
{
    struct tp_address at = path(text);

    return n_do(0, tp_request_connect(&at, plain));
}

static void connected(uint64_t seed)
{
    int32_t value;

    n_boot_alone(seed);
    value = listen_at("/s");
    cr_assert(value >= 0);
    listener = tp_io_into_fd(n.io[0], value);
    value = connect_at("/s");
    cr_assert(value >= 0);
    pair.client = tp_io_into_fd(n.io[0], value);
    value = n_do(0, tp_request_accept(listener));
    cr_assert(value >= 0);
    pair.server = tp_io_into_fd(n.io[0], value);
}

static int32_t close_fd(struct tp_fd fd)
{
    return n_do(0, tp_request_close(fd));
}

/* ------------------------------------------------------------------ names */

Test(net_unix, a_path_is_a_name_on_the_disk)
{
    struct tp_statx statx;

    n_boot_alone(1);
    cr_assert(eq(i32, connect_at("/s"), -ENOENT));
    listener = tp_io_into_fd(n.io[0], listen_at("/s"));
    cr_assert(eq(i32, n_do(0, tp_request_stat("/s", &statx)), 0));
    cr_assert(eq(u32, statx.kind, TP_FILE_OTHER));
    cr_assert(eq(i32,
                 n_do(0, tp_request_open("/s", (struct tp_open_options){.read = true})),
                 -ENXIO));
    cr_assert(eq(i32, listen_at("/s"), -EADDRINUSE));
    cr_assert(eq(i32, close_fd(listener), 0));
    cr_assert(eq(i32, listen_at("/s"), -EADDRINUSE)); /* the name stays */
    cr_assert(eq(i32, connect_at("/s"), -ECONNREFUSED));
    cr_assert(eq(i32, n_do(0, tp_request_remove("/s")), 0));
    cr_assert(listen_at("/s") >= 0);
}

Test(net_unix, a_path_that_is_no_place_for_a_socket)
{
    n_boot_alone(1);
    cr_assert(eq(int, tp_disk_write_file(n.disk[0], "/f", "x", 1), 0));
    cr_assert(eq(i32, listen_at("/f"), -EADDRINUSE));
    cr_assert(eq(i32, connect_at("/f"), -ECONNREFUSED));
    cr_assert(eq(i32, listen_at("/"), -EADDRINUSE));
    cr_assert(eq(i32, listen_at("/d/s"), -ENOENT));
    cr_assert(eq(i32, listen_at("/f/s"), -ENOTDIR));
    cr_assert(eq(i32, connect_at("/d/s"), -ENOENT));
}

Test(net_unix, a_name_may_move_and_go_while_somebody_listens)
{
    n_boot_alone(1);
    listener = tp_io_into_fd(n.io[0], listen_at("/s"));
    cr_assert(eq(i32, n_do(0, tp_request_rename("/s", "/t")), 0));
    cr_assert(connect_at("/t") >= 0);
    cr_assert(eq(i32, n_do(0, tp_request_remove("/t")), 0));
    cr_assert(eq(i32, connect_at("/t"), -ENOENT));
    cr_assert(listen_at("/t") >= 0); /* another socket under the same name */
    cr_assert(n_do(0, tp_request_accept(listener)) >= 0);
}

/* A reboot finds the name, if it was durable, and nobody behind it. */
Test(net_unix, a_name_survives_a_power_cut_without_its_socket)
{
    n_boot_alone(1);
    cr_assert(listen_at("/s") >= 0);
    cr_assert(eq(i32, n_do(0, tp_request_sync_dir("/")), 0));
    tp_virtual_io_power_cut(n.io[0]);
    tp_virtual_io_destroy(n.io[0]);
    n_reboot(0);
    cr_assert(eq(i32, connect_at("/s"), -ECONNREFUSED));
    cr_assert(eq(i32, listen_at("/s"), -EADDRINUSE));
    cr_assert(eq(i32, n_do(0, tp_request_remove("/s")), 0));
    cr_assert(listen_at("/s") >= 0);
}

Test(net_unix, only_the_listener_has_a_name)
{
    struct tp_address at = path("/s"), address;

    connected(1);
    cr_assert(eq(i32, n_do(0, tp_request_peer_address(pair.client, &address)), 0));
    cr_assert(tp_address_equal(&address, &at));
    cr_assert(eq(i32, n_do(0, tp_request_local_address(pair.server, &address)), 0));
    cr_assert(tp_address_equal(&address, &at));
    cr_assert(eq(i32, n_do(0, tp_request_local_address(pair.client, &address)), 0));
    cr_assert(eq(u16, address.family, TP_ADDRESS_NONE));
    cr_assert(eq(i32, n_do(0, tp_request_peer_address(pair.server, &address)), 0));
    cr_assert(eq(u16, address.family, TP_ADDRESS_NONE));
}

Test(net_unix, a_full_backlog_says_so)
{
    struct tp_address at = path("/s");
    struct tp_socket_options options = {.backlog = 1};

    n_boot_alone(1);
    listener = tp_io_into_fd(n.io[0], n_do(0, tp_request_listen(&at, options)));
    cr_assert(connect_at("/s") >= 0);
    cr_assert(connect_at("/s") >= 0);
    cr_assert(eq(i32, connect_at("/s"), -EAGAIN));
    cr_assert(n_do(0, tp_request_accept(listener)) >= 0);
    cr_assert(connect_at("/s") >= 0);
}

/* ------------------------------------------------------------------ streams */

Test(net_unix, bytes_are_there_as_soon_as_they_are_sent)
{
    struct tp_completion completion;
    uint64_t many;

    connected(1);
    n_send(0, pair.client, 0, 60000);
    cr_assert(eq(i32, n_recv_once(0, pair.server, 0, 100000), 60000)); /* one piece */
    many = n_begin(0, tp_request_recv_many(pair.client));
    n_send(0, pair.server, 0, 10);
    cr_assert(eq(i32, n_wait(0, many), 10));
    cr_assert(eq(i32, close_fd(pair.server), 0));
    cr_assert(eq(i32, n_wait(0, many), 0));
    cr_assert(not(tp_io_get_cqe(n.io[0], many, &completion)));
}

Test(net_unix, a_sender_waits_for_the_reader)
{
    static uint8_t memory[100000], read[1000];
    struct tp_buf buf = tp_buf_full(memory, sizeof memory);
    struct tp_buf in = tp_buf_empty(read, sizeof read);
    uint64_t send;

    connected(1);
    cr_assert(eq(i32, n_do(0, tp_request_send(pair.client, &buf)), 65536));
    send = n_begin(0, tp_request_send(pair.client, &buf));
    n_run(N_SECOND);
    cr_assert(eq(i32, n_result(0, send), N_PENDING));
    cr_assert(eq(i32, n_do(0, tp_request_recv(pair.server, &in)), 1000));
    cr_assert(eq(i32, n_wait(0, send), 1000));
}

Test(net_unix, each_side_may_end_its_half)
{
    connected(1);
    n_send(0, pair.client, 0, 10);
    cr_assert(eq(i32, n_do(0, tp_request_shutdown(pair.client, TP_SHUT_WRITE)), 0));
    cr_assert(eq(i32, n_send_once(0, pair.client, 0, 1), -EPIPE));
    cr_assert(eq(i32, n_recv(0, pair.server, 0, 10), 10));
    cr_assert(eq(i32, n_recv_once(0, pair.server, 0, 10), 0));
    n_send(0, pair.server, 0, 10);
    cr_assert(eq(i32, n_recv(0, pair.client, 0, 10), 10));
    cr_assert(eq(i32, n_do(0, tp_request_shutdown(pair.client, TP_SHUT_READ)), 0));
    cr_assert(eq(i32, n_send_once(0, pair.server, 0, 1), -EPIPE)); /* unlike TCP */
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 10), 0));
}

Test(net_unix, a_close_with_unread_input_resets)
{
    connected(1);
    n_send(0, pair.server, 0, 10); /* the reply */
    n_send(0, pair.client, 0, 10); /* unread */
    cr_assert(eq(i32, close_fd(pair.server), 0));
    cr_assert(eq(i32, n_recv(0, pair.client, 0, 10), 10));
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 10), -ECONNRESET));
    cr_assert(eq(i32, n_recv_once(0, pair.client, 0, 10), 0));
    cr_assert(eq(i32, n_send_once(0, pair.client, 0, 1), -EPIPE));
}

Test(net_unix, a_closed_listener_resets_those_in_its_queue)
{
    connected(1);
    {
        struct tp_fd other = tp_io_into_fd(n.io[0], connect_at("/s"));

        cr_assert(eq(i32, close_fd(listener), 0));
        cr_assert(eq(i32, n_recv_once(0, other, 0, 10), -ECONNRESET));
        cr_assert(eq(i32, n_send_once(0, other, 0, 1), -EPIPE));
    }
    n_send(0, pair.client, 0, 10); /* one that was accepted goes on */
    cr_assert(eq(i32, n_recv(0, pair.server, 0, 10), 10));
}

Test(net_unix, a_listener_is_no_connection)
{
    connected(1);
    cr_assert(eq(i32, n_recv_once(0, listener, 0, 10), -EINVAL));
    cr_assert(eq(i32, n_send_once(0, listener, 0, 10), -ENOTCONN));
    cr_assert(eq(i32, n_do(0, tp_request_accept(pair.client)), -EINVAL));
}
