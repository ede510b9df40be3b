/** tests/linux/cancel.c - stopping operations wherever they are. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/linux/support.h"

static char paths[2][256];

static void make_fifo(void)
{
    scratch_name(paths[0], "fifo");
    (void)unlink(paths[0]);
    cr_assert(zero(int, mkfifo(paths[0], 0600)));
}

static void pause_ms(uint32_t ms)
{
    struct timespec time = {0, (long)ms * 1000000};

    (void)nanosleep(&time, NULL);
}

Test(cancel, of_a_read_that_waits_wins)
{
    struct tp_io *io = make_io(NULL);
    char byte;
    struct tp_buf buf = tp_buf_empty(&byte, 1);
    int writer;
    struct tp_fd fifo;

    scratch_name(paths[0], "fifo");
    fifo = open_fifo(io, paths[0], &writer);
    tp_io_read_at(io, 1, fifo, &buf, 0);
    tp_io_poll(io);
    tp_io_cancel(io, 2, 1);
    cr_assert(zero(i32, wait_for(io, 2)));
    cr_assert(eq(i32, wait_for(io, 1), -ECANCELED));
    tp_io_read_at(io, 3, fifo, &buf, 0);
    tp_io_cancel(io, 0, 3); /* in the same batch */
    cr_assert(eq(i32, wait_for(io, 3), -ECANCELED));
    cr_assert(eq(u32, tp_io_in_flight(io), 0));
    (void)unlink(paths[0]);
    tp_io_destroy(io);
}

Test(cancel, of_what_is_done_or_never_was_finds_nothing)
{
    struct tp_io *io = make_io(NULL);

    tp_io_nop(io, 1);
    tp_io_poll(io);
    tp_io_cancel(io, 2, 1);
    tp_io_cancel(io, 3, 12345);
    tp_io_cancel(io, 4, 0);
    cr_assert(eq(i32, wait_for(io, 2), -ENOENT));
    cr_assert(eq(i32, wait_for(io, 3), -ENOENT));
    cr_assert(eq(i32, wait_for(io, 4), -ENOENT));
    cr_assert(zero(i32, wait_for(io, 1)));
    tp_io_destroy(io);
}

/* Opening a FIFO for writing waits for a reader. With `create` the kernel gives the open to
 * a worker at once, which waits; that one is interrupted. */
Test(cancel, of_an_open_that_waits_on_a_kernel_worker_interrupts_it)
{
    struct tp_io *io = make_io(NULL);
    const struct tp_open_options options = {.write = true, .create = true};
    const uint32_t fds = count_fds_of(io);

    make_fifo();
    tp_io_open(io, 1, paths[0], options);
    tp_io_poll(io);
    pause_ms(20);
    tp_io_cancel(io, 2, 1);
    cr_assert(eq(i32, wait_for(io, 1), -ECANCELED));
    (void)wait_for(io, 2);
    cr_assert(eq(u32, count_fds(), fds));
    (void)unlink(paths[0]);
    tp_io_destroy(io);
}

Test(cancel, of_a_job_on_a_thread_loses_and_of_one_behind_it_wins)
{
    const struct tp_linux_io_config config = {.workers_max = 1,
                                              .kinds_off = UINT64_C(1) << TP_OPEN};
    struct tp_io *io = make_io(&config);
    const struct tp_open_options options = {.read = true};
    int writer;

    make_fifo();
    tp_io_open(io, 1, paths[0], options);
    tp_io_poll(io);
    pause_ms(20);
    tp_io_open(io, 2, paths[0], options);
    tp_io_poll(io);
    tp_io_open(io, 3, paths[0], options); /* not handed over yet */
    tp_io_cancel(io, 11, 1);
    tp_io_cancel(io, 12, 2);
    tp_io_cancel(io, 13, 3);
    cr_assert(eq(i32, wait_for(io, 11), -EALREADY));
    cr_assert(zero(i32, wait_for(io, 12)));
    cr_assert(zero(i32, wait_for(io, 13)));
    cr_assert(eq(i32, wait_for(io, 2), -ECANCELED));
    cr_assert(eq(i32, wait_for(io, 3), -ECANCELED));
    cr_assert(eq(u32, tp_io_in_flight(io), 1));
    writer = open(paths[0], O_WRONLY | O_CLOEXEC);
    cr_assert(ge(i32, wait_for(io, 1), 0));
    (void)close(writer);
    (void)unlink(paths[0]);
    tp_io_destroy(io);
}

Test(cancel, of_a_close_cannot_be)
{
    struct tp_io *io = make_io(NULL);
    const uint32_t fds = count_fds_of(io);
    struct tp_fd fd;

    scratch_name(paths[0], "file");
    fd = open_file(io, paths[0]);
    tp_io_close(io, 1, fd);
    tp_io_cancel(io, 2, 1);
    cr_assert(eq(i32, wait_for(io, 2), -EALREADY));
    cr_assert(zero(i32, wait_for(io, 1)));
    cr_assert(eq(u32, count_fds(), fds));
    (void)unlink(paths[0]);
    tp_io_destroy(io);
}

Test(cancel, in_great_numbers_stays_cheap)
{
    const struct tp_linux_io_config config = {.sq_entries = 8, .cq_entries = 8};
    struct tp_io *io = make_io(&config);
    static char bytes[8];
    static struct tp_buf bufs[8];
    int writer;
    struct tp_fd fifo;

    scratch_name(paths[0], "fifo");
    fifo = open_fifo(io, paths[0], &writer);
    for (uint64_t i = 0; i < 8; i++) {
        bufs[i] = tp_buf_empty(&bytes[i], 1);
        tp_io_read_at(io, 100000 + i, fifo, &bufs[i], 0);
    }
    for (uint64_t handle = 1; handle <= 60000; handle++)
        tp_io_nop(io, handle);
    for (uint64_t handle = 60000; handle >= 1; handle--)
        tp_io_cancel(io, 0, handle);
    for (uint64_t handle = 0; handle < 8; handle++)
        tp_io_cancel(io, 0, 100000 + handle);
    wait_for_all(io);
    (void)unlink(paths[0]);
    tp_io_destroy(io);
}
