/* What is not as it was written is refused, with file and place; nothing of it is believed,
 * and nothing of it is repaired by guessing. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/kv/world.h"

#define SNAPSHOT WORLD_PATH "/snapshot"

static struct world world, broken;
static uint8_t *file; /* the snapshot as it was written */
static uint32_t file_len;

/* A directory with a snapshot of several blocks, and a log behind it. */
static void set_up(void)
{
    struct work work = world_work(3), more = world_work(4);
    struct tp_statx statx;

    world_init(&world, NULL, 3);
    work.save_last = true;
    more.records = 5;
    more.save_every = 0;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(eq(i32, world_boot(&world, &more), 0));
    cr_assert(eq(str, world.oracle.violation, ""));
    cr_assert(eq(i32, tp_disk_stat(world.disk, SNAPSHOT, false, &statx), 0));
    file_len = (uint32_t)statx.size;
    cr_assert(ge(u32, file_len, 5 * KV_SNAPSHOT_ALIGN));
    file = malloc(file_len);
    cr_assert(file != NULL);
    cr_assert(eq(i64, tp_disk_read_at(world.disk, SNAPSHOT, 0, file, file_len), file_len));
}

static void tear_down(void)
{
    free(file);
    world_deinit(&world);
}

/* Where the block begins that a byte of the file is in. */
static uint64_t block_of(uint32_t at)
{
    uint64_t offset = 0, len = KV_SNAPSHOT_ALIGN;

    while (offset + len <= at) {
        offset += len;
        len = kv_snapshot_padded(kv_get_u32(file + offset + 32));
    }
    return offset;
}

/* Starts with these bytes as the snapshot; what it ended with. */
static int32_t start_with(const uint8_t *bytes, uint32_t len)
{
    struct work work = world_work(9);

    work.records = 0;
    world_clone(&world, &broken);
    cr_assert(eq(i32, tp_disk_write_file(broken.disk, SNAPSHOT, bytes, len), 0));
    cr_assert(eq(i32, world_boot(&broken, &work), 0));
    return broken.service.result;
}

/* It was refused, and said why and where. */
static void expect_refused(int32_t error, uint64_t offset, const char *when, uint32_t which)
{
    char place[128];

    (void)snprintf(place, sizeof place,
                   SNAPSHOT ": offset %llu: ", (unsigned long long)offset);
    cr_assert(not(broken.service.opened), "%s %u", when, which);
    cr_assert(eq(i32, broken.service.result, error), "%s %u", when, which);
    cr_assert(strncmp(broken.service.storage.problem, place, strlen(place)) == 0,
              "%s %u: %s, not at offset %llu", when, which, broken.service.storage.problem,
              (unsigned long long)offset);
    world_deinit(&broken);
}

Test(kv_corruption, of_any_byte_of_a_snapshot_is_refused, .init = set_up, .fini = tear_down,
     .timeout = 300)
{
    uint64_t state = 1;

    for (uint32_t at = 0; at < file_len; at += at % KV_SNAPSHOT_ALIGN < 64 ? 1 : 13) {
        uint8_t was = file[at];
        bool version = at >= 16 && at < 20;

        file[at] ^= (uint8_t)(1 << model_draw(&state, 8));
        (void)start_with(file, file_len);
        file[at] = was;
        expect_refused(version ? -EPROTONOSUPPORT : -EBADMSG, block_of(at), "byte", at);
    }
}

Test(kv_corruption, of_its_length_is_refused, .init = set_up, .fini = tear_down)
{
    uint8_t *longer = calloc(1, file_len + 8192);

    cr_assert(longer != NULL);
    memcpy(longer, file, file_len);
    for (uint32_t len = 0; len < file_len; len += len % 4096 == 0 ? 1 : 4095) {
        cr_assert(eq(i32, start_with(file, len), -EBADMSG), "cut to %u", len);
        cr_assert(not(broken.service.opened));
        world_deinit(&broken);
    }
    for (uint32_t more = 1; more <= 8192; more += 4095) {
        cr_assert(eq(i32, start_with(longer, file_len + more), -EBADMSG));
        expect_refused(-EBADMSG, file_len - KV_SNAPSHOT_ALIGN, "bytes behind it:", more);
    }
    free(longer);
}

/* Sound blocks in the wrong place, and one that an earlier snapshot had there. */
Test(kv_corruption, of_its_order_is_refused, .init = set_up, .fini = tear_down)
{
    uint8_t *mixed = malloc(file_len);
    struct kv_snapshot_head head;
    struct kv_snapshot_block block;
    uint64_t first = KV_SNAPSHOT_ALIGN,
             second = first + kv_snapshot_padded(kv_get_u32(file + first + 32));

    cr_assert(mixed != NULL);
    memcpy(mixed, file, file_len);
    memcpy(mixed + first, file + second,
           file_len - second); /* the first block is left out */
    (void)start_with(mixed, file_len - (uint32_t)(second - first));
    expect_refused(-EBADMSG, first, "without block", 1);

    memcpy(mixed, file, file_len);
    cr_assert(eq(int, kv_snapshot_head_decode(file, &head), 0));
    cr_assert(kv_snapshot_block_peek(file + second, head.id, second, file_len, &block));
    block.id++; /* what another file had there */
    kv_snapshot_block_encode(&block, mixed + second);
    (void)start_with(mixed, file_len);
    expect_refused(-EBADMSG, second, "another file's block", 2);
    free(mixed);
}

