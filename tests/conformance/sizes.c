/* The size of a file, its storage and its holes: truncate, fallocate, find_data. */
#include "conformance.h"

static uint64_t allocated_of(struct conformance *c, struct tp_fd fd)
{
    struct tp_statx statx;

    return EXPECT(c, run(c, tp_request_fstat(fd, &statx)), 0) ? statx.allocated : 0;
}

static void fallocate_allocates(struct conformance *c)
{
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");
    int32_t value = run(c, tp_request_fallocate(fd, 0, 1 << 20, TP_KEEP_SIZE));

    EXPECT(c, value, 0, -EOPNOTSUPP);
    if (value == 0)
        EXPECT_THAT(c, allocated_of(c, fd) >= 1 << 20);
    close_file(c, fd);
}

static void sparse_file_uses_less_than_its_size(struct conformance *c)
{
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");
    struct tp_buf buf = tp_buf_full("x", 1);

    EXPECT(c, run(c, tp_request_write_at(fd, &buf, 64 << 20)), 1);
    EXPECT(c, run(c, tp_request_fsync(fd, 0)), 0);
    EXPECT_THAT(c, allocated_of(c, fd) > 0 && allocated_of(c, fd) < 1 << 20);
    close_file(c, fd);
}

/* From run to run to the end: the data come up in order, with the holes between them. */
static void find_data_walks_a_file(struct conformance *c)
{
    enum { RUNS = 8, STRIDE = 1 << 20, DATA = 64 << 10 };
    uint8_t *memory = take(c, DATA);
    struct tp_buf buf = tp_buf_full(memory, DATA);
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");
    struct tp_extent extent = {0, 0};
    uint32_t runs = 0;

    for (uint64_t i = 0; i < RUNS; i++)
        EXPECT(c, run(c, tp_request_write_at(fd, &buf, i * STRIDE)), DATA);
    EXPECT(c, run(c, tp_request_truncate(fd, RUNS * STRIDE)), 0);
    while (runs <= RUNS && run(c, tp_request_find_data(fd, extent.end, &extent)) == 1) {
        EXPECT_THAT(c, extent.start == (uint64_t)runs * STRIDE);
        EXPECT_THAT(c, extent.end == extent.start + DATA);
        runs++;
    }
    EXPECT_THAT(c, runs == RUNS);
    close_file(c, fd);
    drop(c, memory, DATA);
}

/* The file ended in the middle of a block, in a hole, before it grew: whether that block is
 * data now is the file system's business, what was written behind it is. */
static void find_data_past_an_old_end(struct conformance *c)
{
    enum { START = 8192, DATA = 12288 };
    uint8_t *memory = take(c, DATA);
    struct tp_buf buf = tp_buf_full(memory, DATA);
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");
    struct tp_extent extent = {0, 0};

    EXPECT(c, run(c, tp_request_truncate(fd, 16)), 0);
    EXPECT(c, run(c, tp_request_write_at(fd, &buf, START)), DATA);
    EXPECT(c, run(c, tp_request_find_data(fd, 0, &extent)), 1);
    if (extent.start == 0 && extent.end == 4096)
        EXPECT(c, run(c, tp_request_find_data(fd, extent.end, &extent)), 1);
    EXPECT_THAT(c, extent.start == START && extent.end == START + DATA);
    EXPECT(c, run(c, tp_request_find_data(fd, extent.end, &extent)), 0);
    close_file(c, fd);
    drop(c, memory, DATA);
}

