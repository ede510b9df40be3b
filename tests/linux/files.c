/** tests/linux/files.c - fds: numbers that come again, hot files, registered buffers. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/linux/support.h"

static int32_t run(struct tp_io *io, struct tp_request request)
{
    return tp_io_block_on(io, request);
}

Test(files, a_number_that_comes_again_is_another_fd)
{
    struct tp_io *io = make_io(NULL);
    char path[256], text[4];
    struct tp_buf buf = tp_buf_full("1234", 4), back = tp_buf_empty(text, 4);
    struct tp_fd first, second;

    scratch_name(path, "file");
    first = open_file(io, path);
    cr_assert(eq(i32, run(io, tp_request_write_at(first, &buf, 0)), 4));
    tp_io_close(io, 1, first);
    tp_io_read_at(io, 2, first, &back, 0);
    cr_assert(zero(i32, wait_for(io, 1)));
    cr_assert(eq(i32, wait_for(io, 2), -EBADF), "unusable from the submission of close on");
    second = open_file(io, path);
    cr_assert(eq(u32, second.number, first.number));
    cr_assert(ne(u32, second.generation, first.generation));
    cr_assert(eq(i32, run(io, tp_request_read_at(first, &back, 0)), -EBADF));
    cr_assert(eq(i32, run(io, tp_request_close(first)), -EBADF));
    cr_assert(eq(i32, run(io, tp_request_read_at(second, &back, 0)), 4));
    (void)unlink(path);
    tp_io_destroy(io);
}

Test(files, a_number_beyond_the_table_is_closed_again)
{
    const struct tp_linux_io_config config = {.fds_max = 3};
    struct tp_io *io = make_io(&config);
    const uint32_t fds = count_fds_of(io);
    char path[256];
    const struct tp_open_options options = {.read = true};

    scratch_name(path, ".");
    cr_assert(eq(i32, run(io, tp_request_open("/", options)), -EMFILE));
    cr_assert(eq(u32, count_fds(), fds));
    tp_io_destroy(io);
}

/* Files use the same numbers and the same few slots again and again, some of them closed in
 * the same batch in which they became hot; each says who it is. */
Test(files, hot_files_are_never_confused)
{
    const struct tp_linux_io_config config = {.files_max = 3};
    struct tp_io *io = make_io(&config);
    char path[256], names[8][264];
    struct tp_fd fds[8];
    char texts[24];
    struct tp_buf bufs[24];

    scratch_name(path, "hot");
    for (uint32_t i = 0; i < 8; i++) {
        char text = (char)('a' + i);
        struct tp_buf buf = tp_buf_full(&text, 1);

        (void)snprintf(names[i], sizeof names[i], "%s-%u", path, i);
        fds[i] = open_file(io, names[i]);
        cr_assert(eq(i32, run(io, tp_request_write_at(fds[i], &buf, 0)), 1));
    }
    for (uint32_t round = 0; round < 400; round++) {
        const uint32_t at = round % 8, count = 1 + round * 7 % 24;

        for (uint32_t i = 0; i < count; i++) {
            bufs[i] = tp_buf_empty(&texts[i], 1);
            tp_io_read_at(io, 10 + i, fds[at], &bufs[i], 0);
        }
        if (round % 3 == 0)
            tp_io_close(io, 1, fds[at]);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert(eq(i32, wait_for(io, 10 + i), 1));
            cr_assert(eq(chr, texts[i], (char)('a' + at)));
        }
        if (round % 3 == 0) {
            cr_assert(zero(i32, wait_for(io, 1)));
            fds[at] = open_file(io, names[at]);
        }
    }
    for (uint32_t i = 0; i < 8; i++) {
        cr_assert(zero(i32, run(io, tp_request_close(fds[i]))));
        (void)unlink(names[i]);
    }
    tp_io_destroy(io);
}

