/** tests/unit/io_shared.c - the part that all backends share: completions, fds, buffers,
 * checks. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "io/io.h"
#include "tests/common/allocator.h"
#include "tests/common/expect_stop.h"
#include "tests/common/manual_io.h"

static struct manual_io manual;
static struct tp_io *const io = &manual.io;

static void set_up(void)
{
    manual_io_init(&manual);
}

static void tear_down(void)
{
    manual_io_deinit(&manual);
}

static int32_t claim(uint64_t handle)
{
    struct tp_completion completion;

    tp_io_poll(io);
    cr_assert(tp_io_get_cqe(io, handle, &completion), "handle %llu has not arrived",
              (unsigned long long)handle);
    return completion.value;
}

static struct tp_fd open_fd(int32_t number)
{
    tp_io_open(io, 77, "f", (struct tp_open_options){.read = true, .write = true});
    manual_complete(manual_find(&manual, TP_OPEN), number);
    cr_assert(eq(i32, claim(77), number));
    return tp_io_into_fd(io, number);
}

/* ------------------------------------------------------------------ completions */

TestSuite(completions, .init = set_up, .fini = tear_down);

Test(completions, are_claimed_in_any_order)
{
    struct tp_completion completion;

    for (uint64_t handle = 1; handle <= 1000; handle++)
        tp_io_nop(io, handle);
    cr_assert(eq(u32, tp_io_in_flight(io), 1000));
    tp_io_poll(io);
    cr_assert(eq(u32, tp_io_in_flight(io), 0));
    for (uint64_t i = 0; i < 1000; i++)
        cr_assert(tp_io_get_cqe(io, 1 + i * 7 % 1000, &completion));
    cr_assert(not(tp_io_get_cqe(io, 1, &completion)), "claimed twice");
    cr_assert(eq(u32, tp_io_completions(io)->count, 0));
}

Test(completions, of_several_polls_are_kept_until_claimed)
{
    struct tp_completion completion;

    for (uint64_t round = 0; round < 5000; round++) {
        tp_io_nop(io, 2 * round + 1);
        tp_io_nop(io, 2 * round + 2);
        tp_io_poll(io);
        cr_assert(tp_io_get_cqe(io, 2 * round + 1, &completion));
        if (round >= 100)
            cr_assert(tp_io_get_cqe(io, 2 * (round - 100) + 2, &completion), "round %d",
                      (int)round);
    }
}

Test(completions, that_do_not_fit_wait_for_the_next_poll)
{
    struct tp_completions list;
    struct tp_completion completion;

    cr_assert(eq(int, tp_completions_init(&list, 4, NULL), 0));
    for (uint64_t handle = 1; handle <= 4; handle++)
        tp_completions_push(&list, handle, 0, 0);
    cr_assert(eq(u32, tp_completions_room(&list), 0));
    cr_assert(tp_completions_take(&list, 2, &completion));
    cr_assert(eq(u32, tp_completions_room(&list), 1), "claimed ones make room");
    tp_completions_push(&list, 5, 55, 0);
    cr_assert(tp_completions_take(&list, 5, &completion));
    cr_assert(eq(i32, completion.value, 55));
    cr_assert(tp_completions_take(&list, 1, &completion));
    tp_completions_deinit(&list, NULL);
}

Test(completions, of_one_handle_come_in_order)
{
    struct tp_completions list;
    struct tp_completion completion;

    cr_assert(eq(int, tp_completions_init(&list, 8, NULL), 0));
    for (int32_t i = 0; i < 8; i++)
        tp_completions_push(&list, 9, i, TP_MORE);
    for (int32_t i = 0; i < 8; i++) {
        cr_assert(tp_completions_take(&list, 9, &completion));
        cr_assert(eq(i32, completion.value, i));
    }
    tp_completions_deinit(&list, NULL);
}

/* The work of a claim is counted in probes of the index, not in time: a scan would need
 * 2^31. */
Test(completions, cost_the_same_among_65536_as_among_64, .timeout = 10)
{
    struct tp_completions list;
    struct tp_completion completion;

    cr_assert(eq(int, tp_completions_init(&list, 65536, NULL), 0));
    for (uint32_t round = 0; round < 20; round++) {
        for (uint64_t handle = 1; handle <= 65536; handle++)
            tp_completions_push(&list, handle << 24 | handle, 0, 0);
        for (uint64_t handle = 65536; handle >= 1; handle--)
            cr_assert(tp_completions_take(&list, handle << 24 | handle, &completion));
    }
    tp_completions_deinit(&list, NULL);
}

