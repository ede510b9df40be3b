/** tests/linux/features.c - the same programs with each feature masked off, and with each
 * operation on a thread: nobody sees a difference. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/linux/support.h"

static int32_t run(struct tp_io *io, struct tp_request request)
{
    return tp_io_block_on(io, request);
}

static const struct tp_open_options read_write = {
    .read = true, .write = true, .create = true};

/* Everything that is done to the bytes of a file. */
static void use_file(struct tp_io *io, const char *path)
{
    char text[16];
    struct tp_buf out = tp_buf_full("hello, world", 12),
                  in = tp_buf_empty(text, sizeof text);
    struct tp_statx file;
    struct tp_extent extent;
    const struct tp_fd fd = open_file(io, path);

    cr_assert(eq(i32, run(io, tp_request_write_at(fd, &out, 0)), 12));
    for (uint32_t i = 0; i < 40; i++) {
        memset(text, 0, sizeof text);
        cr_assert(eq(i32, run(io, tp_request_read_at(fd, &in, 7)), 5));
        cr_assert(zero(int, memcmp(text, "world", 5)));
    }
    cr_assert(zero(i32, run(io, tp_request_read_at(fd, &in, 12))));
    cr_assert(zero(i32, run(io, tp_request_fsync(fd, 0))));
    cr_assert(zero(i32, run(io, tp_request_fsync(fd, TP_DATA_ONLY))));
    cr_assert(zero(i32, run(io, tp_request_truncate(fd, 1 << 20))));
    cr_assert(zero(i32, run(io, tp_request_fallocate(fd, 1 << 20, 4096, 0))));
    cr_assert(zero(i32, run(io, tp_request_fallocate(fd, 0, 2 << 20, TP_KEEP_SIZE))));
    cr_assert(zero(i32, run(io, tp_request_set_mode(fd, 0640))));
    cr_assert(zero(i32, run(io, tp_request_fstat(fd, &file))));
    cr_assert(eq(u64, file.size, (1 << 20) + 4096));
    cr_assert(eq(u32, file.mode, 0640));
    cr_assert(eq(u32, file.kind, TP_FILE_REGULAR));
    cr_assert(eq(i32, run(io, tp_request_find_data(fd, 0, &extent)), 1));
    cr_assert(zero(u64, extent.start));
    cr_assert(zero(i32, run(io, tp_request_find_data(fd, 1 << 30, &extent))));
    cr_assert(zero(i32, run(io, tp_request_close(fd))));
    cr_assert(eq(i32, run(io, tp_request_close(fd)), -EBADF));
}

static uint32_t count_dir(struct tp_io *io, struct tp_fd dir)
{
    uint64_t memory[40]; /* small: several operations are needed */
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    uint32_t count = 0;

    for (;;) {
        const int32_t value = run(io, tp_request_list_dir(dir, &buf));

        cr_assert(ge(i32, value, 0));
        if (value == 0)
            return count;
        buf.len = (uint32_t)value;
        for (const struct tp_dir_entry *entry = tp_dir_next(&buf, NULL); entry != NULL;
             entry = tp_dir_next(&buf, entry))
            count++;
    }
}

