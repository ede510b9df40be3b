/* What a store is kept in, on a disk that does as it is told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>

#include "runtime/await.h"
#include "tests/kv/world.h"

static struct world world;

static void set_up(void)
{
    world_init(&world, NULL, 1);
}

static void tear_down(void)
{
    world_deinit(&world);
}

/* A boot without any failure. */
static void boot(const struct work *work)
{
    int32_t result = world_boot(&world, work);

    cr_assert(eq(str, world.oracle.violation, ""));
    cr_assert(eq(i32, result, 0));
    cr_assert(eq(i32, world.service.result, 0));
    cr_assert(eq(i32, world.service.append_error, 0));
    cr_assert(eq(i32, world.service.save_error, 0));
    cr_assert(eq(u64, world.oracle.acked, world.oracle.count));
}

static struct work idle_work(void)
{
    struct work work = world_work(99);

    work.records = 0;
    return work;
}

Test(kv_storage, gives_back_what_was_kept, .init = set_up, .fini = tear_down)
{
    struct work idle = idle_work();
    uint64_t saves = 0, overlapped = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct work work = world_work(seed);

        work.save_every = seed % 3 * 7;
        work.save_last = seed % 4 == 0;
        boot(&work);
        saves += world.service.storage.saves.done;
        overlapped += world.service.overlapped;
        boot(&idle);
    }
    cr_assert(lt(u64, 40, saves));
    cr_assert(lt(u64, 40, overlapped), "records were appended while snapshots were taken");
    cr_assert(eq(u64, world.oracle.count, 40 * 40));
    cr_assert(world.service.storage.loaded.snapshot);
}

/* How much log a start had to read, or to keep, so that a server knows that a snapshot is
 * due: the records, and a file for each start. */
Test(kv_storage, knows_how_much_log_there_was, .init = set_up, .fini = tear_down)
{
    struct work idle = idle_work(), work = world_work(1), save = idle_work();
    const struct kv_storage *storage = &world.service.storage;

    work.save_every = 0;
    save.save_last = true;
    boot(&work);
    cr_assert(eq(u64, kv_storage_log_before(storage), 0));
    work.records = 4;
    boot(&work);
    cr_assert(ge(u64, kv_storage_log_before(storage), storage->loaded.record_bytes));
    cr_assert(lt(u64, 40 * 20, storage->loaded.record_bytes));
    work.records = 1;
    for (uint32_t i = 0; i < 6; i++)
        boot(&work);
    cr_assert(
        ge(u64, kv_storage_log_before(storage), 6 * storage->journal.config.segment_bytes),
        "a file for each start");
    boot(&save);
    work.records = 40;
    boot(&work); /* long enough for what is needless now to be removed */
    boot(&idle);
    cr_assert(eq(u64, storage->loaded.records, 40));
    cr_assert(
        lt(u64, kv_storage_log_before(storage), 6 * storage->journal.config.segment_bytes));
}

Test(kv_storage, makes_the_directory_and_the_ones_above, .init = set_up, .fini = tear_down)
{
    static const char *const paths[] = {"/one", "/a/b/c/d", "/x//y/", "relative/way",
                                        "./dot"};

    for (uint32_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct work work = world_work(i);
        struct tp_statx statx;

        work.path = paths[i];
        boot(&work);
        world_power_cut(&world);
        cr_assert(eq(i32, tp_disk_stat(world.disk, paths[i], false, &statx), 0));
        cr_assert(eq(u32, statx.mode, 0700), "nobody else's business");
        work.records = 1;
        boot(&work);
        oracle_deinit(&world.oracle); /* the next path is another directory */
    }
}

/* Starts on a path that cannot be used. */
static void expect_refused(const char *path, bool read_only, int32_t error,
                           const char *text)
{
    struct work work = idle_work();

    work.path = path;
    work.read_only = read_only;
    cr_assert(eq(i32, world_boot(&world, &work), 0));
    cr_assert(eq(str, world.oracle.violation, ""));
    cr_assert(not(world.service.opened));
    cr_assert(eq(i32, world.service.result, error), "%s", path);
    cr_assert(strstr(world.service.storage.problem, text) != NULL, "%s: %s", path,
              world.service.storage.problem);
}