/* ------------------------------------------------------------------ fds */

TestSuite(fds, .init = set_up, .fini = tear_down);

Test(fds, are_stale_as_soon_as_their_close_is_submitted)
{
    struct tp_fd fd = open_fd(5);
    uint8_t memory[8];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);

    tp_io_close(io, 1, fd);
    tp_io_read_at(io, 2, fd, &buf, 0);
    tp_io_close(io, 3, fd);
    manual_complete(manual_find(&manual, TP_CLOSE), 0);
    cr_assert(eq(i32, claim(2), -EBADF));
    cr_assert(eq(i32, claim(3), -EBADF));
    cr_assert(eq(i32, claim(1), 0));
}

Test(fds, of_a_reused_number_differ)
{
    struct tp_fd first = open_fd(5), second;
    uint8_t memory[8];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);

    tp_io_close(io, 1, first);
    manual_complete(manual_find(&manual, TP_CLOSE), 0);
    cr_assert(eq(i32, claim(1), 0));
    second = open_fd(5);
    cr_assert(ne(u32, first.generation, second.generation));
    tp_io_read_at(io, 2, first, &buf, 0);
    cr_assert(eq(i32, claim(2), -EBADF));
}

/* ------------------------------------------------------------------ arguments */

TestSuite(arguments, .init = set_up, .fini = tear_down);

Test(arguments, of_an_open_that_conflict_are_refused_with_a_reason)
{
    for (uint32_t bits = 0; bits < 128; bits++) {
        struct tp_open_options options = {
            .read = bits & 1,
            .write = bits & 2,
            .create = bits & 4,
            .create_new = bits & 8,
            .truncate = bits & 16,
            .direct = bits & 32,
            .dsync = bits & 64,
        };
        bool legal =
            options.write || (options.read && !options.create && !options.create_new &&
                              !options.truncate && !options.dsync);

        cr_assert(eq(int, tp_open_options_conflict(options) == NULL, legal), "options %u",
                  bits);
        tp_io_open(io, 1, "f", options);
        if (legal)
            manual_complete(manual_find(&manual, TP_OPEN), -EIO);
        cr_assert(eq(i32, claim(1), legal ? -EIO : -EINVAL), "options %u", bits);
    }
}

Test(arguments, that_are_bad_arrive_as_completions)
{
    static char long_path[TP_PATH_MAX + 1], long_name[TP_NAME_MAX + 2];
    struct tp_open_options options = {.read = true};
    struct tp_fd dir = open_fd(3);
    struct tp_statx statx;
    uint64_t memory[4];
    struct tp_buf buf = tp_buf_empty((uint8_t *)memory + 1, 16);
    struct tp_buf nowhere = tp_buf_empty(NULL, 16);

    memset(long_path, 'x', TP_PATH_MAX);
    memset(long_name, 'x', TP_NAME_MAX + 1);
    tp_io_open(io, 1, "", options);
    tp_io_open(io, 2, long_path, options);
    tp_io_open_in(io, 3, dir, "a/b", options);
    tp_io_open_in(io, 4, dir, "..", options);
    tp_io_open_in(io, 5, dir, ".", options);
    tp_io_open_in(io, 6, dir, long_name, options);
    tp_io_open_in(io, 7, tp_fd_none(), "a", options);
    tp_io_rename_in(io, 8, dir, "a", tp_fd_none(), "b");
    tp_io_rename_in(io, 9, dir, "a", dir, "b/c");
    tp_io_stat(io, 10, "", &statx);
    tp_io_symlink(io, 11, "a", "");
    tp_io_read_at(io, 12, dir, &nowhere, 0);
    tp_io_read_at(io, 13, dir, &buf, UINT64_MAX);
    tp_io_list_dir(io, 14, dir, &buf);
    tp_io_fallocate(io, 15, dir, 0, 0, 0);
    tp_io_truncate(io, 16, dir, UINT64_MAX);
    tp_io_find_data(io, 17, dir, UINT64_MAX, (struct tp_extent *)memory);
    tp_io_open(io, 18, NULL, options);
    cr_assert(eq(u32, manual_pending(&manual), 0), "the backend was bothered");
    cr_assert(eq(u32, tp_io_unsubmitted(io), 18),
              "a host must know that a poll brings something");
    {
        static const int32_t expected[] = {
            -ENOENT, -ENAMETOOLONG, -EINVAL, -EINVAL, -EINVAL, -ENAMETOOLONG,
            -EBADF,  -EBADF,        -EINVAL, -ENOENT, -ENOENT, -EFAULT,
            -EINVAL, -EINVAL,       -EINVAL, -EINVAL, -EINVAL, -EFAULT};

        for (uint64_t handle = 1; handle <= 18; handle++)
            cr_assert(eq(i32, claim(handle), expected[handle - 1]), "handle %d",
                      (int)handle);
    }
}

