/* A data directory that is not in use: what it holds is printed so that it can be made
 * again, and what is wrong with it is said. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/kv/inspect.h"
#include "apps/kv/words.h"
#include "tests/kv/world.h"

static struct world world;

static char *dump_of(const struct kv_store *store)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    cr_assert(stream != NULL);
    cr_assert(eq(i32, kv_dump(store, stream), 0));
    cr_assert(eq(int, fclose(stream), 0));
    return text;
}

static int64_t number_of(struct kv_slice word)
{
    int64_t number = 0;

    for (uint32_t i = 0; i < word.len; i++)
        number = number * 10 + (word.bytes[i] - '0');
    return number;
}

/* Does what the lines say. */
static struct kv_store *made_again(const char *text)
{
    struct kv_store_config config = {.ballast_bytes = 1};
    struct kv_store *store;
    uint32_t db = 99;
    uint64_t lsn = 0;

    cr_assert(eq(int, kv_store_create(&config, &store), 0));
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        struct kv_slice line = kv_slice_of(text, (uint32_t)(end - text));
        uint8_t *memory = malloc(line.len + 1);
        struct kv_slice *words = calloc(line.len / 2 + 1, sizeof *words);
        uint32_t count;

        cr_assert(kv_words_split(line, memory, words, &count));
        if (kv_slice_equal(words[0], kv_slice_text("SELECT"))) {
            cr_assert(eq(u32, count, 2));
            db = (uint32_t)number_of(words[1]);
        } else {
            struct kv_effect effect = kv_effect_set(db, words[1], words[2], 0);

            cr_assert(kv_slice_equal(words[0], kv_slice_text("SET")));
            cr_assert(count == 3 || count == 5);
            if (count == 5) {
                cr_assert(kv_slice_equal(words[3], kv_slice_text("PXAT")));
                effect.expire_ms = number_of(words[4]);
            }
            kv_store_apply(store, &effect, ++lsn);
        }
        free(memory);
        free(words);
    }
    return store;
}

static struct tp_io *open_io(void)
{
    struct tp_virtual_io_config config = {.size = sizeof config, .disk = world.disk};
    struct tp_io *io;

    cr_assert(eq(int, tp_virtual_io_create(&config, &io), 0));
    return io;
}

Test(kv_inspect, prints_what_makes_it_all_again)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct work work = world_work(seed);
        struct kv_inspection inspection;
        struct kv_store *again;
        struct tp_io *io;
        char *text;

        world_init(&world, NULL, seed);
        work.dbs = 16;
        work.keys = 100;
        work.records = 200;
        cr_assert(eq(i32, world_boot(&world, &work), 0));
        io = open_io();
        cr_assert(eq(i32, kv_inspect(io, WORLD_PATH, NULL, &inspection), 0));
        cr_assert(eq(str, inspection.problem, ""));
        cr_assert(eq(u64, inspection.loaded.lsn, world.oracle.count));
        cr_assert(model_differs(&world.oracle.model, inspection.store, true) == NULL);
        text = dump_of(inspection.store);
        again = made_again(text);
        cr_assert(model_stores_equal(inspection.store, again));
        kv_store_destroy(again);
        free(text);
        kv_inspection_deinit(&inspection);
        tp_io_destroy(io);
        world_deinit(&world);
    }
}

