/** tests/posix/trouble.c - memory, threads and readiness that the system does not give. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/posix/posix.h"
#include "tests/common/allocator.h"
#include "tests/linux/support.h"

enum { SKIPPED = 77 };

/* ------------------------------------------------------------------ memory */

/* Move the failure one allocation later each round, until it falls past the end. */
Test(memory, that_is_missing_once_costs_nothing_else)
{
    const uint32_t fds = count_fds();
    struct allocator allocator;
    const struct tp_posix_io_config config = {.ops_max = 64, .allocator = &allocator.hooks};
    uint64_t nth = 1;

    for (;; nth++) {
        struct tp_io *io = NULL;

        allocator_init(&allocator);
        allocator.fail_in = nth;
        if (tp_posix_io_create(&config, &io) == 0) {
            tp_io_destroy(io);
            break;
        }
        cr_assert(io == NULL, "written on success only");
        cr_assert(eq(u64, allocator.live_blocks, 0), "allocation %d", (int)nth);
        cr_assert(eq(u32, count_fds(), fds));
    }
    cr_assert(eq(u64, allocator.live_blocks, 0));
    cr_assert(lt(u64, 5, nth), "allocations were made to fail");
}

/* More than there are addresses: by the registered buffers, and by the others. */
Test(memory, for_buffers_that_is_missing_is_said)
{
    static const struct tp_posix_io_config configs[] = {
        {.buf_count = 1U << 20, .buf_size = 1U << 30},
        {.buf_count = 102400,
         .buf_size = 1U << 30,
         .recv_buf_count = 32768,
         .recv_buf_size = 1U << 30},
    };
    const uint32_t fds = count_fds();
    struct tp_io *io = NULL;

    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++)
        cr_assert(eq(int, tp_posix_io_create(&configs[i], &io), -ENOMEM), "config %zu", i);
    cr_assert(eq(u32, count_fds(), fds));
}

/* ------------------------------------------------------------------ calls that are refused
 */

