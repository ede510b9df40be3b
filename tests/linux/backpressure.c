/** tests/linux/backpressure.c - law 7: bounded operations are capped at the completion
 * queue and wait in order; cancel and close never wait; a close never overtakes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/linux/support.h"

static const struct tp_linux_io_config small = {
    .sq_entries = 8, .cq_entries = 8, .completions_max = 1000};

Test(backpressure, ten_times_the_queue_waits_in_order)
{
    const struct tp_linux_io_config config = {.sq_entries = 64, .cq_entries = 64};
    struct tp_io *io = make_io(&config);
    uint64_t next = 1;

    for (uint64_t handle = 1; handle <= 640; handle++)
        tp_io_nop(io, handle);
    cr_assert(eq(u32, tp_io_in_flight(io), 640));
    cr_assert(eq(u64, tp_io_stats(io)->held_back, 640 - 64));
    while (tp_io_in_flight(io) > 0) {
        const struct tp_completions *list = tp_io_completions(io);
        const uint64_t before = tp_io_stats(io)->enters;

        tp_io_poll(io);
        cr_assert(le(u64, tp_io_stats(io)->enters, before + 1));
        for (uint32_t i = 0; i < list->count; i++)
            cr_assert(eq(u64, list->items[i].handle, next++), "nops overtook each other");
        tp_completions_clear(tp_io_completions(io));
    }
    cr_assert(eq(u64, next, 641));
    cr_assert(eq(u64, tp_io_stats(io)->enters_extra, 0));
    tp_io_destroy(io);
}

Test(backpressure, ops_max_operations_in_flight_all_complete)
{
    static bool seen[65536];
    struct tp_io *io = make_io(NULL);
    struct tp_completion completion;
    uint32_t polls = 0;

    for (uint64_t handle = 1; handle <= 65536; handle++)
        tp_io_nop(io, handle);
    cr_assert(eq(u32, tp_io_room(io), 0));
    for (uint32_t claimed = 0; claimed < 65536; polls++) {
        tp_io_poll(io);
        for (uint64_t handle = 65536; handle >= 1; handle--) {
            if (!seen[handle - 1] && tp_io_get_cqe(io, handle, &completion)) {
                seen[handle - 1] = true;
                claimed++;
            }
        }
    }
    cr_assert(eq(u32, polls, 16));
    cr_assert(eq(u32, tp_io_in_flight(io), 0));
    cr_assert(eq(u64, tp_io_stats(io)->in_flight_max, 65536));
    tp_io_destroy(io);
}

/* Fills the cap with reads that wait for somebody to write. */
static struct tp_fd fill_cap(struct tp_io *io, const char *path, char bytes[8],
                             int *ret_writer)
{
    static struct tp_buf bufs[8];
    const struct tp_fd fifo = open_fifo(io, path, ret_writer);

    for (uint64_t i = 0; i < 8; i++) {
        bufs[i] = tp_buf_empty(&bytes[i], 1);
        tp_io_read_at(io, 100 + i, fifo, &bufs[i], 0);
    }
    tp_io_poll(io);
    return fifo;
}

Test(backpressure, cancel_and_close_do_not_wait)
{
    struct tp_io *io = make_io(&small);
    char fifo_path[256], path[256], bytes[8];
    int writer;
    struct tp_fd file;

    scratch_name(fifo_path, "fifo");
    scratch_name(path, "file");
    file = open_file(io, path);
    (void)fill_cap(io, fifo_path, bytes, &writer);
    tp_io_nop(io, 1);
    tp_io_close(io, 2, file);
    tp_io_cancel(io, 3, 107);
    cr_assert(zero(i32, wait_for(io, 2)));
    cr_assert(zero(i32, wait_for(io, 3)));
    cr_assert(eq(i32, wait_for(io, 107), -ECANCELED));
    cr_assert(zero(i32, wait_for(io, 1)), "the nop got the place of what was cancelled");
    cr_assert(eq(u32, tp_io_in_flight(io), 7));
    (void)unlink(fifo_path);
    (void)unlink(path);
    tp_io_destroy(io);
}

Test(backpressure, a_waiting_operation_can_be_cancelled)
{
    struct tp_io *io = make_io(&small);
    char fifo_path[256], bytes[8];
    int writer;
    uint64_t before;

    scratch_name(fifo_path, "fifo");
    (void)fill_cap(io, fifo_path, bytes, &writer);
    before = tp_io_stats(io)->enters;
    for (uint64_t handle = 1; handle <= 5; handle++)
        tp_io_nop(io, handle);
    tp_io_cancel(io, 6, 3);
    tp_io_cancel(io, 0, 4);
    tp_io_poll(io);
    cr_assert(eq(u64, tp_io_stats(io)->enters, before), "the kernel never knew them");
    cr_assert(eq(i32, wait_for(io, 3), -ECANCELED));
    cr_assert(eq(i32, wait_for(io, 4), -ECANCELED));
    cr_assert(zero(i32, wait_for(io, 6)));
    cr_assert(eq(i64, write(writer, "12345678", 8), 8));
    wait_for_all(io);
    cr_assert(eq(u32, tp_io_completions(io)->live, 8 + 3));
    (void)unlink(fifo_path);
    tp_io_destroy(io);
}

