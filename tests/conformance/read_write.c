/* Bytes in and out of files: where, how many, and what lies between. */
#include "conformance.h"

/* Writes of odd lengths at odd offsets, then every byte as it should be. */
static void write_odd_pieces(struct conformance *c)
{
    enum { SIZE = 300000, PIECE = 4099 };
    uint8_t *memory = take(c, SIZE);
    struct tp_buf whole = tp_buf_empty(memory, SIZE);
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");

    pattern_fill(memory, SIZE, 0);
    for (uint32_t offset = 0; offset < SIZE; offset += PIECE) {
        uint32_t len = SIZE - offset < PIECE ? SIZE - offset : PIECE;
        struct tp_buf piece = tp_buf_full(memory + offset, len);

        EXPECT(c, run(c, tp_request_write_at(fd, &piece, offset)), (int32_t)len);
    }
    memset(memory, 0, SIZE);
    EXPECT(c, run(c, tp_request_read_at(fd, &whole, 0)), SIZE);
    EXPECT_THAT(c, pattern_is(memory, SIZE, 0));
    close_file(c, fd);
    drop(c, memory, SIZE);
}

/* The pieces of a file in an order of their own, all in flight together. */
static void write_pieces_in_any_order(struct conformance *c)
{
    enum { PIECES = 64, PIECE = 4096 };
    uint8_t *memory = take(c, PIECES * PIECE);
    struct tp_buf pieces[PIECES], whole = tp_buf_empty(memory, PIECES * PIECE);
    uint64_t handles[PIECES];
    struct tp_fd fd = open_file(c, at(c, "a"), "rwc");

    pattern_fill(memory, PIECES * PIECE, 0);
    for (uint32_t i = 0; i < PIECES; i++) {
        uint32_t piece = i * 37 % PIECES;

        pieces[i] = tp_buf_full(memory + piece * PIECE, PIECE);
        handles[i] = submit(c, tp_request_write_at(fd, &pieces[i], piece * PIECE));
    }
    for (uint32_t i = 0; i < PIECES; i++)
        EXPECT(c, await(c, handles[i]), PIECE);
    memset(memory, 0, PIECES * PIECE);
    EXPECT(c, run(c, tp_request_read_at(fd, &whole, 0)), PIECES * PIECE);
    EXPECT_THAT(c, pattern_is(memory, PIECES * PIECE, 0));
    close_file(c, fd);
    drop(c, memory, PIECES * PIECE);
}

/* A read may write anywhere in the buffer it was lent, and nowhere else. */
static void read_stays_in_its_buffer(struct conformance *c)
{
    uint8_t memory[256];
    struct tp_buf buf = tp_buf_empty(memory + 64, 128);
    struct tp_fd fd;

    make_file(c, at(c, "a"), 100);
    fd = open_file(c, at(c, "a"), "r");
    memset(memory, 0xaa, sizeof memory);
    EXPECT(c, run(c, tp_request_read_at(fd, &buf, 10)), 90);
    EXPECT_THAT(c, pattern_is(memory + 64, 90, 10));
    for (uint32_t i = 0; i < 64; i++) {
        if (!EXPECT_THAT(c, memory[i] == 0xaa && memory[64 + 128 + i] == 0xaa))
            break;
    }
    close_file(c, fd);
}

static void write_leaves_its_memory_alone(struct conformance *c)
{
    uint8_t memory[4096] = {0};
    struct tp_buf buf = tp_buf_full(memory, sizeof memory);
    struct tp_fd fd = open_file(c, at(c, "a"), "wc");

    pattern_fill(memory, sizeof memory, 0);
    EXPECT(c, run(c, tp_request_write_at(fd, &buf, 0)), (int32_t)sizeof memory);
    EXPECT_THAT(c, pattern_is(memory, sizeof memory, 0) && buf.len == sizeof memory);
    close_file(c, fd);
}