Test(files, a_hot_file_is_really_closed)
{
    struct tp_io *io = make_io(NULL);
    int ends[2];
    char path[64], byte = 0;
    struct tp_buf buf = tp_buf_full("x", 1);
    struct tp_fd fd;
    const struct tp_open_options options = {.write = true};
    int32_t value;

    cr_assert(zero(int, pipe(ends)));
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    value = run(io, tp_request_open(path, options));
    cr_assert(ge(i32, value, 0));
    fd = tp_io_into_fd(io, value);
    (void)close(ends[1]);
    for (int i = 0; i < 50; i++) {
        cr_assert(eq(i32, run(io, tp_request_write_at(fd, &buf, 0)), 1));
        cr_assert(eq(i64, read(ends[0], &byte, 1), 1));
    }
    cr_assert(zero(i32, run(io, tp_request_close(fd))));
    cr_assert(eq(i64, read(ends[0], &byte, 1), 0), "the table still holds the other end");
    tp_io_destroy(io);
}

Test(bufs, run_out_and_come_back)
{
    const struct tp_linux_io_config config = {.buf_count = 5, .buf_size = 8192};
    struct tp_io *io = make_io(&config);
    struct tp_buf *bufs[5];

    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 5; i++) {
            bufs[i] = tp_io_acquire_buf(io);
            cr_assert(bufs[i] != NULL);
            cr_assert(zero(u64, (uint64_t)(uintptr_t)bufs[i]->data % tp_io_block_size(io)));
            cr_assert(eq(u32, bufs[i]->capacity, 8192));
        }
        cr_assert(tp_io_acquire_buf(io) == NULL);
        cr_assert(eq(u64, tp_io_stats(io)->bufs_exhausted, round + 1));
        for (uint32_t i = 0; i < 5; i++)
            tp_io_release_buf(io, bufs[i]);
    }
    tp_io_destroy(io);
}

/* ------------------------------------------------------------------ locks */

/* A file that the ring itself holds on to, too. */
Test(files, a_hot_file_gives_its_lock_back_when_it_is_closed)
{
    struct tp_io *io = make_io(NULL);
    char path[256], byte;
    struct tp_fd first, second;

    scratch_name(path, "lock");
    for (uint32_t round = 0; round < 20; round++) {
        first = open_file(io, path);
        second = open_file(io, path);
        cr_assert(zero(i32, run(io, tp_request_lock(first))));
        for (uint32_t i = 0; i < 50; i++) {
            struct tp_buf buf = tp_buf_empty(&byte, 1);

            cr_assert(zero(i32, run(io, tp_request_read_at(first, &buf, 0))));
        }
        cr_assert(eq(i32, run(io, tp_request_lock(second)), -EAGAIN));
        cr_assert(zero(i32, run(io, tp_request_close(first))));
        cr_assert(zero(i32, run(io, tp_request_lock(second))));
        cr_assert(zero(i32, run(io, tp_request_close(second))));
    }
    (void)unlink(path);
    tp_io_destroy(io);
}

/* Locks the file, says so, and waits to be killed. */
static void hold_lock(const char *path, int ready)
{
    struct tp_io *io;
    struct tp_open_options options = {.read = true};
    struct tp_fd fd;
    int32_t value;

    if (tp_linux_io_create(NULL, &io) != 0)
        _exit(1);
    value = run(io, tp_request_open(path, options));
    if (value < 0)
        _exit(2);
    fd = tp_io_into_fd(io, value);
    if (run(io, tp_request_lock(fd)) != 0 || write(ready, "x", 1) != 1)
        _exit(3);
    for (;;)
        (void)pause();
}

