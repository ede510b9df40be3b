/* Buffers: registered ones, parts of them, and what may share memory. */
#include "conformance.h"

/* All that this Io has; at least one. */
static uint32_t acquire_all(struct conformance *c, struct tp_buf **ret_bufs, uint32_t max)
{
    uint32_t count = 0;

    while (count < max && (ret_bufs[count] = tp_io_acquire_buf(c->io)) != NULL)
        count++;
    EXPECT_THAT(c, count > 0);
    return count;
}

static void release_all(struct conformance *c, struct tp_buf **bufs, uint32_t count)
{
    while (count > 0)
        tp_io_release_buf(c->io, bufs[--count]);
}

static void registered_are_aligned_and_empty(struct conformance *c)
{
    struct tp_buf *bufs[REGISTERED_COUNT + 1];
    uint32_t block = tp_io_block_size(c->io), count;

    count = acquire_all(c, bufs, REGISTERED_COUNT + 1);
    EXPECT_THAT(c, count == REGISTERED_COUNT);
    for (uint32_t i = 0; i < count; i++) {
        EXPECT_THAT(c, (uintptr_t)bufs[i]->data % block == 0 && bufs[i]->len == 0);
        EXPECT_THAT(c,
                    bufs[i]->capacity >= REGISTERED_SIZE && bufs[i]->capacity % block == 0);
        EXPECT_THAT(c, bufs[i]->registered != 0);
    }
    release_all(c, bufs, count);
}

static void registered_do_not_overlap(struct conformance *c)
{
    struct tp_buf *bufs[REGISTERED_COUNT];
    uint32_t count = acquire_all(c, bufs, REGISTERED_COUNT);

    for (uint32_t i = 0; i < count; i++)
        memset(bufs[i]->data, (int)i + 1, bufs[i]->capacity);
    for (uint32_t i = 0; i < count; i++)
        EXPECT_THAT(c, bufs[i]->data[0] == i + 1 &&
                           bufs[i]->data[bufs[i]->capacity - 1] == i + 1);
    release_all(c, bufs, count);
}

static void registered_run_out(struct conformance *c)
{
    struct tp_buf *bufs[REGISTERED_COUNT];
    uint32_t count = acquire_all(c, bufs, REGISTERED_COUNT);
    uint64_t before = tp_io_stats(c->io)->bufs_exhausted;

    EXPECT_THAT(c, tp_io_acquire_buf(c->io) == NULL);
    EXPECT_THAT(c, tp_io_acquire_buf(c->io) == NULL);
    EXPECT_THAT(c, tp_io_stats(c->io)->bufs_exhausted == before + 2);
    release_all(c, bufs, count);
}

static void registered_come_back(struct conformance *c)
{
    struct tp_buf *bufs[REGISTERED_COUNT];
    uint32_t count = acquire_all(c, bufs, REGISTERED_COUNT);
    struct tp_buf *last = bufs[count - 1], *again;

    last->len = 17;
    tp_io_release_buf(c->io, last);
    again = tp_io_acquire_buf(c->io);
    EXPECT_THAT(c, again == last && again->len == 0);
    EXPECT_THAT(c, tp_io_acquire_buf(c->io) == NULL);
    release_all(c, bufs, count);
}

/* Written from one registered buffer and read into another. */
static void round_trip(struct conformance *c, const char *letters)
{
    struct tp_buf *out = tp_io_acquire_buf(c->io), *in = tp_io_acquire_buf(c->io);
    int32_t value = run(c, tp_request_open(at(c, "a"), open_options(letters)));
    int32_t len = (int32_t)out->capacity;
    struct tp_fd fd;

    if (value >= 0) {
        fd = tp_io_into_fd(c->io, value);
        pattern_fill(out->data, out->capacity, 3);
        memset(in->data, 0, in->capacity);
        out->len = out->capacity;
        EXPECT(c, run(c, tp_request_write_at(fd, out, 0)), len);
        EXPECT(c, run(c, tp_request_read_at(fd, in, 0)), len);
        EXPECT_THAT(c, pattern_is(in->data, in->capacity, 3));
        close_file(c, fd);
    } else {
        EXPECT_THAT(c, value == -EINVAL && strchr(letters, 'd') != NULL);
    }
    tp_io_release_buf(c->io, out);
    tp_io_release_buf(c->io, in);
}

static void registered_round_trip(struct conformance *c)
{
    round_trip(c, "rwc");
}

