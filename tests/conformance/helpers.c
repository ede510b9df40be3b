/* The blocking helpers for start-up, and parking. */
#include "conformance.h"

#include <stdio.h>

struct names {
    uint32_t count;
    uint32_t stop_at; /* 0: never */
    bool dots;
};

static int32_t count_name(void *context, const struct tp_dir_entry *entry)
{
    struct names *names = context;
    const char *name = tp_dir_entry_name(entry);

    names->count++;
    names->dots = names->dots || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    return names->count == names->stop_at ? 4711 : 0;
}

static void block_on_an_operation(struct conformance *c)
{
    struct tp_statx statx;

    EXPECT(c, tp_io_block_on(c->io, tp_request_nop()), 0);
    EXPECT(c, tp_io_block_on(c->io, tp_request_stat(c->dir, &statx)), 0);
    EXPECT_THAT(c, statx.kind == TP_FILE_DIRECTORY);
    EXPECT(c, tp_io_block_on(c->io, tp_request_remove(at(c, "missing"))), -ENOENT);
}

/* They claim, so they set what a claim sets. */
static void block_on_sets_the_len_of_a_buffer(struct conformance *c)
{
    uint8_t bytes[16] = {0};
    struct tp_buf buf = tp_buf_empty(bytes, sizeof bytes);
    struct tp_fd fd;

    make_file(c, at(c, "f"), 7);
    fd = open_file(c, at(c, "f"), "rw");
    EXPECT(c, tp_io_block_on(c->io, tp_request_read_at(fd, &buf, 0)), 7);
    EXPECT_THAT(c, buf.len == 7);
    EXPECT(c, tp_io_block_on(c->io, tp_request_write_at(fd, &buf, 7)), 7);
    EXPECT_THAT(c, buf.len == 7);
    EXPECT(c, tp_io_block_on(c->io, tp_request_close(fd)), 0);
    EXPECT(c, tp_io_block_on(c->io, tp_request_read_at(fd, &buf, 0)), -EBADF);
    EXPECT_THAT(c, buf.len == 0);
}

/* What others wait for stays in the list meanwhile. */
static void block_on_leaves_others(struct conformance *c)
{
    uint64_t first = submit(c, tp_request_nop());
    uint64_t second = submit(c, tp_request_fsync(tp_fd_none(), 0));

    EXPECT(c, tp_io_block_on(c->io, tp_request_nop()), 0);
    EXPECT(c, tp_io_block_on(c->io, tp_request_create_dir(at(c, "d"), 0777)), 0);
    EXPECT(c, await(c, second), -EBADF);
    EXPECT(c, await(c, first), 0);
}

static void create_dir_all_blocking(struct conformance *c)
{
    EXPECT(c, tp_io_create_dir_all_blocking(c->io, at(c, "a/b/c")), 0);
    EXPECT(c, tp_io_create_dir_all_blocking(c->io, at(c, "a/b/c")), 0);
    make_file(c, at(c, "f"), 1);
    EXPECT(c, tp_io_create_dir_all_blocking(c->io, at(c, "f/a")), -ENOTDIR, -EEXIST);
    EXPECT(c, tp_io_create_dir_all_blocking(c->io, ""), -ENOENT);
}

static void list_dir_blocking(struct conformance *c)
{
    struct names names = {0};
    char name[16];

    EXPECT(c, tp_io_list_dir_blocking(c->io, c->dir, count_name, &names), 0);
    EXPECT_THAT(c, names.count == 0);
    for (uint32_t i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof name, "d%u", i);
        EXPECT(c, run(c, tp_request_create_dir(at(c, name), 0777)), 0);
    }
    EXPECT(c, tp_io_list_dir_blocking(c->io, c->dir, count_name, &names), 0);
    EXPECT_THAT(c, names.count == 500 && !names.dots);
}

static void list_dir_blocking_stops_early(struct conformance *c)
{
    struct names names = {.stop_at = 3};
    char name[16];

    for (uint32_t i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof name, "d%u", i);
        EXPECT(c, run(c, tp_request_create_dir(at(c, name), 0777)), 0);
    }
    EXPECT(c, tp_io_list_dir_blocking(c->io, c->dir, count_name, &names), 4711);
    EXPECT_THAT(c, names.count == 3);
}