Test(kv_inspect, prints_any_bytes_sorted)
{
    struct kv_store_config config = {.ballast_bytes = 1};
    struct kv_store *store, *again;
    uint8_t bytes[256];
    char *text;

    for (uint32_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)(255 - i);
    cr_assert(eq(int, kv_store_create(&config, &store), 0));
    for (uint32_t i = 0; i < 256; i++) {
        struct kv_effect effect = kv_effect_set(i % 2, kv_slice_of(bytes + i, i % 3),
                                                kv_slice_of(bytes, i), i % 5);

        kv_store_apply(store, &effect, i + 1);
    }
    text = dump_of(store);
    again = made_again(text);
    cr_assert(model_stores_equal(store, again));
    free(text);
    kv_store_destroy(again);
    kv_store_destroy(store);

    cr_assert(eq(int, kv_store_create(&config, &store), 0));
    {
        const struct kv_effect effects[] = {
            kv_effect_set(1, kv_slice_text("b"), kv_slice_of("\0\r\n\"\\x~\x7f", 8), 0),
            kv_effect_set(1, kv_slice_text("a b"), kv_slice_text(""), 1700000000000),
            kv_effect_set(1, kv_slice_text("a"), kv_slice_text("\t"), 0),
            kv_effect_set(0, kv_slice_text(""), kv_slice_text("'"), 0)};

        for (uint32_t i = 0; i < 4; i++)
            kv_store_apply(store, &effects[i], i + 1);
    }
    text = dump_of(store);
    cr_assert(eq(str, text,
                 "SELECT 0\n"
                 "SET \"\" \"'\"\n"
                 "SELECT 1\n"
                 "SET \"a\" \"\\t\"\n"
                 "SET \"a b\" \"\" PXAT 1700000000000\n"
                 "SET \"b\" \"\\x00\\r\\n\\\"\\\\x~\\x7f\"\n"));
    free(text);
    kv_store_destroy(store);
}

Test(kv_inspect, says_in_a_line_what_is_there)
{
    struct work work = world_work(1);
    struct kv_inspection inspection;
    struct tp_io *io;
    char text[300] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");

    cr_assert(stream != NULL);
    world_init(&world, NULL, 1);
    work.save_every = 0;
    work.records = 7;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    io = open_io();
    cr_assert(eq(i32, kv_inspect(io, WORLD_PATH, NULL, &inspection), 0));
    kv_inspection_print(&inspection, WORLD_PATH, stream);
    cr_assert(eq(int, fclose(stream), 0));
    cr_assert(strstr(text, " keys: 7 records of the log, up to record 7\n") != NULL, "%s",
              text);
    kv_inspection_deinit(&inspection);
    tp_io_destroy(io);
    world_deinit(&world);
}

Test(kv_inspect, says_what_is_wrong_and_changes_nothing)
{
    struct work work = world_work(1);
    struct kv_inspection inspection;
    struct tp_io *io;
    uint64_t before;

    world_init(&world, NULL, 1);
    work.save_last = true;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    io = open_io();
    cr_assert(eq(i32, kv_inspect(io, "/nowhere", NULL, &inspection), -ENOENT));
    cr_assert(eq(str, inspection.problem, "/nowhere: cannot be opened: ENOENT"));
    cr_assert(inspection.store == NULL);
    cr_assert(
        eq(i64, tp_disk_write_at(world.disk, WORLD_PATH "/snapshot", 5000, "?", 1), 1));
    before = tp_disk_hash(world.disk);
    cr_assert(eq(i32, kv_inspect(io, WORLD_PATH, NULL, &inspection), -EBADMSG));
    cr_assert(eq(str, inspection.problem,
                 WORLD_PATH
                 "/snapshot: offset 4096: a block of the snapshot is corrupt: EBADMSG"));
    cr_assert(eq(u64, tp_disk_hash(world.disk), before));
    tp_io_destroy(io);
    world_deinit(&world);
}

Test(kv_inspect, leaves_a_failure_to_the_stream)
{
    struct kv_store_config config = {.ballast_bytes = 1};
    struct kv_effect effect = kv_effect_set(0, kv_slice_text("k"), kv_slice_text("v"), 0);
    struct kv_store *store;
    FILE *full = fopen("/dev/full", "w");

    cr_assert(full != NULL);
    cr_assert(eq(int, kv_store_create(&config, &store), 0));
    kv_store_apply(store, &effect, 1);
    cr_assert(eq(i32, kv_dump(store, full), 0));
    cr_assert(eq(int, fflush(full), EOF));
    cr_assert(eq(int, errno, ENOSPC));
    cr_assert(ne(int, ferror(full), 0));
    (void)fclose(full);
    kv_store_destroy(store);
}
