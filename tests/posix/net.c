/** tests/posix/net.c - many connections at once, the order of what waits, and closes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/posix/posix.h"
#include "tests/linux/support.h"

enum { PAIRS = 400 }; /* more than one wait brings */

static struct tp_io *io;
static struct tp_fd listener, clients[PAIRS], servers[PAIRS];

static void make(uint32_t completions_max, uint32_t recv_bufs)
{
    const struct tp_posix_io_config config = {.ops_max = 4096,
                                              .completions_max = completions_max,
                                              .fds_max = 2048,
                                              .recv_buf_count = recv_bufs,
                                              .recv_buf_size = 64};
    cr_assert(zero(int, tp_posix_io_create(&config, &io)));
}

static void connect_pairs(uint32_t count)
{
    const struct tp_address any = tp_address_ipv4(127, 0, 0, 1, 0);
    const struct tp_socket_options options = {0};
    struct tp_address address;

    listener = tp_io_into_fd(io, tp_io_block_on(io, tp_request_listen(&any, options)));
    (void)tp_io_block_on(io, tp_request_local_address(listener, &address));
    for (uint32_t i = 0; i < count; i++) {
        int32_t value;

        tp_io_connect(io, 1, &address, options);
        tp_io_accept(io, 2, listener);
        value = wait_for(io, 1);
        cr_assert(ge(i32, value, 0));
        clients[i] = tp_io_into_fd(io, value);
        value = wait_for(io, 2);
        cr_assert(ge(i32, value, 0));
        servers[i] = tp_io_into_fd(io, value);
    }
}

Test(net, everybody_is_heard_though_one_wait_does_not_bring_them_all)
{
    static char bytes[PAIRS];
    static struct tp_buf bufs[PAIRS];
    char byte = 'x';
    struct tp_buf one = tp_buf_full(&byte, 1);

    make(0, 0);
    connect_pairs(PAIRS);
    for (uint32_t i = 0; i < PAIRS; i++) {
        bufs[i] = tp_buf_empty(&bytes[i], 1);
        tp_io_recv(io, 1000 + i, servers[i], &bufs[i]);
    }
    tp_io_poll(io);
    for (uint32_t i = 0; i < PAIRS; i++)
        tp_io_send(io, 2000 + i, clients[i], &one);
    for (uint32_t i = 0; i < PAIRS; i++)
        cr_assert(eq(i32, wait_for(io, 2000 + i), 1));
    for (uint32_t i = 0; i < PAIRS; i++)
        cr_assert(eq(i32, wait_for(io, 1000 + i), 1));
    tp_io_destroy(io);
}

/* With a short list of completions much has to wait for room, and closes stand behind it:
 * no operation may reach a socket that was closed before its turn. */
Test(net, closes_in_turn_when_there_is_little_room)
{
    char byte = 'x';
    struct tp_buf one = tp_buf_full(&byte, 1);
    struct tp_completion completion;
    uint32_t ends = 0;

    make(3, 8);
    connect_pairs(20);
    for (uint32_t i = 0; i < 20; i++)
        tp_io_recv_many(io, 100 + i, servers[i]);
    tp_io_poll(io);
    for (uint32_t i = 0; i < 20; i++) {
        tp_io_send(io, 200 + i, clients[i], &one);
        tp_io_close(io, 300 + i, servers[i]);
    }
    for (uint32_t round = 0; ends < 60 && round < 10000; round++) {
        tp_io_poll(io);
        for (uint64_t handle = 100; handle < 320; handle++) {
            while (tp_io_get_cqe(io, handle, &completion)) {
                struct tp_buf *buf = tp_io_recv_buf(io, &completion);

                if (buf != NULL)
                    tp_io_give_back(io, buf);
                if ((completion.flags & TP_MORE) != 0)
                    continue;
                ends++;
                if (handle < 200)
                    cr_assert(eq(i32, completion.value, -ECANCELED));
                else if (handle >= 300)
                    cr_assert(zero(i32, completion.value));
            }
        }
    }
    cr_assert(eq(u32, ends, 60));
    cr_assert(zero(u32, tp_io_in_flight(io)));
    tp_io_destroy(io);
}

/* Receives once, and looks that no byte is of a send before `ret_last`'s. */
static uint64_t take_some(uint8_t *memory, uint32_t size_bytes, uint8_t *ret_last)
{
    struct tp_buf buf = tp_buf_empty(memory, size_bytes);
    int32_t got;

    tp_io_recv(io, 1, servers[0], &buf);
    got = wait_for(io, 1);
    cr_assert(lt(i32, 0, got));
    for (int32_t i = 0; i < got; i++) {
        cr_assert(memory[i] >= *ret_last, "%u after %u", memory[i], *ret_last);
        *ret_last = memory[i];
    }
    return (uint64_t)got;
}

/* Sends that wait for room in the socket go in the order of their submission. */
Test(net, sends_that_wait_keep_their_order)
{
    enum { SENDS = 100, EACH = 65536 };
    static uint8_t out[SENDS][EACH], in[EACH];
    static struct tp_buf bufs[SENDS];
    uint64_t sent = 0, seen = 0;
    uint8_t last = 0;

    make(0, 0);
    connect_pairs(1);
    for (uint32_t i = 0; i < SENDS; i++) {
        memset(out[i], (int)i, EACH);
        bufs[i] = tp_buf_full(out[i], EACH);
        tp_io_send(io, 100 + i, clients[0], &bufs[i]);
    }
    tp_io_poll(io);
    cr_assert(lt(u32, 1, tp_io_in_flight(io)), "all of them fit: send more");
    for (uint32_t i = 0; i < SENDS; i++) {
        struct tp_completion completion;

        while (!tp_io_get_cqe(io, 100 + i, &completion))
            seen += take_some(in, sizeof in, &last);
        cr_assert(lt(i32, 0, completion.value));
        sent += (uint64_t)completion.value;
    }
    while (seen < sent)
        seen += take_some(in, sizeof in, &last);
    cr_assert(eq(u64, seen, sent));
    cr_assert(eq(u8, last, SENDS - 1));
    tp_io_destroy(io);
}