const struct conformance_program conformance_sizes[] = {
    SCRIPT("truncate_shorter",
           "file a hello; open A a rw; truncate A 2; fstat A = 0 size:2; content a = 2 he"),
    SCRIPT("truncate_longer", "file a hi; open A a rw; truncate A 6; content a = 6 hi+~*4"),
    SCRIPT("truncate_to_nothing",
           "file a hello; open A a w; truncate A 0; content a = 0 ~*0"),
    SCRIPT("truncate_to_the_same",
           "file a hello; open A a w; truncate A 5; content a = 5 hello"),
    SCRIPT("truncate_forgets", "file a x*9000; open A a w; truncate A 4100; truncate A "
                               "9000; content a = 9000 x*4100+~*4900"),
    SCRIPT("truncate_forgets_within_a_page",
           "file a hello; open A a w; truncate A 1; truncate A 5; content a = 5 h+~*4"),
    SCRIPT("truncate_to_the_page", "file a x*9000; open A a w; truncate A 4096; truncate A "
                                   "8192; content a = 8192 x*4096+~*4096"),
    SCRIPT(
        "truncate_far",
        "open A a rwc; truncate A 5G; fstat A = 0 size:5368709120; read A 5G-3 9 = 3 ~*3"),
    SCRIPT("truncate_then_write",
           "file a hello; open A a w; truncate A 2; write A 4 x; content a = 5 he+~~+x"),
    SCRIPT("truncate_read_only",
           "file a hello; open A a r; truncate A 0 = EINVAL|EBADF; content a = 5 hello"),
    SCRIPT("truncate_directory", "mkdir d; open A d r; truncate A 0 = EINVAL|EBADF|EISDIR"),
    SCRIPT("truncate_closed",
           "file a x; open A a w; close A; truncate A 0 = EBADF; content a = 1 x"),
    SCRIPT("truncate_no_fd", "truncate Z 0 = EBADF"),
    SCRIPT("truncate_negative", "file a x; open A a w; truncate A umax = EINVAL; truncate "
                                "A max+1 = EINVAL; content a = 1 x"),
    SCRIPT("truncate_largest", "file a x; open A a w; truncate A max = OK|EFBIG|EINVAL"),
    SCRIPT("truncate_removed",
           "file a hello; open A a rw; remove a; truncate A 2; read A 0 9 = 2 he"),
    SCRIPT("truncate_is_seen_by_another_fd",
           "file a hello; open A a w; open B a r; truncate A 2; read B 0 9 = 2 he"),
    SCRIPT("fallocate_grows", "open A a rwc; fallocate A 0 10000 = OK|EOPNOTSUPP"),
    SCRIPT("fallocate_reads_as_zeros",
           "open A a rwc; fallocate A 0 10000; content a = 10000 ~*10000"),
    SCRIPT("fallocate_keeps_size",
           "file a hello; open A a w; fallocate A 0 1M keep; content a = 5 hello"),
    SCRIPT("fallocate_keeps_data",
           "file a hello; open A a w; fallocate A 2 10; content a = 12 hello+~*7"),
    SCRIPT("fallocate_within",
           "file a x*10000; open A a w; fallocate A 100 200; content a = 10000 x*10000"),
    SCRIPT("fallocate_past_the_end", "file a hi; open A a w; fallocate A 8k 4k; fstat A = "
                                     "0 size:12288; content a = 12288 hi+~*12286"),
    SCRIPT("fallocate_then_write", "open A a rwc; fallocate A 0 1M; write A 4k hi; read A "
                                   "4095 4 = 4 ~hi~; fstat A = 0 size:1048576"),
    SCRIPT("fallocate_nothing", "open A a wc; fallocate A 0 0 = EINVAL; fallocate A 0 0 "
                                "keep = EINVAL; fstat A = 0 size:0"),
    SCRIPT("fallocate_negative",
           "open A a wc; fallocate A umax 1 = EINVAL; fallocate A 0 umax = EINVAL"),
    SCRIPT("fallocate_too_far",
           "open A a wc; fallocate A max max = EFBIG|EINVAL; fstat A = 0 size:0; "
           "fallocate A max-4k 4k = OK|EFBIG|ENOSPC"),
    SCRIPT("fallocate_too_much",
           "open A a wc; fallocate A 0 4096T = EFBIG|ENOSPC; fstat A = 0 size:0"),
    SCRIPT("fallocate_read_only", "file a x; open A a r; fallocate A 0 10 = EBADF"),
    SCRIPT("fallocate_directory", "mkdir d; open A d r; fallocate A 0 10 = EBADF|EISDIR"),
    SCRIPT("fallocate_closed", "open A a wc; close A; fallocate A 0 10 = EBADF"),
    SCRIPT("find_data_in_a_full_file",
           "file a x*10000; open A a r; find_data A 0 = 1 0-10000"),
    SCRIPT("find_data_from_the_middle",
           "file a x*10000; open A a r; find_data A 77 = 1 77-10000"),
    SCRIPT("find_data_at_the_end", "file a x*10000; open A a r; find_data A 10000 = 0; "
                                   "find_data A 9999 = 1 9999-10000"),
    SCRIPT("find_data_past_the_end",
           "file a x; open A a r; find_data A 2 = 0; find_data A 1T = 0"),
    SCRIPT("find_data_in_an_empty_file", "open A a rwc; find_data A 0 = 0"),
    SCRIPT("find_data_in_one_hole",
           "open A a rwc; truncate A 1M; find_data A 0 = 0; find_data A 4k = 0"),
    SCRIPT("find_data_after_a_hole",
           "open A a rwc; write A 1M x*64k; find_data A 0 = 1 1048576-1114112; "
           "find_data A 1M+1 = 1 1048577-1114112"),
    SCRIPT("find_data_before_a_hole", "open A a rwc; write A 0 x*64k; truncate A 1M; "
                                      "find_data A 0 = 1 0-65536; find_data A 64k = 0"),
    SCRIPT("find_data_between_holes",
           "open A a rwc; write A 1M x*64k; write A 3M y*64k; truncate A 4M; find_data A 0 "
           "= 1 1048576-1114112; "
           "find_data A 1114112 = 1 3145728-3211264; find_data A 3211264 = 0"),
    SCRIPT("find_data_after_truncate",
           "file a x*1M; open A a rw; truncate A 64k; truncate A 1M; find_data A 0 = 1 "
           "0-65536; find_data A 64k = 0"),
    SCRIPT("find_data_negative", "file a x; open A a r; find_data A umax = EINVAL"),
    SCRIPT("find_data_closed", "file a x; open A a r; close A; find_data A 0 = EBADF"),
    SCRIPT("find_data_write_only", "file a x*10000; open A a w; find_data A 0 = 1 0-10000"),
    SCRIPT("find_data_sees_what_is_not_synced",
           "open A a rwc; write A 64k x*4096; find_data A 0 = 1 65536-69632"),
    PROGRAM(fallocate_allocates),
    PROGRAM(sparse_file_uses_less_than_its_size),
    PROGRAM(find_data_walks_a_file),
    PROGRAM(find_data_past_an_old_end),
    {0},
};