Test(arguments, longer_than_one_operation_moves_are_shortened)
{
    struct tp_fd fd = open_fd(3);
    struct tp_buf buf = tp_buf_empty(&manual, UINT32_MAX);

    (void)buf;
#ifndef TP_CHECKED /* a checked build would poison 4 GiB that are not there */
    tp_io_read_at(io, 1, fd, &buf, 0);
    cr_assert(eq(u32, manual_find(&manual, TP_READ)->request.len, TP_LEN_MAX));
    manual_complete(manual_find(&manual, TP_READ), 0);
    cr_assert(eq(i32, claim(1), 0));
#endif
    (void)fd;
}

Test(arguments, of_services_that_are_bad_arrive_as_completions)
{
    static char long_name[TP_NAME_MAX + 2];
    struct tp_address none, path, endless;
    struct tp_socket_options options = {0};
    struct tp_fd fd = open_fd(3);
    struct tp_addresses addresses;
    struct tp_buf bufs[TP_BUFS_MAX + 1];
    uint8_t memory[8];
    struct tp_buf nowhere = tp_buf_empty(NULL, 8);

    memset(&none, 0, sizeof none);
    path = endless = none;
    path.family = endless.family = TP_ADDRESS_UNIX;
    memset(endless.at.path, 'x', sizeof endless.at.path);
    memset(long_name, 'x', TP_NAME_MAX + 1);
    for (uint32_t i = 0; i <= TP_BUFS_MAX; i++)
        bufs[i] = tp_buf_full(memory, 1);
    tp_io_listen(io, 1, NULL, options);
    tp_io_listen(io, 2, &none, options);
    tp_io_connect(io, 3, &path, options);
    tp_io_connect(io, 4, &endless, options);
    tp_io_send_bufs(io, 5, fd, bufs, 0);
    tp_io_send_bufs(io, 6, fd, bufs, TP_BUFS_MAX + 1);
    tp_io_send_bufs(io, 7, fd, NULL, 0);
    tp_io_send_bufs(io, 8, fd, NULL, 1);
    tp_io_send_bufs(io, 9, tp_fd_none(), bufs, 1);
    tp_io_recv(io, 10, fd, &nowhere);
    tp_io_recv_many(io, 11, tp_fd_none());
    tp_io_accept_many(io, 12, tp_fd_none());
    tp_io_shutdown(io, 13, fd, 0);
    tp_io_local_address(io, 14, fd, NULL);
    tp_io_resolve(io, 15, "", &addresses);
    tp_io_resolve(io, 16, long_name, &addresses);
    tp_io_resolve(io, 17, NULL, &addresses);
    tp_io_offload(io, 18, NULL, NULL);
    tp_io_signal(io, 19, 0);
    tp_io_signal(io, 20, 2 * TP_SIGNAL_USR2);
    tp_io_signal(io, 21, TP_SIGNAL_HUP | UINT32_C(1) << 31);
    cr_assert(eq(u32, manual_pending(&manual), 0), "the backend was bothered");
    {
        static const int32_t expected[] = {
            -EFAULT, -EAFNOSUPPORT, -EINVAL, -ENAMETOOLONG, -EINVAL, -EINVAL, -EINVAL,
            -EFAULT, -EBADF,        -EFAULT, -EBADF,        -EBADF,  -EINVAL, -EFAULT,
            -ENOENT, -ENAMETOOLONG, -EFAULT, -EFAULT,       -EINVAL, -EINVAL, -EINVAL};

        for (uint64_t handle = 1; handle <= 21; handle++)
            cr_assert(eq(i32, claim(handle), expected[handle - 1]), "handle %d",
                      (int)handle);
    }
}

