/** tests/linux/net_limits.c - sockets on LinuxIo when the system has no more to give. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/linux/net_support.h"

static const struct tp_socket_options plain;

Test(net_limits, no_descriptor_is_left)
{
    struct tp_io *io = make_io(NULL);
    struct net_pair pair = net_connect(io, NET_IPV4);
    const uint32_t fds = count_fds_of(io);
    struct rlimit before, none;
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    cr_assert(zero(int, pthread_sigmask(SIG_BLOCK, &set, NULL)));
    cr_assert(zero(int, getrlimit(RLIMIT_NOFILE, &before)));
    none = before;
    none.rlim_cur = 3; /* what is open stays so */
    cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &none)));
    cr_assert(eq(i32, net_run(io, tp_request_connect(&pair.address, plain)), -EMFILE));
    cr_assert(eq(i32, net_run(io, tp_request_listen(&pair.address, plain)), -EMFILE));
    cr_assert(eq(i32, net_run(io, tp_request_accept(pair.listener)), -EMFILE));
    cr_assert(eq(i32, net_run(io, tp_request_signal(TP_SIGNAL_TERM)), -EMFILE));
    cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &before)));
    cr_assert(eq(u32, count_fds(), fds));
    net_close(io, &pair);
    tp_io_destroy(io);
}

/* The same, of multishots: they end. */
Test(net_limits, no_descriptor_is_left_for_accept_many)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        const struct tp_linux_io_config config = {.features_off = net_masks[mask]};
        struct tp_io *io = make_io(&config), *other = make_io(NULL);
        struct net_pair pair = net_connect(io, NET_IPV4);
        struct rlimit before, none;
        struct tp_completion completion;

        (void)net_fd(other, tp_request_connect(&pair.address, plain));
        cr_assert(zero(int, getrlimit(RLIMIT_NOFILE, &before)));
        none = before;
        none.rlim_cur = 3;
        cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &none)));
        tp_io_accept_many(io, 1, pair.listener);
        completion = net_wait(io, 1);
        cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &before)));
        cr_assert(eq(i32, completion.value, -EMFILE));
        cr_assert(zero(u32, completion.flags));
        /* The connection was not lost. */
        tp_io_accept_many(io, 1, pair.listener);
        cr_assert(ge(i32, net_wait(io, 1).value, 0));
        tp_io_destroy(other);
        tp_io_destroy(io);
    }
}

/* With little memory that may be locked the kernel may refuse a large ring of buffers; then
 * they are taken one by one. */
static int receive_with_locked_memory(void)
{
    const uid_t user = 60100; /* of this test alone: memory is given back late */
    const struct rlimit little = {1U << 17, 1U << 17};
    const struct tp_linux_io_config config = {.sq_entries = 64,
                                              .cq_entries = 64,
                                              .buf_count = TP_LINUX_NONE,
                                              .recv_buf_count = 32768,
                                              .recv_buf_size = 64};
    const struct tp_socket_options options = {.backlog = 8};
    struct tp_address address = tp_address_ipv4(127, 0, 0, 1, 0);
    struct tp_buf out = tp_buf_full("x", 1);
    struct tp_fd fds[3];
    struct tp_io *io;
    bool has_ring;

    if (setrlimit(RLIMIT_MEMLOCK, &little) != 0 ||
        (getuid() == 0 && setresuid(user, user, user) != 0) ||
        tp_linux_io_create(&config, &io) != 0)
        return 1;
    has_ring = (tp_linux_io_features(io) & TP_LINUX_BUF_RING) != 0;
    if (strstr(tp_io_caps(io)->notes, has_ring ? "from a ring" : "one by one") == NULL)
        return 2;
    fds[0] = tp_io_into_fd(io, tp_io_block_on(io, tp_request_listen(&address, options)));
    (void)tp_io_block_on(io, tp_request_local_address(fds[0], &address));
    fds[1] = tp_io_into_fd(io, tp_io_block_on(io, tp_request_connect(&address, options)));
    fds[2] = tp_io_into_fd(io, tp_io_block_on(io, tp_request_accept(fds[0])));
    tp_io_recv_many(io, 1, fds[2]);
    if (tp_io_block_on(io, tp_request_send(fds[1], &out)) != 1)
        return 3;
    return net_wait(io, 1).value == 1 ? 0 : 4;
}

Test(net_limits, little_memory_may_be_locked)
{
    int status = -1;
    const pid_t child = fork();

    if (child == 0)
        _exit(receive_with_locked_memory());
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(zero(int, status));
}
