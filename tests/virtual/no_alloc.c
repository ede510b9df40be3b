/** tests/virtual/no_alloc.c - law 7: once every table has grown, nothing is allocated any
 * more. All memory comes through one allocator that counts. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "io/virtual/random.h"
#include "io/virtual/virtual.h"
#include "tests/common/allocator.h"

enum { PAGE = 4096, FILES = 4, DEPTH = 32, KEPT = 5 };

static struct allocator allocator;
static struct tp_io *io;
static struct tp_fd files[FILES];
static struct tp_buf bufs[DEPTH];
static uint8_t memory[DEPTH][PAGE];
static struct tp_statx statx[DEPTH];

static void hand_in(struct tp_rng *rng, uint32_t slot)
{
    uint64_t offset = tp_rng_below(rng, 64) * PAGE;
    struct tp_fd fd = files[tp_rng_below(rng, FILES)];

    switch (tp_rng_below(rng, 12)) {
    case 0:
        tp_io_fsync(io, slot + 1, fd, 0);
        break;
    case 1:
        tp_io_rename(io, slot + 1, "/a/long/path/for/a", "/a/long/path/for/b");
        break;
    case 2:
        tp_io_create_dir(io, slot + 1, "/a/long/path/for/a", 0755);
        break;
    case 3:
        tp_io_remove_dir(io, slot + 1, "/a/long/path/for/b");
        break;
    case 4:
        tp_io_truncate(io, slot + 1, fd, offset);
        break;
    case 5:
        tp_io_stat(io, slot + 1, "/f1", &statx[slot]);
        break;
    case 6:
        tp_io_sync_dir(io, slot + 1, "/a/long/path/for");
        break;
    case 7:
    case 8:
        bufs[slot] = tp_buf_empty(memory[slot], PAGE);
        tp_io_read_at(io, slot + 1, fd, &bufs[slot], offset);
        break;
    default:
        memset(memory[slot], (int)offset, PAGE);
        bufs[slot] = tp_buf_full(memory[slot], PAGE);
        tp_io_write_at(io, slot + 1, fd, &bufs[slot], offset);
        break;
    }
}

static void run(struct tp_rng *rng, uint32_t rounds)
{
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t slot = 0; slot < DEPTH; slot++)
            hand_in(rng, slot);
        while (tp_io_in_flight(io) > 0) {
            tp_io_park(io, TP_NEVER);
            for (uint32_t slot = 0; slot < DEPTH; slot++) {
                struct tp_completion completion;

                (void)tp_io_get_cqe(io, slot + 1, &completion);
            }
        }
    }
}

Test(no_alloc, a_warm_world_allocates_nothing)
{
    struct tp_virtual_io_config config = {.size = sizeof config,
                                          .seed = 1,
                                          .ops_max = 64,
                                          .fds_max = 16,
                                          .allocator = &allocator.hooks};
    struct tp_open_options options = {.read = true, .write = true, .create = true};
    struct tp_rng rng = {1};
    uint64_t warm;

    allocator_init(&allocator);
    cr_assert(eq(int, tp_virtual_io_create(&config, &io), 0));
    cr_assert(eq(i32, tp_io_create_dir_all_blocking(io, "/a/long/path/for"), 0));
    for (uint32_t i = 0; i < FILES; i++) {
        char path[4] = {'/', 'f', (char)('0' + i), '\0'};
        int32_t value = tp_io_block_on(io, tp_request_open(path, options));

        cr_assert(value >= 0);
        files[i] = tp_io_into_fd(io, value);
    }
    run(&rng, 4000);
    warm = allocator.taken_blocks;
    run(&rng, 2000);
    cr_assert(eq(u64, allocator.taken_blocks, warm));
    tp_virtual_io_destroy(io);
    cr_assert(eq(u64, allocator.live_blocks, 0));
}

/* ------------------------------------------------------------------ network */

static const struct tp_socket_options plain;

/* One connection: a client sends, and the server receives with a multishot, keeps a few
 * buffers, and answers; then both close. */
struct talk {
    struct tp_fd client, server;
    struct tp_buf *kept[KEPT];
    uint32_t kept_count;
    uint64_t got, end; /* bytes; the multishot, 0 when it has ended */
    int32_t result;    /* with this */
};

