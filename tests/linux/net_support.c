#include "net_support.h"

#include <string.h>
#include <unistd.h>

const uint32_t net_masks[NET_MASKS] = {
    0,
    TP_LINUX_SOCKET_FILES,
    TP_LINUX_MULTISHOT_ACCEPT,
    TP_LINUX_MULTISHOT_RECV,
    TP_LINUX_BUF_RING,
    TP_LINUX_MULTISHOT_ACCEPT | TP_LINUX_BUF_RING | TP_LINUX_FILES | TP_LINUX_SUBMIT_ALL,
    UINT32_MAX,
};

enum { HANDLE_ACCEPT = 1 << 20, HANDLE_CONNECT };

struct tp_address net_address(uint32_t family)
{
    struct tp_address address = tp_address_ipv4(127, 0, 0, 1, 0);

    if (family == NET_IPV6) {
        cr_assert(zero(int, tp_address_parse("[::1]:0", 0, &address)));
    } else if (family == NET_UNIX) {
        char path[256];

        scratch_name(path, "socket");
        (void)unlink(path);
        address.family = TP_ADDRESS_UNIX;
        cr_assert(lt(sz, strlen(path), sizeof address.at.path));
        memcpy(address.at.path, path, strlen(path) + 1);
    }
    return address;
}

int32_t net_run(struct tp_io *io, struct tp_request request)
{
    return tp_io_block_on(io, request);
}

struct tp_fd net_fd(struct tp_io *io, struct tp_request request)
{
    const int32_t value = net_run(io, request);

    cr_assert(value >= 0, "%s: %s", tp_kind_info[request.kind].name, tp_errno_name(value));
    return tp_io_into_fd(io, value);
}

struct tp_fd net_listen(struct tp_io *io, uint32_t family, struct tp_address *ret_address)
{
    const struct tp_address address = net_address(family);
    const struct tp_socket_options options = {.backlog = 0};
    const struct tp_fd fd = net_fd(io, tp_request_listen(&address, options));

    cr_assert(zero(i32, net_run(io, tp_request_local_address(fd, ret_address))));
    cr_assert(eq(u32, ret_address->family, address.family));
    return fd;
}

struct net_pair net_connect(struct tp_io *io, uint32_t family)
{
    const struct tp_socket_options options = {.backlog = 0};
    struct net_pair pair;
    int32_t value;

    pair.listener = net_listen(io, family, &pair.address);
    tp_io_accept(io, HANDLE_ACCEPT, pair.listener);
    tp_io_connect(io, HANDLE_CONNECT, &pair.address, options);
    value = wait_for(io, HANDLE_CONNECT);
    cr_assert(value >= 0, "connect: %s", tp_errno_name(value));
    pair.client = tp_io_into_fd(io, value);
    value = wait_for(io, HANDLE_ACCEPT);
    cr_assert(value >= 0, "accept: %s", tp_errno_name(value));
    pair.server = tp_io_into_fd(io, value);
    return pair;
}

void net_close(struct tp_io *io, struct net_pair *pair)
{
    cr_assert(zero(i32, net_run(io, tp_request_close(pair->server))));
    cr_assert(zero(i32, net_run(io, tp_request_close(pair->client))));
    cr_assert(zero(i32, net_run(io, tp_request_close(pair->listener))));
    if (pair->address.family == TP_ADDRESS_UNIX)
        cr_assert(zero(i32, net_run(io, tp_request_remove(pair->address.at.path))));
}

void net_pass(struct tp_io *io, struct tp_fd from, struct tp_fd to, const char *text)
{
    const uint32_t len = (uint32_t)strlen(text);
    struct tp_buf out = tp_buf_full(text, len);
    char memory[256];
    uint32_t got = 0;

    cr_assert(le(u32, len, sizeof memory));
    cr_assert(eq(i32, net_run(io, tp_request_send(from, &out)), (int32_t)len));
    while (got < len) {
        struct tp_buf in = tp_buf_empty(memory + got, len - got);
        const int32_t value = net_run(io, tp_request_recv(to, &in));

        cr_assert(value > 0, "recv: %s", tp_errno_name(value));
        got += (uint32_t)value;
    }
    cr_assert(zero(int, memcmp(memory, text, len)));
}

struct tp_completion net_wait(struct tp_io *io, uint64_t handle)
{
    const uint64_t start_ns = tp_io_now_ns(io);
    struct tp_completion completion;

    while (!tp_io_get_cqe(io, handle, &completion)) {
        cr_assert(lt(u64, tp_io_now_ns(io), start_ns + UINT64_C(10000000000)));
        tp_io_park(io, tp_io_now_ns(io) + 100000000);
    }
    return completion;
}