static void registered_round_trip_direct(struct conformance *c)
{
    round_trip(c, "rwcd");
}

static void registered_read_short(struct conformance *c)
{
    struct tp_buf *buf = tp_io_acquire_buf(c->io);
    struct tp_fd fd;

    make_file(c, at(c, "a"), 1000);
    fd = open_file(c, at(c, "a"), "r");
    memset(buf->data, 0xaa, buf->capacity);
    EXPECT(c, run(c, tp_request_read_at(fd, buf, 0)), 1000);
    EXPECT_THAT(c, pattern_is(buf->data, 1000, 0));
    EXPECT(c, run(c, tp_request_read_at(fd, buf, 1000)), 0);
    close_file(c, fd);
    tp_io_release_buf(c->io, buf);
}

/* Parts of one registered buffer, read into at the same time. */
static void registered_parts(struct conformance *c)
{
    enum { PARTS = 16, PART = REGISTERED_SIZE / PARTS };
    struct tp_buf *buf = tp_io_acquire_buf(c->io);
    struct tp_buf parts[PARTS];
    uint64_t handles[PARTS];
    struct tp_fd fd;

    make_file(c, at(c, "a"), REGISTERED_SIZE);
    fd = open_file(c, at(c, "a"), "r");
    memset(buf->data, 0, buf->capacity);
    for (uint32_t i = 0; i < PARTS; i++) {
        parts[i] = tp_buf_from(buf, i * PART);
        parts[i].capacity = PART;
        handles[i] = submit(c, tp_request_read_at(fd, &parts[i], i * PART));
    }
    for (uint32_t i = 0; i < PARTS; i++)
        EXPECT(c, await(c, handles[i]), PART);
    EXPECT_THAT(c, pattern_is(buf->data, REGISTERED_SIZE, 0));
    close_file(c, fd);
    tp_io_release_buf(c->io, buf);
}

static void registered_part_unaligned(struct conformance *c)
{
    struct tp_buf *buf = tp_io_acquire_buf(c->io);
    struct tp_buf part = tp_buf_from(buf, 4097);
    struct tp_fd fd;

    make_file(c, at(c, "a"), 1000);
    fd = open_file(c, at(c, "a"), "rw");
    memset(buf->data, 0xaa, buf->capacity);
    part.capacity = 500;
    EXPECT(c, run(c, tp_request_read_at(fd, &part, 100)), 500);
    EXPECT_THAT(c, pattern_is(buf->data + 4097, 500, 100) && buf->data[4096] == 0xaa &&
                       buf->data[4597] == 0xaa);
    part.len = 500;
    EXPECT(c, run(c, tp_request_write_at(fd, &part, 0)), 500);
    close_file(c, fd);
    tp_io_release_buf(c->io, buf);
}

static void registered_many_in_flight(struct conformance *c)
{
    struct tp_buf *bufs[REGISTERED_COUNT];
    uint64_t handles[REGISTERED_COUNT];
    uint32_t count = acquire_all(c, bufs, REGISTERED_COUNT);
    struct tp_fd fd;

    make_file(c, at(c, "a"), 10000);
    fd = open_file(c, at(c, "a"), "r");
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < count; i++)
            handles[i] = submit(c, tp_request_read_at(fd, bufs[i], i * 100));
        for (uint32_t i = 0; i < count; i++) {
            EXPECT(c, await(c, handles[i]), 10000 - (int32_t)i * 100);
            EXPECT_THAT(c, pattern_is(bufs[i]->data, 10000 - i * 100, i * 100));
        }
    }
    close_file(c, fd);
    release_all(c, bufs, count);
}

static void registered_and_plain_together(struct conformance *c)
{
    uint8_t memory[1000];
    struct tp_buf plain = tp_buf_empty(memory, sizeof memory);
    struct tp_buf *buf = tp_io_acquire_buf(c->io);
    uint64_t first, second;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 1000);
    fd = open_file(c, at(c, "a"), "r");
    first = submit(c, tp_request_read_at(fd, buf, 0));
    second = submit(c, tp_request_read_at(fd, &plain, 0));
    EXPECT(c, await(c, first), 1000);
    EXPECT(c, await(c, second), 1000);
    EXPECT_THAT(c, memcmp(buf->data, memory, 1000) == 0);
    close_file(c, fd);
    tp_io_release_buf(c->io, buf);
}

