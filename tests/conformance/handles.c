/* Handles and fds: what names an operation or a file, and what no longer does. */
#include "conformance.h"

#include <stdio.h>

static int32_t run_under(struct conformance *c, uint64_t handle, struct tp_request request)
{
    request.handle = handle;
    tp_io_submit(c->io, &request);
    return await(c, handle);
}

static void handle_smallest_and_largest(struct conformance *c)
{
    EXPECT(c, run_under(c, 1, tp_request_nop()), 0);
    EXPECT(c, run_under(c, TP_HANDLE_MAX, tp_request_nop()), 0);
    EXPECT(c, run_under(c, TP_HANDLE_MAX - 1, tp_request_nop()), 0);
    EXPECT(c, run_under(c, UINT64_C(1) << 55, tp_request_nop()), 0);
    EXPECT(c, run_under(c, UINT64_C(1) << 32, tp_request_nop()), 0);
    EXPECT(c, run_under(c, UINT32_MAX, tp_request_nop()), 0);
}

/* Handles that agree in their lower half are still different. */
static void handles_alike_in_half(struct conformance *c)
{
    struct tp_request nop = tp_request_nop(), bad = tp_request_fsync(tp_fd_none(), 0);
    uint64_t low = 77, high = low + (UINT64_C(1) << 32), higher = low + (UINT64_C(1) << 50);

    nop.handle = low;
    tp_io_submit(c->io, &nop);
    bad.handle = high;
    tp_io_submit(c->io, &bad);
    nop.handle = higher;
    tp_io_submit(c->io, &nop);
    EXPECT(c, await(c, higher), 0);
    EXPECT(c, await(c, high), -EBADF);
    EXPECT(c, await(c, low), 0);
}

static void handle_used_again(struct conformance *c)
{
    for (uint32_t i = 0; i < 1000; i++) {
        if (!EXPECT(c, run_under(c, 42, tp_request_nop()), 0))
            break;
    }
}

/* No completion before the next poll, be it a result, an argument's fault or a bad fd. */
static void nothing_arrives_before_a_poll(struct conformance *c)
{
    struct tp_completion completion;
    uint64_t nop = submit(c, tp_request_nop());
    uint64_t bad = submit(c, tp_request_fsync(tp_fd_none(), 0));
    uint64_t empty = submit(c, tp_request_remove(""));

    EXPECT_THAT(c, !tp_io_get_cqe(c->io, nop, &completion));
    EXPECT_THAT(c, !tp_io_get_cqe(c->io, bad, &completion));
    EXPECT_THAT(c, !tp_io_get_cqe(c->io, empty, &completion));
    EXPECT_THAT(c, tp_io_completions(c->io)->live == 0 && tp_io_in_flight(c->io) == 3);
    EXPECT(c, await(c, empty), -ENOENT);
    EXPECT(c, await(c, bad), -EBADF);
    EXPECT(c, await(c, nop), 0);
}

static void claim_of_nobody(struct conformance *c)
{
    struct tp_completion completion;
    uint64_t nop = submit(c, tp_request_nop());

    tp_io_poll(c->io);
    EXPECT_THAT(c, !tp_io_get_cqe(c->io, 0, &completion));
    EXPECT_THAT(c, !tp_io_get_cqe(c->io, nop + 1, &completion));
    EXPECT(c, await(c, nop), 0);
    EXPECT_THAT(c, !tp_io_get_cqe(c->io, nop, &completion));
}

/* An invalid operation spoils none of its neighbours, before or after it. */
static void invalid_among_valid(struct conformance *c)
{
    uint64_t handles[99];

    for (uint32_t i = 0; i < 99; i++)
        handles[i] = submit(c, i % 3 == 1   ? tp_request_remove("")
                               : i % 3 == 2 ? tp_request_remove(at(c, "missing"))
                                            : tp_request_nop());
    for (uint32_t i = 0; i < 99; i++)
        EXPECT(c, await(c, handles[i]), i % 3 == 0 ? 0 : -ENOENT);
}

/* The number of a closed file goes to the next one; the old fd does not. */
static void fd_stale_after_reuse(struct conformance *c)
{
    uint8_t byte = 'x';
    struct tp_buf buf = tp_buf_full(&byte, 1);
    struct tp_statx statx;
    struct tp_fd old, fresh;

    make_file(c, at(c, "a"), 10);
    make_file(c, at(c, "b"), 20);
    old = open_file(c, at(c, "a"), "rw");
    close_file(c, old);
    fresh = open_file(c, at(c, "b"), "rw");
    EXPECT_THAT(c, fresh.number != old.number || fresh.generation != old.generation);
    EXPECT(c, run(c, tp_request_fstat(old, &statx)), -EBADF);
    EXPECT(c, run(c, tp_request_write_at(old, &buf, 0)), -EBADF);
    EXPECT(c, run(c, tp_request_truncate(old, 0)), -EBADF);
    EXPECT(c, run(c, tp_request_close(old)), -EBADF);
    EXPECT(c, run(c, tp_request_fstat(fresh, &statx)), 0);
    EXPECT_THAT(c, statx.size == 20);
    close_file(c, fresh);
}