static void submit_twice_the_bound(void *argument)
{
    (void)argument;
    for (uint64_t handle = 1; handle <= 10000; handle++)
        tp_io_nop(io, handle);
}

static void submit_without_handle(void *argument)
{
    (void)argument;
    tp_io_nop(io, 0);
}

static void park_for_nothing(void *argument)
{
    (void)argument;
    tp_io_park(io, TP_NEVER);
}

static void block_in_a_tick(void *argument)
{
    (void)argument;
    io->in_tick = true;
    (void)tp_io_create_dir_all_blocking(io, "a");
}

static void list_in_a_tick(void *argument)
{
    (void)argument;
    io->in_tick = true;
    (void)tp_io_list_dir_blocking(io, "a", NULL, NULL);
}

Test(arguments, that_are_the_programmers_mistake_stop_the_program)
{
    expect_stop(submit_twice_the_bound, NULL, "8192 operations are in flight", "tp_io_room",
                "nop");
    expect_stop(submit_without_handle, NULL, "TP_CANCEL");
    expect_stop(park_for_nothing, NULL, "in_flight > 0");
    expect_stop(block_in_a_tick, NULL, "blocking create_dir_all inside a tick");
    expect_stop(list_in_a_tick, NULL, "blocking open inside a tick");
}

/* A deadline must be able to stop an operation of a full Io. */
Test(arguments, a_cancel_that_nobody_waits_for_needs_no_room)
{
    struct tp_request cancel = tp_request_cancel(1);

    for (uint64_t handle = 1; tp_io_room(io) > 0; handle++)
        tp_io_nop(io, handle);
    tp_io_submit(io, &cancel);
    cr_assert(eq(u32, manual.cancels, 1));
}

/* ------------------------------------------------------------------ the kernel */

/* A backend that enters the kernel once to submit and once more to reap. */
static void enters_twice(struct tp_io *it)
{
    it->stats.enters += 2;
}

static void poll_with_two_enters(void *nothing)
{
    struct tp_io_backend greedy = *manual.io.backend;

    (void)nothing;
    greedy.poll = enters_twice;
    manual.io.backend = &greedy;
    tp_io_poll(&manual.io);
}

static void poll_with_a_full_queue(void)
{
    manual.io.stats.enters += 2;
    manual.io.stats.enters_extra += 2; /* in submit(), before the poll */
    tp_io_poll(&manual.io);
}

TestSuite(kernel, .init = set_up, .fini = tear_down);

Test(kernel, is_entered_once_an_iteration_or_the_program_stops)
{
    expect_stop(poll_with_two_enters, NULL, "entered the kernel 2 times in one iteration",
                "law 6");
    poll_with_a_full_queue();
}

/* ------------------------------------------------------------------ registered buffers */

static uint8_t pool_memory[4 * 4096] __attribute__((aligned(4096)));

static void set_up_bufs(void)
{
    set_up();
    cr_assert(eq(int, tp_io_set_bufs(io, pool_memory, 4, 4096), 0));
}

TestSuite(bufs, .init = set_up_bufs, .fini = tear_down);

Test(bufs, run_out_with_null_and_are_counted)
{
    struct tp_buf *bufs[4];

    for (int i = 0; i < 4; i++) {
        bufs[i] = tp_io_acquire_buf(io);
        cr_assert(ne(ptr, bufs[i], NULL));
        cr_assert(eq(uptr, (uintptr_t)bufs[i]->data % 4096, 0));
        cr_assert(eq(u32, bufs[i]->capacity, 4096));
    }
    cr_assert(eq(ptr, tp_io_acquire_buf(io), NULL));
    cr_assert(eq(u64, tp_io_stats(io)->bufs_exhausted, 1));
    for (int i = 0; i < 4; i++)
        tp_io_release_buf(io, bufs[i]);
    bufs[0] = tp_io_acquire_buf(io);
    cr_assert(eq(u32, bufs[0]->len, 0));
    tp_io_release_buf(io, bufs[0]);
}

static void release_foreign(void *argument)
{
    struct tp_buf foreign = tp_buf_empty(pool_memory, 16);

    (void)argument;
    tp_io_release_buf(io, &foreign);
}