/* The peer has sent and closed before anybody looks: both are found, though they are one
 * event. */
Test(net, an_end_that_comes_with_the_bytes_is_seen)
{
    char text[] = "last words";
    struct tp_buf words = tp_buf_full(text, 10);
    struct tp_completion completion;
    bool ended = false;
    uint64_t bytes = 0;

    make(0, 8);
    connect_pairs(2);
    for (uint32_t waits_before = 0; waits_before < 2; waits_before++) {
        bytes = 0;
        ended = false;
        if (waits_before == 1) {
            tp_io_recv_many(io, 1, servers[1]);
            tp_io_poll(io);
        }
        tp_io_send(io, 2, clients[waits_before], &words);
        cr_assert(eq(i32, wait_for(io, 2), 10));
        cr_assert(zero(i32, tp_io_block_on(io, tp_request_close(clients[waits_before]))));
        if (waits_before == 0)
            tp_io_recv_many(io, 1, servers[0]);
        for (uint32_t i = 0; i < 1000 && !ended; i++) {
            tp_io_park(io, tp_io_now_ns(io) + 10000000);
            while (tp_io_get_cqe(io, 1, &completion)) {
                struct tp_buf *buf = tp_io_recv_buf(io, &completion);

                if (buf != NULL) {
                    bytes += buf->len;
                    tp_io_give_back(io, buf);
                }
                ended = (completion.flags & TP_MORE) == 0;
            }
        }
        cr_assert(ended);
        cr_assert(zero(i32, completion.value));
        cr_assert(eq(u64, bytes, 10));
    }
    tp_io_destroy(io);
}

/* ------------------------------------------------------------------ a recv that stops
 * early
 */

/* Receives by a recv_many until `count` bytes are there, or two seconds have passed. */
static void expect_bytes(const char *bytes, uint32_t count)
{
    const uint64_t deadline_ns = tp_io_now_ns(io) + UINT64_C(2000000000);
    struct tp_completion completion;
    uint32_t got = 0;

    while (got < count && tp_io_now_ns(io) < deadline_ns) {
        tp_io_park(io, deadline_ns);
        while (tp_io_get_cqe(io, 1, &completion)) {
            struct tp_buf *buf = tp_io_recv_buf(io, &completion);

            cr_assert(buf != NULL && got + buf->len <= count &&
                      memcmp(buf->data, bytes + got, buf->len) == 0);
            got += (uint32_t)buf->len;
            tp_io_give_back(io, buf);
        }
    }
    cr_assert(eq(u32, got, count));
}

static void send_raw(struct tp_fd fd, const char *text, int flags)
{
    cr_assert(
        eq(i64, send((int)fd.number, text, strlen(text), flags), (int64_t)strlen(text)));
}

/* A recv stops before an urgent byte, which it leaves out: what is behind it is not
 * forgotten. */
Test(net, bytes_behind_an_urgent_one_are_received)
{
    make(0, 8);
    connect_pairs(1);
    tp_io_recv_many(io, 1, servers[0]);
    for (uint32_t round = 0; round < 3; round++) {
        tp_io_poll(io);
        send_raw(clients[0], "abc", 0);
        send_raw(clients[0], "!", MSG_OOB);
        send_raw(clients[0], "def", 0);
        (void)nanosleep(&(struct timespec){0, 20000000}, NULL); /* all is there */
        expect_bytes("abcdef", 6);
    }
    tp_io_destroy(io);
}

/* It stops behind bytes that fds came with, which are dropped. */
Test(net, bytes_behind_a_passed_fd_are_received)
{
    struct tp_socket_options options = {0};
    struct tp_address address = {.family = TP_ADDRESS_UNIX};
    union {
        struct cmsghdr header;
        char memory[CMSG_SPACE(sizeof(int))];
    } control = {
        .header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS},
    };
    struct iovec part = {"abc", 3};
    const struct msghdr header = {.msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control.memory,
                                  .msg_controllen = sizeof control.memory};
    const int passed = STDERR_FILENO;
    struct tp_fd client, server;

    make(0, 8);
    (void)snprintf(address.at.path, sizeof address.at.path, "net-%d.sock", (int)getpid());
    listener = tp_io_into_fd(io, tp_io_block_on(io, tp_request_listen(&address, options)));
    client = tp_io_into_fd(io, tp_io_block_on(io, tp_request_connect(&address, options)));
    server = tp_io_into_fd(io, tp_io_block_on(io, tp_request_accept(listener)));
    tp_io_recv_many(io, 1, server);
    tp_io_poll(io);
    memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
    cr_assert(eq(i64, sendmsg((int)client.number, &header, 0), 3));
    send_raw(client, "def", 0);
    expect_bytes("abcdef", 6);
    cr_assert(zero(int, unlink(address.at.path)));
    tp_io_destroy(io);
}