/* From now on the two system calls give `error`. */
static bool deny(uint32_t call, uint32_t other, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* A filter stays for good, so each runs in a process of its own, and says with its status
 * what was wrong. */
static void run_apart(int (*function)(void))
{
    int status;
    const pid_t child = fork();

    cr_assert(ge(int, child, 0));
    if (child == 0)
        _exit(function());
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    cr_assert(zero(int, status & 0x7f), "it was ended by a signal");
    if (WEXITSTATUS(status) == SKIPPED)
        cr_skip_test("no seccomp here");
    cr_assert(zero(int, WEXITSTATUS(status)), "what was wrong has this number");
}

/* A sandbox may hide the one call that is tried before a thread. */
static int without_reads_that_do_not_wait(void)
{
    char path[256], bytes[8];
    struct tp_buf in = tp_buf_empty(bytes, sizeof bytes), out = tp_buf_full("text", 4);
    struct tp_fd fd;
    struct tp_io *io;

    if (tp_posix_io_create(NULL, &io) != 0)
        return 1;
    scratch_name(path, "hidden");
    fd = open_file(io, path);
    tp_io_write_at(io, 1, fd, &out, 0);
    if (wait_for(io, 1) != 4)
        return 2;
    if (!deny(SYS_preadv2, SYS_preadv2, EPERM))
        return SKIPPED;
    tp_io_read_at(io, 2, fd, &in, 0);
    if (wait_for(io, 2) != 4 || memcmp(bytes, "text", 4) != 0)
        return 3;
    if (unlink(path) != 0)
        return 4;
    tp_io_destroy(io);
    return 0;
}

Test(files, are_read_where_a_sandbox_hides_a_call)
{
    run_apart(without_reads_that_do_not_wait);
}

/* What has no positions is read and written as it comes. */
Test(files, may_be_fifos)
{
    char path[256], bytes[8];
    struct tp_buf in = tp_buf_empty(bytes, sizeof bytes), out = tp_buf_full("text", 4);
    struct tp_fd fd;
    struct tp_io *io;
    int writer;

    cr_assert(zero(int, tp_posix_io_create(NULL, &io)));
    scratch_name(path, "fifo");
    fd = open_fifo(io, path, &writer);
    for (uint64_t offset = 0; offset < 8; offset += 4) {
        tp_io_write_at(io, 1, fd, &out, offset);
        cr_assert(eq(i32, wait_for(io, 1), 4));
        tp_io_read_at(io, 2, fd, &in, offset);
        cr_assert(eq(i32, wait_for(io, 2), 4));
        cr_assert(zero(int, memcmp(bytes, "text", 4)));
    }
    cr_assert(zero(i32, tp_io_block_on(io, tp_request_close(fd))));
    cr_assert(zero(int, close(writer)));
    cr_assert(zero(int, unlink(path)));
    tp_io_destroy(io);
}

static int32_t answer(void *context)
{
    return *(const int32_t *)context;
}

static int without_threads(void)
{
    static int32_t forty_two = 42;
    struct tp_statx statx;
    struct tp_io *io;

    if (!deny(SYS_clone3, SYS_clone, EAGAIN))
        return SKIPPED;
    if (tp_posix_io_create(NULL, &io) != 0)
        return 1;
    tp_io_offload(io, 1, answer, &forty_two);
    tp_io_nop(io, 3);
    if (wait_for(io, 1) != -EAGAIN ||
        tp_io_block_on(io, tp_request_stat("/", &statx)) != -EAGAIN)
        return 2;
    if (wait_for(io, 3) != 0 || tp_io_in_flight(io) != 0)
        return 3;
    tp_io_destroy(io);
    return 0;
}

Test(threads, that_cannot_be_had_fail_what_needs_them)
{
    run_apart(without_threads);
}

/* The first of them is there: it does all, one after the other. */
static int with_one_thread(void)
{
    static int32_t numbers[40];
    struct tp_io *io;

    if (tp_posix_io_create(NULL, &io) != 0)
        return 1;
    if (tp_io_block_on(io, tp_request_create_dir("/", 0700)) != -EEXIST)
        return 2;
    if (!deny(SYS_clone3, SYS_clone, EAGAIN))
        return SKIPPED;
    for (uint32_t i = 0; i < 40; i++) {
        numbers[i] = (int32_t)i;
        tp_io_offload(io, 1 + i, answer, &numbers[i]);
    }
    for (uint32_t i = 0; i < 40; i++) {
        if (wait_for(io, 1 + i) != (int32_t)i)
            return 3;
    }
    if (count_threads() != 2)
        return 4;
    tp_io_destroy(io);
    return 0;
}

Test(threads, that_cannot_be_added_leave_the_work_to_the_first)
{
    run_apart(with_one_thread);
}

static struct tp_fd made(struct tp_io *io, struct tp_request request)
{
    const int32_t value = tp_io_block_on(io, request);

    if (value < 0)
        _exit(10);
    return tp_io_into_fd(io, value);
}

/* Too many watches: what has to wait ends with the error, what need not goes on, and a
 * close finds nothing to take back. */
static int without_watches(void)
{
    const struct tp_address any = tp_address_ipv4(127, 0, 0, 1, 0);
    const struct tp_socket_options options = {0};
    struct tp_fd listener, one, other;
    struct tp_address address;
    char bytes[8];
    struct tp_buf in = tp_buf_empty(bytes, sizeof bytes), out = tp_buf_full("ping", 4);
    struct tp_io *io;

    if (tp_posix_io_create(NULL, &io) != 0)
        return 1;
    listener = made(io, tp_request_listen(&any, options));
    if (tp_io_block_on(io, tp_request_local_address(listener, &address)) != 0)
        return 2;
    one = made(io, tp_request_connect(&address, options));
    other = made(io, tp_request_accept(listener));
    if (!deny(SYS_epoll_ctl, SYS_epoll_ctl, ENOSPC))
        return SKIPPED;
    tp_io_recv(io, 1, other, &in);
    if (wait_for(io, 1) != -ENOSPC)
        return 3;
    tp_io_send(io, 2, one, &out);
    if (wait_for(io, 2) != 4)
        return 4;
    tp_io_recv(io, 3, other, &in);
    if (wait_for(io, 3) != 4)
        return 5;
    tp_io_recv_many(io, 4, other);
    if (wait_for(io, 4) != -ENOSPC || tp_io_in_flight(io) != 0)
        return 6;
    tp_io_close(io, 5, other);
    if (wait_for(io, 5) != 0)
        return 7;
    tp_io_destroy(io);
    return 0;
}

Test(readiness, that_cannot_be_watched_ends_what_would_wait)
{
    run_apart(without_watches);
}