/* ------------------------------------------------------------------ with right sums */

enum { MADE = 4 * KV_SNAPSHOT_ALIGN };

static uint8_t made[MADE];

/* A snapshot of one block with `content` in it, which claims `count` entries, and an end
 * that claims `entries`. */
static uint32_t make(const uint8_t *content, uint32_t len, uint32_t count, uint64_t entries,
                     uint64_t end_lsn)
{
    struct kv_snapshot_head head = {.id = 77, .start_lsn = 10};
    struct kv_snapshot_end end = {entries, end_lsn};
    struct kv_snapshot_block block = {77, KV_SNAPSHOT_ALIGN, KV_SNAPSHOT_BLOCK_HEAD + len,
                                      count, false};
    uint8_t *at = made + KV_SNAPSHOT_ALIGN;

    kv_snapshot_head_encode(&head, made);
    memcpy(at + KV_SNAPSHOT_BLOCK_HEAD, content, len);
    kv_snapshot_block_encode(&block, at);
    at += KV_SNAPSHOT_ALIGN;
    block = (struct kv_snapshot_block){77, 2 * KV_SNAPSHOT_ALIGN,
                                       KV_SNAPSHOT_BLOCK_HEAD + 16, 0, true};
    (void)kv_snapshot_end_encode(at + KV_SNAPSHOT_BLOCK_HEAD, &end);
    kv_snapshot_block_encode(&block, at);
    return 3 * KV_SNAPSHOT_ALIGN;
}

Test(kv_corruption, of_what_a_right_sum_covers_is_refused, .init = set_up,
     .fini = tear_down)
{
    static const struct {
        const char *what;
        uint8_t content[16];
        uint32_t len, count;
        uint64_t entries, end_lsn;
        uint64_t refused_at; /* block */
    } cases[] = {
        {"a database that is not", {16, 1, 0, 1, 0, 'k'}, 6, 1, 1, 20, 1},
        {"an LSN of 0", {0, 0, 0, 1, 0, 'k'}, 6, 1, 1, 20, 1},
        {"a key past the end", {0, 1, 0, 2, 0, 'k'}, 6, 1, 1, 20, 1},
        {"a value past the end", {0, 1, 0, 1, 9, 'k'}, 6, 1, 1, 20, 1},
        {"fewer entries than it says", {0, 1, 0, 1, 0, 'k'}, 6, 2, 2, 20, 1},
        {"more entries than it says",
         {0, 1, 0, 1, 0, 'k', 0, 1, 0, 1, 0, 'l'},
         12,
         1,
         1,
         20,
         1},
        {"an end that counts others", {0, 1, 0, 1, 0, 'k'}, 6, 1, 2, 20, 2},
        {"an end before its entries", {0, 30, 0, 1, 0, 'k'}, 6, 1, 1, 20, 2},
        {"an end before its beginning", {0, 1, 0, 1, 0, 'k'}, 6, 1, 1, 9, 2},
    };

    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t len = make(cases[i].content, cases[i].len, cases[i].count,
                            cases[i].entries, cases[i].end_lsn);

        (void)start_with(made, len);
        expect_refused(-EBADMSG, cases[i].refused_at * KV_SNAPSHOT_ALIGN, cases[i].what, i);
    }
}

/* The log must reach as far as it did when the snapshot was made. */
Test(kv_corruption, a_log_older_than_its_snapshot_is_refused, .init = set_up,
     .fini = tear_down)
{
    static const uint8_t entry[] = {0, 1, 0, 1, 0, 'k'};
    uint64_t last = world.oracle.count;
    struct kv_snapshot_head head = {.id = 77, .start_lsn = last};

    (void)make(entry, sizeof entry, 1, 1, last + 1);
    kv_snapshot_head_encode(&head, made);
    cr_assert(eq(i32, start_with(made, 3 * KV_SNAPSHOT_ALIGN), -ENODATA));
    cr_assert(not(broken.service.opened));
    cr_assert(strstr(broken.service.storage.problem, WORLD_PATH
                     "/log: the log ends with record") == broken.service.storage.problem,
              "%s", broken.service.storage.problem);
    world_deinit(&broken);

    head.start_lsn = last + 1;
    kv_snapshot_head_encode(&head, made);
    cr_assert(eq(i32, start_with(made, 3 * KV_SNAPSHOT_ALIGN), -ENODATA));
    world_deinit(&broken);
}