Test(files, a_lock_ends_with_its_process)
{
    struct tp_io *io = make_io(NULL);
    char path[256], byte;
    const struct timespec moment = {0, 1000000};
    struct tp_fd fd;
    int ends[2], status;
    int32_t value = -EAGAIN;
    pid_t child;

    scratch_name(path, "held");
    fd = open_file(io, path);
    cr_assert(zero(int, pipe(ends)));
    child = fork();
    if (child == 0)
        hold_lock(path, ends[1]);
    (void)close(ends[1]);
    cr_assert(eq(sz, read(ends[0], &byte, 1), 1), "it has the lock");
    for (uint32_t i = 0; i < 5; i++)
        cr_assert(eq(i32, run(io, tp_request_lock(fd)), -EAGAIN));
    cr_assert(zero(int, kill(child, SIGKILL)));
    cr_assert(eq(int, waitpid(child, &status, 0), child));
    for (uint32_t i = 0; i < 10000 && value == -EAGAIN; i++) {
        value = run(io, tp_request_lock(fd));
        (void)nanosleep(&moment, NULL);
    }
    cr_assert(zero(i32, value));
    (void)close(ends[0]);
    (void)unlink(path);
    tp_io_destroy(io);
}

static void use_bufs(struct tp_io *io)
{
    char path[256];
    struct tp_buf *out = tp_io_acquire_buf(io), *in = tp_io_acquire_buf(io);
    struct tp_buf part;
    struct tp_fd fd;

    scratch_name(path, "bufs");
    fd = open_file(io, path);
    memset(out->data, 'o', out->capacity);
    out->len = out->capacity;
    cr_assert(eq(i32, run(io, tp_request_write_at(fd, out, 0)), (int32_t)out->capacity));
    part = tp_buf_from(in, 100);
    cr_assert(eq(i32, run(io, tp_request_read_at(fd, &part, 0)), (int32_t)part.capacity));
    cr_assert(zero(int, memcmp(in->data + 100, out->data, part.capacity)));
    out->len = 0;
    cr_assert(zero(i32, run(io, tp_request_write_at(fd, out, 0))), "nothing to write");
    tp_io_release_buf(io, out);
    tp_io_release_buf(io, in);
    (void)unlink(path);
}

Test(bufs, transfer_registered_or_not)
{
    for (int masked = 0; masked < 2; masked++) {
        const struct tp_linux_io_config config = {.features_off =
                                                      masked ? TP_LINUX_BUFS : 0};
        struct tp_io *io = make_io(&config);

        cr_assert(
            eq(u32, tp_linux_io_features(io) & TP_LINUX_BUFS, masked ? 0 : TP_LINUX_BUFS));
        use_bufs(io);
        tp_io_destroy(io);
    }
}

Test(bufs, none_at_all_when_the_config_says_so)
{
    const struct tp_linux_io_config config = {.buf_count = TP_LINUX_NONE};
    struct tp_io *io = make_io(&config);

    cr_assert(tp_io_acquire_buf(io) == NULL);
    tp_io_destroy(io);
}

/* With little memory that may be locked the buffers are plain, and said to be. */
static int create_with_locked_memory(uint32_t bytes)
{
    /* Another user for each: what the last one locked is given back a moment after its end.
     */
    const uid_t user = 60000 + bytes / 65536;
    const struct rlimit little = {bytes, bytes};
    const struct tp_linux_io_config config = {.buf_count = 64};
    struct tp_io *io;

    if (setrlimit(RLIMIT_MEMLOCK, &little) != 0)
        return 1;
    if (getuid() == 0 && setresuid(user, user, user) != 0)
        return 2;
    if (tp_linux_io_create(&config, &io) != 0)
        return 3;
    if ((tp_linux_io_features(io) & TP_LINUX_BUFS) != 0 ||
        strstr(tp_io_caps(io)->notes, "buffers: plain") == NULL)
        return 4;
    if (tp_io_acquire_buf(io) == NULL)
        return 5;
    return 0;
}

static int status_with(uint32_t bytes)
{
    int status = -1;
    const pid_t child = fork();

    if (child == 0)
        _exit(create_with_locked_memory(bytes));
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

Test(bufs, plain_when_memory_may_not_be_locked)
{
    cr_assert(zero(int, status_with(1U << 20)));
    cr_assert(zero(int, status_with(1U << 16)), "queues are smaller then");
}