Test(kv_storage, says_what_is_wrong_with_a_directory, .init = set_up, .fini = tear_down)
{
    static char longest[TP_PATH_MAX];

    memset(longest, 'x', sizeof longest - 1);
    cr_assert(eq(i32, tp_disk_write_file(world.disk, "/file", "x", 1), 0));
    cr_assert(eq(i32, tp_disk_make_dirs(world.disk, "/taken/log"), 0));
    cr_assert(eq(i32, tp_disk_make_dirs(world.disk, "/taken/LOCK"), 0));
    cr_assert(eq(i32, tp_disk_make_dirs(world.disk, "/wrong"), 0));
    cr_assert(eq(i32, tp_disk_write_file(world.disk, "/wrong/log", "x", 1), 0));
    expect_refused("/file", false, -ENOTDIR, "/file/LOCK: cannot be opened: ENOTDIR");
    expect_refused("/file/kv", false, -ENOTDIR, "/file/kv: cannot be made: ENOTDIR");
    expect_refused("/taken", false, -EISDIR, "/taken/LOCK: cannot be opened: EISDIR");
    expect_refused("/wrong", false, -ENOTDIR, "/wrong/log: the directory cannot be");
    expect_refused("/missing", true, -ENOENT, "/missing: cannot be opened: ENOENT");
    expect_refused(longest, false, -ENAMETOOLONG, "has too long a path");
}

Test(kv_storage, removes_what_a_crash_has_left, .init = set_up, .fini = tear_down)
{
    struct work work = idle_work();
    struct tp_statx statx;
    char path[64];

    boot(&work);
    for (uint32_t i = 0; i < 200; i++) {
        (void)snprintf(path, sizeof path, WORLD_PATH "/.tempest-%016x", i);
        cr_assert(eq(i32, tp_disk_write_file(world.disk, path, "x", 1), 0));
    }
    cr_assert(
        eq(i32, tp_disk_write_file(world.disk, WORLD_PATH "/.tempest-mine", "x", 1), 0));
    boot(&work);
    cr_assert(eq(u32, world.service.storage.home.removed, 200));
    cr_assert(eq(i32, tp_disk_stat(world.disk, path, false, &statx), -ENOENT));
    cr_assert(
        eq(i32, tp_disk_stat(world.disk, WORLD_PATH "/.tempest-mine", false, &statx), 0),
        "what others called something like it stays");
}

/* ------------------------------------------------------------------ one server a directory
 */

/* Opens the directory, then tries it with others. */
struct pair {
    struct tp_machine machine;
    struct kv_store *stores[2];
    struct kv_storage first, second;
    struct tp_op op;
    int32_t results[4];
    char problem[256];
};

static struct pair pair;

static struct tp_op try_second(struct tp_ctx *cx, bool read_only)
{
    struct kv_storage_config config = {.path = WORLD_PATH,
                                       .store = pair.stores[1],
                                       .group_bytes = 8192,
                                       .segment_bytes = 32768,
                                       .read_only = read_only};

    kv_storage_deinit(&pair.second);
    kv_storage_init(&pair.second, &config);
    return kv_storage_start(cx, &pair.second);
}

static enum tp_step pair_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    pair.op = kv_storage_start(cx, &pair.first);
    TP_AWAIT_UNTIL(cx, kv_storage_phase(&pair.first) != KV_STORAGE_LOADING);
    TP_AWAIT(cx, try_second(cx, false), &result);
    pair.results[0] = result.value;
    (void)snprintf(pair.problem, sizeof pair.problem, "%.200s", pair.second.problem);
    TP_AWAIT(cx, try_second(cx, true), &result);
    pair.results[1] = result.value;
    kv_storage_close(&pair.first);
    TP_AWAIT(cx, pair.op, &result);
    pair.results[2] = result.value;
    TP_AWAIT(cx, try_second(cx, true), &result);
    pair.results[3] = result.value;
    return tp_end(machine, 0);
    TP_END(cx);
}

