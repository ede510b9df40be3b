/* Direct I/O: aligned transfers work as others do; what a bad alignment gives depends on
 * what the file itself says (tmpfs takes anything), and nothing but -EINVAL may come of it.
 */
#include "conformance.h"

/* A file opened for direct I/O, and its alignment; none where it is not possible. */
static struct tp_fd open_direct(struct conformance *c, const char *letters,
                                struct tp_statx *ret_statx)
{
    int32_t value = run(c, tp_request_open(at(c, "a"), open_options(letters)));
    struct tp_fd fd;

    if (value == -EINVAL)
        return tp_fd_none();
    if (!EXPECT_THAT(c, value >= 0))
        return tp_fd_none();
    fd = tp_io_into_fd(c->io, value);
    EXPECT(c, run(c, tp_request_fstat(fd, ret_statx)), 0);
    return fd;
}

/* A transfer that is not aligned: refused, or done in full where the file takes anything.
 */
static void expect_unaligned(struct conformance *c, struct tp_request request, bool refused)
{
    EXPECT(c, run(c, request), refused ? -EINVAL : (int32_t)request.len);
}

/* What refuses one bad offset refuses them all, and bad lengths too. Memory is a matter of
 * its own: a device may be content with less. */
static void direct_bad_alignment(struct conformance *c)
{
    uint32_t block = tp_io_block_size(c->io);
    uint8_t *memory = take(c, 4 * block);
    struct tp_buf odd_len = tp_buf_full(memory, block - 1);
    struct tp_buf odd_memory = tp_buf_full(memory + 1, block);
    struct tp_buf good = tp_buf_full(memory, block);
    struct tp_statx statx;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 4 * block);
    fd = open_direct(c, "rwd", &statx);
    if (tp_fd_is_some(fd)) {
        bool refused = run(c, tp_request_read_at(fd, &good, 1)) == -EINVAL;
        bool refused_memory = run(c, tp_request_read_at(fd, &odd_memory, 0)) == -EINVAL;

        EXPECT(c, run(c, tp_request_read_at(fd, &good, block)), (int32_t)block);
        EXPECT_THAT(c, pattern_is(memory, block, block));
        EXPECT(c, run(c, tp_request_write_at(fd, &good, block)), (int32_t)block);
        expect_unaligned(c, tp_request_read_at(fd, &good, block - 1), refused);
        expect_unaligned(c, tp_request_write_at(fd, &good, block + 1), refused);
        expect_unaligned(c, tp_request_write_at(fd, &odd_len, 0), refused);
        expect_unaligned(c, tp_request_write_at(fd, &odd_memory, block), refused_memory);
        odd_len.capacity = odd_len.len;
        expect_unaligned(c, tp_request_read_at(fd, &odd_len, 0), refused);
        EXPECT_THAT(c, refused || !refused_memory);
        EXPECT_THAT(c, statx.direct_align > 1 || !refused);
        close_file(c, fd);
    }
    drop(c, memory, 4 * block);
}

static void direct_round_trip(struct conformance *c)
{
    enum { SIZE = 1 << 20 };
    uint8_t *memory = take(c, SIZE);
    struct tp_buf buf = tp_buf_full(memory, SIZE);
    struct tp_statx statx;
    struct tp_fd fd = open_direct(c, "rwcd", &statx);

    if (tp_fd_is_some(fd)) {
        pattern_fill(memory, SIZE, 0);
        EXPECT(c, run(c, tp_request_write_at(fd, &buf, 0)), SIZE);
        memset(memory, 0, SIZE);
        EXPECT(c, run(c, tp_request_read_at(fd, &buf, 0)), SIZE);
        EXPECT_THAT(c, pattern_is(memory, SIZE, 0));
        close_file(c, fd);
    }
    drop(c, memory, SIZE);
}

