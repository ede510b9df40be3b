/** tests/linux/net_limits.c - sockets on LinuxIo when the system has no more to give. */
#include <errno.h>
#include <sys/resource.h>

#include "tests/linux/net_support.h"

static const struct tp_socket_options plain;

Test(net_limits, no_descriptor_is_left)
{
    struct tp_io *io = make_io(NULL);
    struct net_pair pair = net_connect(io, NET_IPV4);
    const uint32_t fds = count_fds_of(io);
    struct rlimit before, none;

    cr_assert(zero(int, getrlimit(RLIMIT_NOFILE, &before)));
    none = before;
    none.rlim_cur = 3; /* what is open stays so */
    cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &none)));
    cr_assert(eq(i32, net_run(io, tp_request_connect(&pair.address, plain)), -EMFILE));
    cr_assert(eq(i32, net_run(io, tp_request_listen(&pair.address, plain)), -EMFILE));
    cr_assert(eq(i32, net_run(io, tp_request_accept(pair.listener)), -EMFILE));
    cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &before)));
    cr_assert(eq(u32, count_fds(), fds));
    net_close(io, &pair);
    tp_io_destroy(io);
}
