/* What an Io says of itself: clocks, entropy, block size, caps; and arguments out of range.
 */
#include "conformance.h"

#include <stdio.h>

static void clock_stands_still_in_a_tick(struct conformance *c)
{
    uint64_t now_ns = tp_io_now_ns(c->io), wall_ns = tp_io_wall_ns(c->io);
    uint32_t spin = 0;

    for (volatile uint32_t i = 0; i < 1000000; i++)
        spin += i;
    EXPECT_THAT(c, tp_io_now_ns(c->io) == now_ns && tp_io_wall_ns(c->io) == wall_ns);
    EXPECT_THAT(c, spin != 0);
}

static void clock_never_steps_back(struct conformance *c)
{
    uint64_t last_ns = tp_io_now_ns(c->io), first_ns = last_ns;

    for (uint32_t i = 0; i < 200; i++) {
        uint64_t now_ns;

        EXPECT(c, run(c, tp_request_nop()), 0);
        now_ns = tp_io_now_ns(c->io);
        if (!EXPECT_THAT(c, now_ns >= last_ns))
            break;
        last_ns = now_ns;
    }
    tp_io_park(c->io, last_ns + 1000000);
    EXPECT_THAT(c, tp_io_now_ns(c->io) > first_ns);
}

static void clock_wall_moves_with_the_other(struct conformance *c)
{
    uint64_t now_ns = tp_io_now_ns(c->io), wall_ns = tp_io_wall_ns(c->io);

    EXPECT_THAT(c, wall_ns > UINT64_C(946684800) * 1000000000);  /* the year 2000 */
    EXPECT_THAT(c, wall_ns < UINT64_C(7258118400) * 1000000000); /* the year 2200 */
    while (tp_io_now_ns(c->io) < now_ns + 10000000)
        tp_io_park(c->io, now_ns + 10000000);
    EXPECT_THAT(c, tp_io_wall_ns(c->io) > wall_ns);
}

static void random_differs(struct conformance *c)
{
    uint8_t first[64] = {0}, second[64] = {0}, zeros[64] = {0}, odd[65];

    tp_io_random(c->io, first, sizeof first);
    tp_io_random(c->io, second, sizeof second);
    EXPECT_THAT(c, memcmp(first, second, sizeof first) != 0);
    EXPECT_THAT(c, memcmp(first, zeros, sizeof first) != 0);
    odd[13] = 0x5a;
    tp_io_random(c->io, odd, 13);
    EXPECT_THAT(c, odd[13] == 0x5a);
    tp_io_random(c->io, odd, 0);
}

static void block_size_is_a_power_of_two(struct conformance *c)
{
    uint32_t block = tp_io_block_size(c->io);

    EXPECT_THAT(c, block >= 512 && block <= 65536 && (block & (block - 1)) == 0);
}

static void caps_say_how_and_why(struct conformance *c)
{
    const struct tp_io_caps *caps = tp_io_caps(c->io);
    char text[16384];

    tp_io_caps_print(c->io, text, sizeof text);
    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        if ((tp_kind_info[kind].traits & TP_NOT_IO) != 0)
            continue;
        EXPECT_THAT(c, caps->kinds[kind].why != NULL && caps->kinds[kind].why[0] != '\0');
        EXPECT_THAT(c, strstr(text, tp_kind_info[kind].name) != NULL);
    }
    EXPECT_THAT(c, caps->notes != NULL);
    tp_io_caps_print(c->io, text, 1);
    EXPECT_THAT(c, text[0] == '\0');
    tp_io_caps_print(c->io, text, 100);
    EXPECT_THAT(c, strlen(text) == 99);
}

/* What a backend says it lacks completes with -EOPNOTSUPP, and nothing else does so. */
static void caps_are_true(struct conformance *c)
{
    bool has_nop = tp_io_caps(c->io)->kinds[TP_NOP].how != TP_HOW_UNAVAILABLE;
    struct tp_request request = tp_request_nop();

    request.handle = ++c->handle;
    tp_io_submit(c->io, &request);
    EXPECT(c, await(c, request.handle), has_nop ? 0 : -EOPNOTSUPP);
}