/* What one way writes, the other way reads. */
static void direct_and_buffered(struct conformance *c)
{
    uint32_t block = tp_io_block_size(c->io);
    uint8_t *memory = take(c, block);
    struct tp_buf buf = tp_buf_full(memory, block);
    struct tp_statx statx;
    struct tp_fd direct = open_direct(c, "rwcd", &statx);
    struct tp_fd buffered = open_file(c, at(c, "a"), "rwc");

    if (tp_fd_is_some(direct)) {
        for (uint64_t round = 0; round < 8; round++) {
            struct tp_fd from = round % 2 == 0 ? direct : buffered;
            struct tp_fd to = round % 2 == 0 ? buffered : direct;

            pattern_fill(memory, block, round * 1000);
            EXPECT(c, run(c, tp_request_write_at(from, &buf, round / 2 * block)),
                   (int32_t)block);
            memset(memory, 0, block);
            EXPECT(c, run(c, tp_request_read_at(to, &buf, round / 2 * block)),
                   (int32_t)block);
            EXPECT_THAT(c, pattern_is(memory, block, round * 1000));
        }
        close_file(c, direct);
    }
    close_file(c, buffered);
    drop(c, memory, block);
}

/* The file's end need not be aligned: a direct read is short there. */
static void direct_read_across_the_end(struct conformance *c)
{
    uint32_t block = tp_io_block_size(c->io);
    uint8_t *memory = take(c, 2 * block);
    struct tp_buf buf = tp_buf_empty(memory, 2 * block);
    struct tp_statx statx;
    struct tp_fd fd;

    make_file(c, at(c, "a"), block + 100);
    fd = open_direct(c, "rd", &statx);
    if (tp_fd_is_some(fd)) {
        EXPECT(c, run(c, tp_request_read_at(fd, &buf, 0)), (int32_t)block + 100);
        EXPECT_THAT(c, pattern_is(memory, block + 100, 0));
        EXPECT(c, run(c, tp_request_read_at(fd, &buf, block)), 100);
        EXPECT(c, run(c, tp_request_read_at(fd, &buf, 2 * block)), 0);
        EXPECT(c, run(c, tp_request_read_at(fd, &buf, 64 * block)), 0);
        close_file(c, fd);
    }
    drop(c, memory, 2 * block);
}

/* The alignment that a file reports is enough, and is never coarser than the block size. */
static void direct_alignment_of_the_file(struct conformance *c)
{
    uint32_t block = tp_io_block_size(c->io);
    uint8_t *memory = take(c, 2 * block);
    struct tp_statx statx;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 4 * block);
    fd = open_direct(c, "rwd", &statx);
    if (tp_fd_is_some(fd)) {
        uint32_t align = statx.direct_align, memory_align = statx.direct_memory_align;

        EXPECT_THAT(c, (align == 0) == (memory_align == 0));
        EXPECT_THAT(c, align == 0 || block % align == 0);
        EXPECT_THAT(c, memory_align == 0 || block % memory_align == 0);
        if (align != 0 && memory_align != 0) {
            struct tp_buf buf = tp_buf_full(memory + memory_align, align);

            EXPECT(c, run(c, tp_request_read_at(fd, &buf, align)), (int32_t)align);
            EXPECT_THAT(c, pattern_is(buf.data, align, align));
            EXPECT(c, run(c, tp_request_write_at(fd, &buf, 3 * align)), (int32_t)align);
        }
        close_file(c, fd);
    }
    drop(c, memory, 2 * block);
}

static void direct_dsync(struct conformance *c)
{
    uint32_t block = tp_io_block_size(c->io);
    uint8_t *memory = take(c, block);
    struct tp_buf buf = tp_buf_full(memory, block);
    struct tp_statx statx;
    struct tp_fd fd = open_direct(c, "rwcds", &statx);

    if (tp_fd_is_some(fd)) {
        pattern_fill(memory, block, 7);
        EXPECT(c, run(c, tp_request_write_at(fd, &buf, block)), (int32_t)block);
        EXPECT(c, run(c, tp_request_fstat(fd, &statx)), 0);
        EXPECT_THAT(c, statx.size == 2 * block);
        close_file(c, fd);
    }
    drop(c, memory, block);
}

const struct conformance_program conformance_direct[] = {
    PROGRAM(direct_bad_alignment),
    PROGRAM(direct_round_trip),
    PROGRAM(direct_and_buffered),
    PROGRAM(direct_read_across_the_end),
    PROGRAM(direct_alignment_of_the_file),
    PROGRAM(direct_dsync),
    SCRIPT("direct_directory", "mkdir d; open A d rd = OK|EINVAL"),
    SCRIPT("direct_missing", "open A a rd = ENOENT"),
    {0},
};