/* Everything that is done to names. `path` is a directory's that does not exist. */
static void use_names(struct tp_io *io, const char *path)
{
    const struct tp_open_options read_only = {.read = true};
    char name[300], other[300], text[64];
    struct tp_buf in = tp_buf_empty(text, sizeof text);
    struct tp_statx file;
    struct tp_fd dir, fd;
    int32_t value;

    cr_assert(zero(i32, run(io, tp_request_create_dir(path, 0755))));
    cr_assert(eq(i32, run(io, tp_request_create_dir(path, 0755)), -EEXIST));
    value = run(io, tp_request_open(path, read_only));
    cr_assert(ge(i32, value, 0));
    dir = tp_io_into_fd(io, value);
    for (uint32_t i = 0; i < 30; i++) {
        (void)snprintf(name, sizeof name, "entry-%u", i);
        value = run(io, tp_request_open_in(dir, name, read_write));
        cr_assert(ge(i32, value, 0));
        fd = tp_io_into_fd(io, value);
        cr_assert(zero(i32, run(io, tp_request_close(fd))));
    }
    cr_assert(eq(u32, count_dir(io, dir), 30));
    cr_assert(zero(i32, run(io, tp_request_rename_in(dir, "entry-1", dir, "entry-0"))));
    cr_assert(eq(i32, run(io, tp_request_remove_in(dir, "entry-1")), -ENOENT));
    cr_assert(zero(i32, run(io, tp_request_symlink_in(dir, "link", "entry-0"))));
    cr_assert(eq(i32, run(io, tp_request_read_link_in(dir, "link", &in)), 7));
    cr_assert(eq(i32, run(io, tp_request_open_in(dir, "link", read_only)), -ELOOP));
    cr_assert(zero(i32, run(io, tp_request_stat_in(dir, "link", &file))));
    cr_assert(eq(u32, file.kind, TP_FILE_SYMLINK));
    (void)snprintf(name, sizeof name, "%s/link", path);
    cr_assert(zero(i32, run(io, tp_request_stat(name, &file))));
    cr_assert(eq(u32, file.kind, TP_FILE_REGULAR));
    cr_assert(zero(i32, run(io, tp_request_remove(name))));
    cr_assert(zero(i32, run(io, tp_request_sync_dir(path))));
    for (uint32_t i = 0; i < 30; i++) {
        (void)snprintf(name, sizeof name, "entry-%u", i);
        value = run(io, tp_request_remove_in(dir, name));
        cr_assert(eq(i32, value, i == 1 ? -ENOENT : 0));
    }
    (void)snprintf(name, sizeof name, "%s/x/y//z", path);
    cr_assert(zero(i32, run(io, tp_request_create_dir_all(name))));
    cr_assert(zero(i32, run(io, tp_request_create_dir_all(name))));
    cr_assert(eq(i32, run(io, tp_request_remove_dir(path)), -ENOTEMPTY));
    (void)snprintf(other, sizeof other, "%s/z", path);
    cr_assert(zero(i32, run(io, tp_request_rename(name, other))));
    cr_assert(zero(i32, run(io, tp_request_remove_dir_in(dir, "z"))));
    (void)snprintf(name, sizeof name, "%s/x/y", path);
    cr_assert(zero(i32, run(io, tp_request_remove_dir(name))));
    cr_assert(zero(i32, run(io, tp_request_remove_dir_in(dir, "x"))));
    cr_assert(zero(i32, run(io, tp_request_close(dir))));
    cr_assert(zero(i32, run(io, tp_request_remove_dir(path))));
}

/* Many at a time, on a few files. */
static void use_many(struct tp_io *io, const char *path)
{
    enum { COUNT = 500 };
    static uint8_t bytes[COUNT][64];
    static struct tp_buf bufs[COUNT];
    const struct tp_fd fd = open_file(io, path);

    for (uint64_t i = 0; i < COUNT; i++) {
        memset(bytes[i], (int)i, sizeof bytes[i]);
        bufs[i] = tp_buf_full(bytes[i], sizeof bytes[i]);
        tp_io_write_at(io, 1 + i, fd, &bufs[i], i * sizeof bytes[i]);
    }
    for (uint64_t i = 0; i < COUNT; i++)
        cr_assert(eq(i32, wait_for(io, 1 + i), (int32_t)sizeof bytes[i]));
    memset(bytes, 0xff, sizeof bytes);
    for (uint64_t i = 0; i < COUNT; i++)
        tp_io_read_at(io, 1 + i, fd, &bufs[i], i * sizeof bytes[i]);
    for (uint64_t i = COUNT; i > 0; i--) {
        cr_assert(eq(i32, wait_for(io, i), (int32_t)sizeof bytes[i - 1]));
        cr_assert(eq(u8, bytes[i - 1][63], (uint8_t)(i - 1)));
    }
    cr_assert(zero(i32, run(io, tp_request_close(fd))));
}