/* ------------------------------------------------------------------ what is missing */

static void expect_nodata(const char *text)
{
    struct work work = world_work(9);

    work.records = 0;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(not(world.service.opened));
    cr_assert(eq(i32, world.service.result, -ENODATA));
    cr_assert(strstr(world.service.storage.problem, text) != NULL, "%s",
              world.service.storage.problem);
}

/* Enough records and snapshots that the log's beginning is gone. */
static void trim_log(void)
{
    struct tp_statx statx;

    for (uint64_t seed = 20;
         tp_disk_stat(world.disk, WORLD_PATH "/log/0000000000000001.log", false, &statx) ==
         0;
         seed++) {
        struct work work = world_work(seed);

        cr_assert(lt(u64, seed, 40), "the log is trimmed");
        cr_assert(eq(i32, world_boot(&world, &work), 0));
    }
}

Test(kv_corruption, a_snapshot_that_is_gone_is_missed, .init = set_up, .fini = tear_down)
{
    trim_log();
    cr_assert(eq(i32, tp_disk_remove(world.disk, SNAPSHOT), 0));
    expect_nodata("the first record asked for is missing");
}

Test(kv_corruption, a_log_that_is_gone_is_missed, .init = set_up, .fini = tear_down)
{
    for (uint32_t i = 1; i < 40; i++) {
        char path[64];

        (void)snprintf(path, sizeof path, WORLD_PATH "/log/%016x.log", i);
        (void)tp_disk_remove(world.disk, path);
    }
    expect_nodata("the log ends before the first record asked for");
}

/* ------------------------------------------------------------------ records */

/* Bytes that are no record, in a log that is sound: the record is named. */
Test(kv_corruption, of_a_record_is_refused, .init = set_up, .fini = tear_down)
{
    static const struct {
        uint8_t bytes[8];
        uint32_t len;
        int32_t error;
    } cases[] = {
        {{2, 7}, 2, -EPROTONOSUPPORT},
        {{1}, 1, -EBADMSG},
        {{1, 9}, 2, -EBADMSG},
        {{1, 4, 0, 5, 'k'}, 5, -EBADMSG},
        {{1, 7, 1, 4, 0, 1},
         6,
         -EBADMSG}, /* a FLUSHALL, then nonsense: none of it happens */
    };

    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct work raw = world_work(30), look = world_work(31);
        char text[64];

        world_clone(&world, &broken);
        raw.records = 1;
        raw.save_every = 0;
        raw.raw = cases[i].bytes;
        raw.raw_len = cases[i].len;
        cr_assert(eq(i32, world_boot(&broken, &raw), 0));
        look.records = 0;
        cr_assert(eq(i32, world_boot(&broken, &look), 0));
        cr_assert(not(broken.service.opened));
        cr_assert(eq(i32, broken.service.result, cases[i].error));
        (void)snprintf(text, sizeof text, WORLD_PATH "/log: record %llu: it makes no sense",
                       (unsigned long long)world.oracle.count + 1);
        cr_assert(strncmp(broken.service.storage.problem, text, strlen(text)) == 0,
                  "case %u: %s", i, broken.service.storage.problem);
        cr_assert(lt(u64, 0, kv_store_count(broken.service.store, 0)));
        world_deinit(&broken);
    }
}

/* Whatever the bytes of a snapshot: it ends, and nothing is read past their end. */
Test(kv_corruption, bears_any_bytes, .init = set_up, .fini = tear_down)
{
    uint64_t state = 5;
    uint32_t opened = 0;

    for (uint32_t round = 0; round < 1500; round++) {
        uint32_t len = file_len - (uint32_t)model_draw(&state, 2) *
                                      (uint32_t)model_draw(&state, file_len);
        uint8_t *bytes = malloc(file_len);
        uint64_t blocks = model_draw(&state, 2);

        cr_assert(bytes != NULL);
        memcpy(bytes, file, file_len);
        for (uint64_t i = model_draw(&state, 5); i > 0; i--)
            bytes[model_draw(&state, file_len)] = (uint8_t)model_draw(&state, 256);
        if (blocks == 1) { /* with sums made right again */
            struct kv_snapshot_head head;

            if (kv_snapshot_head_decode(file, &head) == 0) {
                for (uint64_t at = KV_SNAPSHOT_ALIGN; at < file_len;) {
                    struct kv_snapshot_block block;

                    cr_assert(kv_snapshot_block_peek(file + at, head.id, at, file_len - at,
                                                     &block));
                    kv_snapshot_block_encode(&block, bytes + at);
                    at += kv_snapshot_padded(block.len);
                }
            }
        }
        (void)start_with(bytes, len);
        opened += broken.service.opened;
        world_deinit(&broken);
        free(bytes);
    }
    cr_assert(lt(u32, 50, opened), "those that nothing was done to, and some in values");
}