/* Out loans may overlap: one memory is written to many places at once. */
static void one_memory_written_many_times(struct conformance *c)
{
    enum { COPIES = 32, LEN = 1000 };
    uint8_t memory[LEN] = {0}, back[LEN];
    struct tp_buf in = tp_buf_empty(back, LEN), buf = tp_buf_full(memory, LEN);
    uint64_t handles[COPIES];
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");

    pattern_fill(memory, LEN, 0);
    for (uint32_t i = 0; i < COPIES; i++)
        handles[i] = submit(c, tp_request_write_at(fd, &buf, i * LEN));
    for (uint32_t i = 0; i < COPIES; i++)
        EXPECT(c, await(c, handles[i]), LEN);
    for (uint32_t i = 0; i < COPIES; i++) {
        EXPECT(c, run(c, tp_request_read_at(fd, &in, i * LEN)), LEN);
        EXPECT_THAT(c, pattern_is(back, LEN, 0));
    }
    close_file(c, fd);
}

/* The parts of a write may overlap too, and be read meanwhile. */
static void overlapping_parts_written(struct conformance *c)
{
    uint8_t memory[1000] = {0}, back[900];
    struct tp_buf whole = tp_buf_full(memory, 1000), part = tp_buf_full(memory + 100, 900);
    struct tp_buf in = tp_buf_empty(back, 900);
    uint64_t first, second;
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");

    pattern_fill(memory, sizeof memory, 0);
    first = submit(c, tp_request_write_at(fd, &whole, 0));
    second = submit(c, tp_request_write_at(fd, &part, 2000));
    EXPECT_THAT(c, pattern_is(memory, sizeof memory, 0));
    EXPECT(c, await(c, second), 900);
    EXPECT(c, await(c, first), 1000);
    EXPECT(c, run(c, tp_request_read_at(fd, &in, 2000)), 900);
    EXPECT_THAT(c, pattern_is(back, 900, 100));
    close_file(c, fd);
}

/* A read of nothing and a write of nothing borrow nothing. */
static void nothing_is_lent(struct conformance *c)
{
    struct tp_buf none = tp_buf_empty(NULL, 0);
    struct tp_fd fd;

    make_file(c, at(c, "a"), 10);
    fd = open_file(c, at(c, "a"), "rw");
    EXPECT(c, run(c, tp_request_read_at(fd, &none, 0)), 0);
    EXPECT(c, run(c, tp_request_write_at(fd, &none, 0)), 0);
    close_file(c, fd);
}

static void memory_is_missing(struct conformance *c)
{
    struct tp_buf none = tp_buf_full(NULL, 10);
    struct tp_fd fd;

    make_file(c, at(c, "a"), 10);
    fd = open_file(c, at(c, "a"), "rw");
    EXPECT(c, run(c, tp_request_read_at(fd, &none, 0)), -EFAULT);
    EXPECT(c, run(c, tp_request_write_at(fd, &none, 0)), -EFAULT);
    EXPECT(c, run(c, tp_request_fstat(fd, NULL)), -EFAULT);
    EXPECT(c, run(c, tp_request_list_dir(fd, &none)), -EFAULT);
    close_file(c, fd);
}

static void part_of_a_buffer(struct conformance *c)
{
    uint8_t memory[100];
    struct tp_buf buf = tp_buf_empty(memory, 100), part;

    buf.len = 30;
    part = tp_buf_from(&buf, 10);
    EXPECT_THAT(c, part.data == memory + 10 && part.capacity == 90 && part.len == 20);
    part = tp_buf_from(&buf, 50);
    EXPECT_THAT(c, part.capacity == 50 && part.len == 0);
    part = tp_buf_from(&buf, 100);
    EXPECT_THAT(c, part.capacity == 0 && part.len == 0);
}

const struct conformance_program conformance_buffers[] = {
    PROGRAM(registered_are_aligned_and_empty),
    PROGRAM(registered_do_not_overlap),
    PROGRAM(registered_run_out),
    PROGRAM(registered_come_back),
    PROGRAM(registered_round_trip),
    PROGRAM(registered_round_trip_direct),
    PROGRAM(registered_read_short),
    PROGRAM(registered_parts),
    PROGRAM(registered_part_unaligned),
    PROGRAM(registered_many_in_flight),
    PROGRAM(registered_and_plain_together),
    PROGRAM(one_memory_written_many_times),
    PROGRAM(overlapping_parts_written),
    PROGRAM(nothing_is_lent),
    PROGRAM(memory_is_missing),
    PROGRAM(part_of_a_buffer),
    {0},
};