static void run_programs(const struct tp_linux_io_config *config)
{
    struct tp_io *io = make_io(config);
    char path[256], dir[256];

    scratch_name(path, "file");
    scratch_name(dir, "dir");
    use_file(io, path);
    use_names(io, dir);
    use_many(io, path);
    cr_assert(zero(i32, run(io, tp_request_remove(path))));
    cr_assert(eq(u32, tp_io_in_flight(io), 0));
    tp_io_destroy(io);
}

Test(features, all_that_the_kernel_has)
{
    run_programs(NULL);
}

Test(features, each_masked_off)
{
    for (uint32_t bit = 0; bit < 16; bit++) {
        const struct tp_linux_io_config config = {.features_off = 1U << bit};
        struct tp_io *io = make_io(&config);

        cr_assert(zero(u32, tp_linux_io_features(io) & 1U << bit));
        tp_io_destroy(io);
        run_programs(&config);
    }
}

/* What kernels of other ages would grant. */
Test(features, in_the_combinations_of_older_kernels)
{
    static const uint32_t off[] = {
        UINT32_MAX,
        TP_LINUX_DEFER_TASKRUN | TP_LINUX_SINGLE_ISSUER,
        TP_LINUX_DEFER_TASKRUN | TP_LINUX_TASKRUN_FLAG,
        TP_LINUX_DEFER_TASKRUN | TP_LINUX_COOP_TASKRUN,
        TP_LINUX_TASKRUN_FLAG | TP_LINUX_MULTISHOT_WAKE,
        TP_LINUX_FILES | TP_LINUX_BUFS | TP_LINUX_RING_FD,
        TP_LINUX_NO_IOWAIT | TP_LINUX_RESTRICTIONS | TP_LINUX_WORKERS_MAX,
    };

    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++) {
        const struct tp_linux_io_config config = {.features_off = off[i]};

        run_programs(&config);
    }
}

Test(features, each_operation_on_a_thread)
{
    const struct tp_linux_io_config all = {.kinds_off = UINT64_MAX};

    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        const struct tp_linux_io_config config = {.kinds_off = UINT64_C(1) << kind};

        run_programs(&config);
    }
    run_programs(&all);
}

Test(features, with_tiny_queues)
{
    const struct tp_linux_io_config config = {
        .sq_entries = 8, .cq_entries = 8, .completions_max = 1000, .workers_max = 1};
    const struct tp_linux_io_config threads = {
        .sq_entries = 8, .cq_entries = 8, .completions_max = 1000, .kinds_off = UINT64_MAX};

    run_programs(&config);
    run_programs(&threads);
}

Test(features, are_what_this_kernel_grants)
{
    struct tp_io *io = make_io(NULL);
    const uint32_t features = tp_linux_io_features(io);

    /* 6.1, the floor, has all of these. */
    cr_assert(ne(u32, features & TP_LINUX_DEFER_TASKRUN, 0));
    cr_assert(ne(u32, features & TP_LINUX_SINGLE_ISSUER, 0));
    cr_assert(ne(u32, features & TP_LINUX_TASKRUN_FLAG, 0));
    cr_assert(ne(u32, features & TP_LINUX_SUBMIT_ALL, 0));
    cr_assert(ne(u32, features & TP_LINUX_RESTRICTIONS, 0));
    cr_assert(zero(u32, features & TP_LINUX_COOP_TASKRUN), "DEFER_TASKRUN makes it idle");
    tp_io_destroy(io);
}

Test(features, are_printed_with_the_caps)
{
    struct tp_io *io = make_io(NULL);
    static char text[8192];

    tp_io_caps_print(io, text, sizeof text);
    cr_assert(strstr(text, "list_dir") != NULL);
    cr_assert(strstr(text, "own thread") != NULL);
    cr_assert(strstr(text, "DEFER_TASKRUN") != NULL);
    cr_assert(strstr(text, "open files") != NULL);
    for (uint32_t kind = 0; kind < TP_KINDS; kind++)
        cr_assert(tp_io_caps(io)->kinds[kind].why != NULL);
    tp_io_destroy(io);
}