static struct tp_fd into_fd(int32_t value)
{
    cr_assert(value >= 0);
    return tp_io_into_fd(io, value);
}

/* Claims what the multishot has brought. */
static void take_shots(struct talk *talk)
{
    struct tp_completion completion;

    while (tp_io_get_cqe(io, talk->end, &completion)) {
        struct tp_buf *buf = tp_io_recv_buf(io, &completion);

        if (buf == NULL) {
            talk->end = 0;
            talk->result = completion.value;
            return;
        }
        talk->got += buf->len;
        if (talk->kept_count == KEPT)
            tp_io_give_back(io, talk->kept[--talk->kept_count]);
        talk->kept[talk->kept_count++] = buf;
    }
}

static void send_some(struct talk *talk, struct tp_rng *rng)
{
    struct tp_buf some =
        tp_buf_full(memory, 1 + (uint32_t)tp_rng_below(rng, 3 * (uint64_t)PAGE));
    uint64_t sent = talk->got;
    int32_t value = tp_io_block_on(io, tp_request_send(talk->client, &some));

    cr_assert(value > 0);
    for (take_shots(talk); talk->got < sent + (uint64_t)value; take_shots(talk))
        tp_io_park(io, TP_NEVER);
    some = tp_buf_full(memory, PAGE);
    cr_assert(eq(i32, tp_io_block_on(io, tp_request_send(talk->server, &some)), PAGE));
    some = tp_buf_empty(memory, PAGE);
    cr_assert(tp_io_block_on(io, tp_request_recv(talk->client, &some)) > 0);
}

static void talk_once(struct tp_fd listener, const struct tp_address *address,
                      struct tp_rng *rng)
{
    struct talk talk = {.end = 1, .result = -1};

    talk.client = into_fd(tp_io_block_on(io, tp_request_connect(address, plain)));
    talk.server = into_fd(tp_io_block_on(io, tp_request_accept(listener)));
    tp_io_recv_many(io, talk.end, talk.server);
    for (uint32_t i = 0; i < 5; i++)
        send_some(&talk, rng);
    cr_assert(
        eq(i32, tp_io_block_on(io, tp_request_shutdown(talk.client, TP_SHUT_WRITE)), 0));
    for (take_shots(&talk); talk.end != 0; take_shots(&talk))
        tp_io_park(io, TP_NEVER);
    cr_assert(eq(i32, talk.result, 0));
    while (talk.kept_count > 0)
        tp_io_give_back(io, talk.kept[--talk.kept_count]);
    cr_assert(eq(i32, tp_io_block_on(io, tp_request_close(talk.server)), 0));
    cr_assert(eq(i32, tp_io_block_on(io, tp_request_close(talk.client)), 0));
}

Test(no_alloc, a_warm_network_allocates_nothing)
{
    struct tp_net_config net_config = {.size = sizeof net_config, .faults.loss_ppm = 20000};
    struct tp_virtual_io_config config = {.size = sizeof config,
                                          .seed = 1,
                                          .ops_max = 64,
                                          .fds_max = 16,
                                          .recv_buf_count = KEPT + 2,
                                          .recv_buf_size = 1500,
                                          .net_config = &net_config,
                                          .allocator = &allocator.hooks};
    struct tp_address address[3] = {tp_address_ipv4(127, 0, 0, 1, 80)};
    struct tp_fd listener[3];
    struct tp_rng rng = {1};
    uint64_t warm = 0;

    cr_assert(eq(int, tp_address_parse("[::1]:80", 0, &address[1]), 0));
    cr_assert(eq(int, tp_address_parse("unix:/s", 0, &address[2]), 0));
    allocator_init(&allocator);
    cr_assert(eq(int, tp_virtual_io_create(&config, &io), 0));
    for (uint32_t i = 0; i < 3; i++)
        listener[i] = into_fd(tp_io_block_on(io, tp_request_listen(&address[i], plain)));
    for (uint32_t round = 0; round < 900; round++) {
        if (round == 600)
            warm = allocator.taken_blocks;
        talk_once(listener[round % 3], &address[round % 3], &rng);
    }
    cr_assert(eq(u64, allocator.taken_blocks, warm));
    tp_virtual_io_destroy(io);
    cr_assert(eq(u64, allocator.live_blocks, 0));
}