Test(kv_storage, is_one_servers_alone, .init = set_up, .fini = tear_down)
{
    struct tp_virtual_io_config io_config = {.size = sizeof io_config, .disk = world.disk};
    struct kv_store_config store_config = {.ballast_bytes = 1};
    struct kv_storage_config config = {
        .path = WORLD_PATH, .group_bytes = 8192, .segment_bytes = 32768};
    struct tp_scheduler *scheduler;
    struct tp_io *io;

    cr_assert(eq(int, tp_virtual_io_create(&io_config, &io), 0));
    scheduler = tp_scheduler_create(io, 256);
    cr_assert(scheduler != NULL);
    for (uint32_t i = 0; i < 2; i++)
        cr_assert(eq(int, kv_store_create(&store_config, &pair.stores[i]), 0));
    config.store = pair.stores[0];
    kv_storage_init(&pair.first, &config);
    tp_spawn(scheduler, &pair.machine, pair_tick, "pair");
    cr_assert(eq(i32, tp_scheduler_run(scheduler), 0));
    cr_expect(eq(i32, pair.results[0], -EAGAIN));
    cr_expect(eq(str, pair.problem, WORLD_PATH ": is used by another server"));
    cr_expect(eq(i32, pair.results[1], -EAGAIN), "not even to look");
    cr_expect(eq(i32, pair.results[2], 0), "the first one never noticed");
    cr_expect(eq(i32, pair.results[3], 0));
    cr_expect(ge(u64, tp_io_now_ns(io), UINT64_C(4000000000)), "they were patient");
    tp_scheduler_destroy(scheduler);
    kv_storage_deinit(&pair.first);
    kv_storage_deinit(&pair.second);
    for (uint32_t i = 0; i < 2; i++)
        kv_store_destroy(pair.stores[i]);
    tp_io_destroy(io);
}

/* ------------------------------------------------------------------ asking for snapshots
 */

struct asker {
    struct tp_machine machine;
    struct kv_storage storage;
    struct tp_op op;
    int32_t results[5];
};

static struct asker asker;

static enum tp_step asker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    TP_BEGIN(cx);
    asker.results[0] = kv_storage_save(&asker.storage);
    asker.op = kv_storage_start(cx, &asker.storage);
    TP_AWAIT_UNTIL(cx, kv_storage_phase(&asker.storage) != KV_STORAGE_LOADING);
    asker.results[1] = kv_storage_save(&asker.storage);
    asker.results[2] = kv_storage_save(&asker.storage);
    TP_AWAIT_UNTIL(cx, !kv_storage_is_saving(&asker.storage)); /* the owner is woken */
    asker.results[3] = kv_storage_save(&asker.storage);
    kv_storage_close(&asker.storage);
    asker.results[4] = kv_storage_save(&asker.storage);
    TP_AWAIT(cx, asker.op, &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

Test(kv_storage, takes_one_snapshot_at_a_time, .init = set_up, .fini = tear_down)
{
    struct tp_virtual_io_config io_config = {.size = sizeof io_config, .disk = world.disk};
    struct kv_store_config store_config = {.ballast_bytes = 1};
    struct kv_storage_config config = {
        .path = WORLD_PATH, .group_bytes = 8192, .segment_bytes = 32768};
    struct tp_scheduler *scheduler;
    struct tp_io *io;

    cr_assert(eq(int, tp_virtual_io_create(&io_config, &io), 0));
    scheduler = tp_scheduler_create(io, 256);
    cr_assert(scheduler != NULL);
    cr_assert(eq(int, kv_store_create(&store_config, &config.store), 0));
    kv_storage_init(&asker.storage, &config);
    tp_spawn(scheduler, &asker.machine, asker_tick, "asker");
    cr_assert(eq(i32, tp_scheduler_run(scheduler), 0));
    cr_expect(eq(i32, asker.machine.result, 0));
    cr_expect(eq(i32, asker.results[0], -ESHUTDOWN));
    cr_expect(eq(i32, asker.results[1], 0));
    cr_expect(eq(i32, asker.results[2], -EALREADY));
    cr_expect(eq(i32, asker.results[3], 0));
    cr_expect(eq(i32, asker.results[4], -ESHUTDOWN));
    cr_expect(eq(u64, asker.storage.saves.begun, 1), "the close came before the second");
    cr_expect(eq(u64, asker.storage.saves.done, 1));
    tp_scheduler_destroy(scheduler);
    kv_storage_deinit(&asker.storage);
    kv_store_destroy(config.store);
    tp_io_destroy(io);
}

/* Many databases, values of a third of a block. */
Test(kv_storage, keeps_long_values, .init = set_up, .fini = tear_down)
{
    struct work idle = idle_work();

    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct work work = world_work(seed);

        work.len_max = 1500;
        work.keys = 4;
        work.dbs = 16;
        work.records = 60;
        work.save_last = true;
        boot(&work);
        boot(&idle);
        cr_assert(lt(u64, 3, world.service.storage.loaded.snapshot_entries));
    }
}