/* From the submission of its close a fd is gone, in the same batch already. */
static void fd_gone_once_close_is_submitted(struct conformance *c)
{
    uint8_t byte;
    struct tp_buf buf = tp_buf_empty(&byte, 1);
    uint64_t close, read, again;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 10);
    fd = open_file(c, at(c, "a"), "r");
    close = submit(c, tp_request_close(fd));
    read = submit(c, tp_request_read_at(fd, &buf, 0));
    again = submit(c, tp_request_close(fd));
    EXPECT(c, await(c, read), -EBADF);
    EXPECT(c, await(c, again), -EBADF);
    EXPECT(c, await(c, close), 0);
}

static void fd_of_no_file(struct conformance *c)
{
    struct tp_fd nonsense = {3, 77}, far = {UINT32_MAX, 1}, none = tp_fd_none();

    EXPECT_THAT(c, !tp_fd_is_some(none) && tp_fd_is_some(nonsense));
    EXPECT(c, run(c, tp_request_close(none)), -EBADF);
    EXPECT(c, run(c, tp_request_close(nonsense)), -EBADF);
    EXPECT(c, run(c, tp_request_close(far)), -EBADF);
    EXPECT(c, run(c, tp_request_fsync(far, 0)), -EBADF);
}

static void fd_many_open(struct conformance *c)
{
    enum { COUNT = 300 };
    struct tp_fd fds[COUNT];
    struct tp_statx statx;

    make_file(c, at(c, "a"), 10);
    for (uint32_t i = 0; i < COUNT; i++) {
        fds[i] = open_file(c, at(c, "a"), "r");
        for (uint32_t k = 0; k < i; k += 37)
            EXPECT_THAT(c, fds[k].number != fds[i].number);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT(c, run(c, tp_request_fstat(fds[i], &statx)), 0);
    for (uint32_t i = 0; i < COUNT; i++)
        close_file(c, fds[COUNT - 1 - i]);
}

static void fd_open_and_close_again_and_again(struct conformance *c)
{
    make_file(c, at(c, "a"), 10);
    for (uint32_t i = 0; i < 2000; i++)
        close_file(c, open_file(c, at(c, "a"), "r"));
}

/* The path is copied at submission: its memory is free at once. */
static void path_memory_free_after_submission(struct conformance *c)
{
    char path[DIR_MAX + 16], other[DIR_MAX + 16];
    uint64_t handles[3];
    struct tp_statx statx;
    struct tp_request rename;

    make_file(c, at(c, "a"), 10);
    (void)snprintf(path, sizeof path, "%s", at(c, "d"));
    handles[0] = submit(c, tp_request_create_dir(path, 0777));
    memset(path, '#', sizeof path);
    (void)snprintf(path, sizeof path, "%s", at(c, "l"));
    (void)snprintf(other, sizeof other, "%s", "target");
    handles[1] = submit(c, tp_request_symlink(path, other));
    memset(path, '#', sizeof path);
    memset(other, '#', sizeof other);
    (void)snprintf(path, sizeof path, "%s", at(c, "a"));
    (void)snprintf(other, sizeof other, "%s", at(c, "b"));
    rename = tp_request_rename(path, other);
    handles[2] = submit(c, rename);
    memset(path, '#', sizeof path);
    memset(other, '#', sizeof other);
    for (uint32_t i = 0; i < 3; i++)
        EXPECT(c, await(c, handles[i]), 0);
    EXPECT(c, run(c, tp_request_stat(at(c, "d"), &statx)), 0);
    EXPECT(c, run(c, tp_request_stat(at(c, "b"), &statx)), 0);
    EXPECT(c, run(c, tp_request_lstat(at(c, "l"), &statx)), 0);
}

const struct conformance_program conformance_handles[] = {
    PROGRAM(handle_smallest_and_largest),
    PROGRAM(handles_alike_in_half),
    PROGRAM(handle_used_again),
    PROGRAM(nothing_arrives_before_a_poll),
    PROGRAM(claim_of_nobody),
    PROGRAM(invalid_among_valid),
    PROGRAM(fd_stale_after_reuse),
    PROGRAM(fd_gone_once_close_is_submitted),
    PROGRAM(fd_of_no_file),
    PROGRAM(fd_many_open),
    PROGRAM(fd_open_and_close_again_and_again),
    PROGRAM(path_memory_free_after_submission),
    SCRIPT("close_twice", "file a x; open A a r; close A = 0; close A = EBADF"),
    SCRIPT("close_no_fd", "close Z = EBADF"),
    SCRIPT("close_directory", "mkdir d; open D d r; close D = 0; open D d r"),
    SCRIPT("close_leaves_other_fds",
           "file a x; open A a r; open B a r; close A; read B 0 9 = 1 x"),
    SCRIPT("close_removed", "open A a wc; remove a; close A = 0; lstat a = ENOENT"),
    SCRIPT("nop", "nop = 0"),
    {0},
};