const struct conformance_program conformance_read_write[] = {
    SCRIPT("read_from_the_start", "file a hello; open A a r; read A 0 5 = 5 hello"),
    SCRIPT("read_from_the_middle", "file a hello; open A a r; read A 1 3 = 3 ell"),
    SCRIPT("read_across_the_end", "file a hello; open A a r; read A 3 100 = 2 lo"),
    SCRIPT("read_at_the_end", "file a hello; open A a r; read A 5 10 = 0"),
    SCRIPT("read_past_the_end",
           "file a hello; open A a r; read A 6 10 = 0; read A 1G 10 = 0"),
    SCRIPT("read_empty_file", "open A a rwc; read A 0 10 = 0"),
    SCRIPT("read_nothing", "file a hello; open A a r; read A 0 0 = 0; read A 9 0 = 0"),
    SCRIPT("read_at_huge_offset",
           "file a hello; open A a r; read A max-4k 10 = 0; read A 1T 10 = 0"),
    SCRIPT("read_at_largest_offset",
           "file a hello; open A a r; read A max 1 = OK|EINVAL|EOVERFLOW"),
    SCRIPT("read_at_negative_offset",
           "file a hello; open A a r; read A umax 1 = EINVAL; read A max+1 1 = EINVAL"),
    SCRIPT("read_write_only", "file a hello; open A a w; read A 0 5 = EBADF"),
    SCRIPT("read_directory", "mkdir d; open A d r; read A 0 5 = EISDIR"),
    SCRIPT("read_closed", "file a hello; open A a r; close A; read A 0 5 = EBADF"),
    SCRIPT("read_no_fd", "read Z 0 5 = EBADF"),
    SCRIPT("read_large",
           "file a x*2M; open A a r; read A 0 2M = 2M x*2M; read A 1M-1 1M = 1M x*1M"),
    SCRIPT("read_does_not_move",
           "file a hello; open A a r; read A 0 2 = 2 he; read A 0 2 = 2 he"),
    SCRIPT("read_zeros", "file a ~*5000; open A a r; read A 0 5000 = 5000 ~*5000"),
    SCRIPT("read_to_memory_unaligned",
           "file a hello+x*9000; open A a r; read_skew A 1 8003 = 8003 ello+x*7999"),
    SCRIPT("write_to_the_start", "open A a wc; write A 0 hello = 5; content a = 5 hello"),
    SCRIPT("write_over", "file a hello; open A a w; write A 1 ipp; content a = 5 hippo"),
    SCRIPT("write_across_the_end",
           "file a hello; open A a w; write A 3 p-me; content a = 7 help-me"),
    SCRIPT("write_at_the_end",
           "file a hello; open A a w; write A 5 -you; content a = 9 hello-you"),
    SCRIPT("write_past_the_end",
           "file a hi; open A a w; write A 5 you; content a = 8 hi+~*3+you"),
    SCRIPT("write_far_past_the_end",
           "open A a rwc; write A 100k x; fstat A = 0 size:102401; "
           "read A 102398 10 = 3 ~~x; read A 0 64k = 64k ~*64k"),
    SCRIPT("write_sparse", "open A a rwc; write A 1M end; write A 512k mid; write A 0 "
                           "start; content a = 1048579 "
                           "start+~*524283+mid+~*524285+end"),
    SCRIPT("write_beyond_4G", "open A a rwc; write A 4G+1k hello; fstat A = 0 "
                              "size:4294968325; read A 4G+1k 9 = 5 hello; "
                              "read A 4G-2 4 = 4 ~*4; read A 1k 5 = 5 ~*5"),
    SCRIPT("write_nothing", "open A a wc; write A 0 ~*0 = 0; fstat A = 0 size:0; write A "
                            "1k ~*0 = 0; fstat A = 0 size:0"),
    SCRIPT("write_read_only",
           "file a hello; open A a r; write A 0 J = EBADF; content a = 5 hello"),
    SCRIPT("write_closed", "open A a wc; close A; write A 0 x = EBADF; stat a = 0 size:0"),
    SCRIPT("write_no_fd", "write Z 0 x = EBADF"),
    SCRIPT("write_directory", "mkdir d; open A d r; write A 0 x = EBADF"),
    SCRIPT("write_at_negative_offset", "open A a wc; write A umax x = EINVAL; write A "
                                       "max+1 x = EINVAL; fstat A = 0 size:0"),
    SCRIPT("write_past_largest_offset",
           "open A a wc; write A max hello = EFBIG|EINVAL|EOVERFLOW; fstat A = 0 size:0"),
    SCRIPT("write_large",
           "open A a rwc; write A 3 x*2097149; read A 0 2M = 2M ~*3+x*2097149"),
    SCRIPT("write_from_memory_unaligned",
           "open A a wc; write_skew A 4095 x*9000; content a = 13095 ~*4095+x*9000"),
    SCRIPT("write_twice_the_same",
           "open A a wc; write A 0 one; write A 0 two; content a = 3 two"),
    SCRIPT("write_across_pages",
           "file a x*12k; open A a w; write A 4095 yy; write A 8190 zzzz; content a = 12k "
           "x*4095+yy+x*4093+zzzz+x*4094"),
    SCRIPT("write_is_seen_by_another_fd",
           "open A a wc; open B a r; write A 0 hi; read B 0 9 = 2 hi"),
    SCRIPT("write_is_seen_after_close",
           "open A a wc; write A 0 hi; close A; open A a r; read A 0 9 = 2 hi"),
    SCRIPT("write_is_seen_under_a_new_name",
           "open A a wc; rename a b; write A 0 hi; content b = 2 hi"),
    SCRIPT("write_dsync_reads_back",
           "open A a rwcs; write A 0 x*10000; read A 0 20000 = 10000 x*10000"),
    SCRIPT("write_every_byte_value_survives_zero",
           "open A a rwc; write A 0 a~b~~c; read A 0 9 = 6 a~b~~c"),
    PROGRAM(write_odd_pieces),
    PROGRAM(write_pieces_in_any_order),
    PROGRAM(read_stays_in_its_buffer),
    PROGRAM(write_leaves_its_memory_alone),
    {0},
};