static void release_twice(void *argument)
{
    struct tp_buf *buf = tp_io_acquire_buf(io);

    (void)argument;
    tp_io_release_buf(io, buf);
    tp_io_release_buf(io, buf);
}

static void release_part(void *argument)
{
    struct tp_buf *buf = tp_io_acquire_buf(io);
    struct tp_buf part = tp_buf_from(buf, 512);

    (void)argument;
    tp_io_release_buf(io, &part);
}

static void part_past_the_end(void *argument)
{
    (void)argument;
    (void)tp_buf_from(tp_io_acquire_buf(io), 4097);
}

Test(bufs, released_wrongly_stop_the_program)
{
    expect_stop(release_foreign, NULL, "io_shared.c", "not a registered buffer of this Io");
    expect_stop(release_twice, NULL, "io_shared.c", "registered buffer 0 twice");
    expect_stop(release_part, NULL, "not a registered buffer");
    expect_stop(part_past_the_end, NULL, "offset_bytes <= buf->capacity");
}

struct seen {
    char messages[4][64];
    int64_t lines[4];
    uint32_t count;
};

static void see(void *context, enum tp_log_level level, const char *message,
                const struct tp_log_field *fields, uint32_t count)
{
    struct seen *seen = context;

    (void)level;
    cr_assert(ge(u32, count, 3));
    (void)strncpy(seen->messages[seen->count], message, 63);
    seen->lines[seen->count++] = fields[2].number;
}

Test(bufs, and_fds_that_are_left_are_reported_at_the_end)
{
    struct seen seen = {.count = 0};
    int line;

    io->log.write = see;
    io->log.context = &seen;
    line = __LINE__ + 1;
    (void)tp_io_acquire_buf(io);
    (void)open_fd(4);
    tp_io_fd_site(io, 4, "somewhere.c", 99);
    tear_down();
    cr_assert(eq(u32, seen.count, 2));
    cr_assert(eq(str, seen.messages[0], "fd left open"));
    cr_assert(eq(i64, seen.lines[0], 99));
    cr_assert(eq(str, seen.messages[1], "registered buffer not released"));
    cr_assert(eq(i64, seen.lines[1], line));
    set_up();
}

/* ------------------------------------------------------------------ every allocation may
 * fail */

Test(memory, that_is_missing_at_init_leaves_nothing_behind)
{
    static const struct tp_io_bounds bounds = {64, 64, 64};

    for (uint32_t nth = 1;; nth++) {
        struct allocator allocator;
        struct tp_io other;
        int result;

        allocator_init(&allocator);
        allocator.fail_in = nth;
        allocator.fails_on = true;
        result = tp_io_init(&other, manual.io.backend, &bounds, &allocator.hooks, NULL);
        if (result == 0) {
            cr_assert(lt(u32, 4, nth));
            tp_io_deinit(&other);
            cr_assert(eq(u64, allocator.live_blocks, 0));
            break;
        }
        cr_assert(eq(int, result, -ENOMEM));
        cr_assert(eq(u64, allocator.live_blocks, 0), "allocation %u", nth);
    }
}

Test(memory, bounds_of_nothing_are_refused)
{
    struct tp_io other;
    struct tp_io_bounds bounds = {0, 1, 1};

    cr_assert(eq(int, tp_io_init(&other, NULL, &bounds, NULL, NULL), -EINVAL));
}

Test(names, of_errors_are_words_and_numbers)
{
    cr_assert(eq(str, (char *)(uintptr_t)tp_errno_name(-EIO), "EIO"));
    cr_assert(eq(str, (char *)(uintptr_t)tp_errno_name(ENOSPC), "ENOSPC"));
    cr_assert(eq(str, (char *)(uintptr_t)tp_errno_name(0), "OK"));
    cr_assert(eq(i32, tp_errno_number(-ENOSPC), -28));
    cr_assert(eq(i32, tp_errno_number(ENOTEMPTY), 39));
    cr_assert(eq(i32, tp_errno_number(0), 0));
    cr_assert(eq(i32, tp_errno_number(-12345), -12345));
    cr_assert(eq(str, (char *)(uintptr_t)tp_errno_name(-99999), "E?"));
    cr_assert(eq(u32, tp_version(), TP_VERSION_NUMBER));
}