static void pollable_or_not(struct conformance *c)
{
    int fd = tp_io_fd(c->io);

    EXPECT_THAT(c, fd >= 0 || fd == -EOPNOTSUPP);
}

/* One more request than a name or a path can carry; each is refused by itself. */
static void paths_missing(struct conformance *c)
{
    struct tp_statx statx;
    char target[8];
    struct tp_buf buf = tp_buf_empty(target, sizeof target);

    EXPECT(c, run(c, tp_request_open(NULL, open_options("r"))), -EFAULT);
    EXPECT(c, run(c, tp_request_stat(NULL, &statx)), -EFAULT);
    EXPECT(c, run(c, tp_request_rename(at(c, "a"), NULL)), -EFAULT);
    EXPECT(c, run(c, tp_request_rename(NULL, at(c, "a"))), -EFAULT);
    EXPECT(c, run(c, tp_request_symlink(at(c, "a"), NULL)), -EFAULT);
    EXPECT(c, run(c, tp_request_read_link(NULL, &buf)), -EFAULT);
    EXPECT(c, run(c, tp_request_remove(NULL)), -EFAULT);
}

/* A length beyond what one operation moves is shortened, not refused. The memory is not on
 * the stack: two gigabytes from there may be past the end of the address space, which is
 * -EFAULT. */
static void read_of_more_than_there_may_be(struct conformance *c)
{
    static uint8_t memory[16];
    struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
    struct tp_request request;
    struct tp_fd fd;

    make_file(c, at(c, "a"), 10);
    fd = open_file(c, at(c, "a"), "r");
    request = tp_request_read_at(fd, &buf, 10);
    request.len =
        UINT32_MAX; /* at the end of the file nothing is moved, whatever is asked */
#ifndef TP_CHECKED
    EXPECT(c, run(c, request), 0);
#endif
    request.len = sizeof memory;
    EXPECT(c, run(c, request), 0);
    close_file(c, fd);
}

static void kinds_have_names(struct conformance *c)
{
    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        EXPECT_THAT(c,
                    tp_kind_info[kind].name != NULL && tp_kind_info[kind].name[0] != '\0');
        for (uint32_t other = 0; other < kind; other++)
            EXPECT_THAT(c, strcmp(tp_kind_info[kind].name, tp_kind_info[other].name) != 0);
    }
}

static void errnos_have_names(struct conformance *c)
{
    EXPECT_THAT(c, strcmp(tp_errno_name(-EIO), "EIO") == 0);
    EXPECT_THAT(c, strcmp(tp_errno_name(EIO), "EIO") == 0);
    EXPECT_THAT(c, strcmp(tp_errno_name(-ENOENT), "ENOENT") == 0);
    EXPECT_THAT(c, strcmp(tp_errno_name(-ENAMETOOLONG), "ENAMETOOLONG") == 0);
    EXPECT_THAT(c, strcmp(tp_errno_name(-ECANCELED), "ECANCELED") == 0);
    EXPECT_THAT(c, strcmp(tp_errno_name(0), "OK") == 0);
    EXPECT_THAT(c, strcmp(tp_errno_name(-100000), "E?") == 0);
}

const struct conformance_program conformance_arguments[] = {
    PROGRAM(clock_stands_still_in_a_tick),
    PROGRAM(clock_never_steps_back),
    PROGRAM(clock_wall_moves_with_the_other),
    PROGRAM(random_differs),
    PROGRAM(block_size_is_a_power_of_two),
    PROGRAM(caps_say_how_and_why),
    PROGRAM(caps_are_true),
    PROGRAM(pollable_or_not),
    PROGRAM(paths_missing),
    PROGRAM(read_of_more_than_there_may_be),
    PROGRAM(kinds_have_names),
    PROGRAM(errnos_have_names),
    {0},
};