Test(backpressure, a_close_goes_behind_what_waits_on_its_file)
{
    struct tp_io *io = make_io(&small);
    char fifo_path[256], path[256], bytes[8], text[8];
    struct tp_buf first = tp_buf_full("ABCD", 4), second = tp_buf_full("EFGH", 4);
    struct tp_buf back = tp_buf_empty(text, 8);
    int writer;
    struct tp_fd file;

    scratch_name(fifo_path, "fifo");
    scratch_name(path, "file");
    file = open_file(io, path);
    (void)fill_cap(io, fifo_path, bytes, &writer);
    tp_io_write_at(io, 1, file, &first, 0);
    tp_io_write_at(io, 2, file, &second, 4);
    tp_io_set_mode(io, 3, file, 0600);
    tp_io_close(io, 4, file);
    tp_io_fsync(io, 5, file, 0);
    cr_assert(eq(i32, wait_for(io, 5), -EBADF), "the fd is gone from submission on");
    cr_assert(eq(i64, write(writer, "12345678", 8), 8));
    cr_assert(eq(i32, wait_for(io, 1), 4));
    cr_assert(eq(i32, wait_for(io, 2), 4));
    cr_assert(zero(i32, wait_for(io, 3)));
    cr_assert(zero(i32, wait_for(io, 4)));
    wait_for_all(io);
    tp_completions_clear(tp_io_completions(io));
    file = open_file(io, path);
    cr_assert(eq(i32, tp_io_block_on(io, tp_request_read_at(file, &back, 0)), 8));
    cr_assert(zero(int, memcmp(text, "ABCDEFGH", 8)));
    (void)unlink(fifo_path);
    (void)unlink(path);
    tp_io_destroy(io);
}

Test(backpressure, a_close_behind_cancelled_operations_still_closes)
{
    struct tp_io *io = make_io(&small);
    char fifo_path[256], path[256], bytes[8];
    struct tp_buf first = tp_buf_full("ABCD", 4);
    const uint32_t fds = count_fds_of(io);
    int writer;
    struct tp_fd file;

    scratch_name(fifo_path, "fifo");
    scratch_name(path, "file");
    file = open_file(io, path);
    (void)fill_cap(io, fifo_path, bytes, &writer);
    tp_io_write_at(io, 1, file, &first, 0);
    tp_io_close(io, 2, file);
    tp_io_cancel(io, 3, 2);
    tp_io_cancel(io, 4, 1);
    cr_assert(eq(i32, wait_for(io, 3), -EALREADY), "a close cannot be stopped");
    cr_assert(zero(i32, wait_for(io, 4)));
    cr_assert(eq(i32, wait_for(io, 1), -ECANCELED));
    cr_assert(zero(i32, wait_for(io, 2)));
    cr_assert(eq(u32, count_fds(), fds + 2), "the fifo, twice");
    (void)unlink(fifo_path);
    (void)unlink(path);
    tp_io_destroy(io);
}

Test(backpressure, paths_are_kept_while_operations_wait)
{
    struct tp_io *io = make_io(&small);
    char fifo_path[256], path[300], bytes[8], name[256];
    int writer;

    scratch_name(fifo_path, "fifo");
    (void)fill_cap(io, fifo_path, bytes, &writer);
    for (uint64_t i = 0; i < 200; i++) {
        scratch_name(name, "dir");
        (void)snprintf(path, sizeof path, "%s-%d", name, (int)i);
        tp_io_create_dir(io, 1001 + i, path, 0700);
        memset(path, 'x', sizeof path);
    }
    cr_assert(eq(i64, write(writer, "12345678", 8), 8));
    for (uint64_t i = 0; i < 200; i++)
        cr_assert(zero(i32, wait_for(io, 1001 + i)));
    for (uint64_t i = 0; i < 200; i++) {
        (void)snprintf(path, sizeof path, "%s-%d", name, (int)i);
        tp_io_remove_dir(io, 1001 + i, path);
        memset(path, 'x', sizeof path);
    }
    for (uint64_t i = 0; i < 200; i++)
        cr_assert(zero(i32, wait_for(io, 1001 + i)), "%s", path);
    (void)unlink(fifo_path);
    tp_io_destroy(io);
}