static void list_dir_blocking_of_none(struct conformance *c)
{
    struct names names = {0};

    make_file(c, at(c, "a"), 1);
    EXPECT(c, tp_io_list_dir_blocking(c->io, at(c, "d"), count_name, &names), -ENOENT);
    EXPECT(c, tp_io_list_dir_blocking(c->io, at(c, "a"), count_name, &names), -ENOTDIR);
    EXPECT_THAT(c, names.count == 0);
}

/* Nothing in flight: a park lasts until its deadline, on the Io's own clock. */
static void park_until_a_deadline(struct conformance *c)
{
    uint64_t start_ns = tp_io_now_ns(c->io), deadline_ns = start_ns + 5000000;
    uint32_t parks = 0;

    while (tp_io_now_ns(c->io) < deadline_ns && parks++ < 1000)
        tp_io_park(c->io, deadline_ns);
    EXPECT_THAT(c, tp_io_now_ns(c->io) >= deadline_ns && parks < 1000);
    EXPECT_THAT(c, tp_io_now_ns(c->io) < start_ns + c->patience_ns);
}

static void park_past_deadline(struct conformance *c)
{
    uint64_t start_ns;

    tp_io_park(c->io, tp_io_now_ns(c->io) + 1000000);
    start_ns = tp_io_now_ns(c->io);
    tp_io_park(c->io, start_ns);
    tp_io_park(c->io, 0);
    EXPECT_THAT(c, tp_io_now_ns(c->io) < start_ns + c->patience_ns);
}

/* A completion ends a park long before its deadline. */
static void park_until_a_completion(struct conformance *c)
{
    uint64_t start_ns = tp_io_now_ns(c->io);
    struct tp_completion completion;
    uint64_t handle = submit(c, tp_request_create_dir(at(c, "d"), 0777));
    uint32_t parks = 0;

    while (!tp_io_get_cqe(c->io, handle, &completion) && parks++ < 100)
        tp_io_park(c->io, start_ns + 1000 * c->patience_ns);
    EXPECT_THAT(c, parks < 100 && completion.value == 0);
    EXPECT_THAT(c, tp_io_now_ns(c->io) < start_ns + c->patience_ns);
}

/* So does one that was delivered at submission: there is no sleep over a bad argument. */
static void park_with_a_rejected_operation(struct conformance *c)
{
    uint64_t start_ns = tp_io_now_ns(c->io);
    uint64_t handle = submit(c, tp_request_remove(""));
    struct tp_completion completion;

    tp_io_park(c->io, start_ns + 1000 * c->patience_ns);
    EXPECT_THAT(c,
                tp_io_get_cqe(c->io, handle, &completion) && completion.value == -ENOENT);
    EXPECT_THAT(c, tp_io_now_ns(c->io) < start_ns + c->patience_ns);
}

/* A wake from before counts: the next park returns at once. */
static void park_after_a_wake(struct conformance *c)
{
    uint64_t start_ns = tp_io_now_ns(c->io);

    tp_io_wake(c->io);
    tp_io_park(c->io, start_ns + 1000 * c->patience_ns);
    EXPECT_THAT(c, tp_io_now_ns(c->io) < start_ns + c->patience_ns);
    EXPECT_THAT(c, tp_io_in_flight(c->io) == 0 && tp_io_completions(c->io)->live == 0);
}

/* Wakes are coalesced, and never a completion. */
static void wakes_are_not_completions(struct conformance *c)
{
    for (uint32_t i = 0; i < 100; i++)
        tp_io_wake(c->io);
    for (uint32_t i = 0; i < 10; i++)
        tp_io_poll(c->io);
    EXPECT_THAT(c, tp_io_in_flight(c->io) == 0 && tp_io_completions(c->io)->live == 0);
    EXPECT(c, run(c, tp_request_nop()), 0);
}

const struct conformance_program conformance_helpers[] = {
    PROGRAM(block_on_an_operation),
    PROGRAM(block_on_sets_the_len_of_a_buffer),
    PROGRAM(block_on_leaves_others),
    PROGRAM(create_dir_all_blocking),
    PROGRAM(list_dir_blocking),
    PROGRAM(list_dir_blocking_stops_early),
    PROGRAM(list_dir_blocking_of_none),
    PROGRAM(park_until_a_deadline),
    PROGRAM(park_past_deadline),
    PROGRAM(park_until_a_completion),
    PROGRAM(park_with_a_rejected_operation),
    PROGRAM(park_after_a_wake),
    PROGRAM(wakes_are_not_completions),
    {0},
};
