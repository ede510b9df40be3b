/** tests/fuzz/kv_storage.c - bytes as a data directory of tempest-kv: its snapshot, and the
 * files of its log.
 *
 *     byte 0       1: sums are made right, 2: and so are the places that blocks and groups
 *                  give, 4: there is no snapshot
 *     bytes 1, 2   length of the snapshot, in units of 64 bytes; then its bytes
 *     the rest     files of the log, 8192 bytes each
 *
 * A look at it and a start must agree: both refuse it, and say why, or both find the same;
 * and so does the start after that, and one from a snapshot that was taken meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "apps/kv/storage.h"
#include "io/virtual/virtual.h"
#include "runtime/await.h"
#include "runtime/scheduler.h"
#include "tests/fuzz/target.h"
#include "tests/kv/model.h"

#define PATH "/kv"

enum {
    RIGHT_SUMS = 1,
    RIGHT_PLACES = 2,
    NO_SNAPSHOT = 4,
    BLOCK = 4096,
    SEGMENT = 8192,
    SEGMENTS_MAX = 4,
    SMALL = 1 << 20, /* bytes of a store that is looked at key by key */
};

/* ------------------------------------------------------------------ sums */

static void make_sum(uint8_t *bytes, uint64_t len)
{
    kv_put_u64(bytes, XXH3_64bits(bytes + 8, (size_t)len - 8));
}

/* Bytes of the block at `at` that its length, which is at `where`, says; 0: too many. */
static uint64_t padded_at(const uint8_t *at, uint32_t where, uint64_t left)
{
    uint64_t padded = kv_snapshot_padded(kv_get_u32(at + where));

    return padded == 0 || padded > left ? 0 : padded;
}

static void mend_snapshot(uint8_t *bytes, uint64_t len, bool places)
{
    uint64_t at = BLOCK, padded;

    if (len < BLOCK)
        return;
    make_sum(bytes, BLOCK);
    while (len - at >= BLOCK && (padded = padded_at(bytes + at, 32, len - at)) != 0) {
        if (places) {
            kv_put_u64(bytes + at + 16, kv_get_u64(bytes + 24));
            kv_put_u64(bytes + at + 24, at);
        }
        make_sum(bytes + at, padded);
        at += padded;
    }
}

static void mend_segment(uint8_t *bytes, uint32_t number, bool places)
{
    uint64_t at = BLOCK, padded;

    if (places) {
        kv_put_u64(bytes + 32, number);
        kv_put_u64(bytes + 40, SEGMENT);
    }
    make_sum(bytes, BLOCK);
    while (at < SEGMENT && (padded = padded_at(bytes + at, 20, SEGMENT - at)) != 0) {
        if (places) {
            kv_put_u64(bytes + at + 24, kv_get_u64(bytes + 24));
            kv_put_u64(bytes + at + 32, number);
            kv_put_u32(bytes + at + 76, (uint32_t)(at / BLOCK));
        }
        make_sum(bytes + at, padded);
        at += padded;
    }
}

/* ------------------------------------------------------------------ the directory */

static void expect(bool holds)
{
    tp_assert(holds);
}

static void write_snapshot(struct tp_disk *disk, const uint8_t *bytes, size_t len,
                           uint8_t flags)
{
    uint8_t *file = calloc(1, len + 1);

    expect(file != NULL);
    memcpy(file, bytes, len);
    if ((flags & RIGHT_SUMS) != 0)
        mend_snapshot(file, len, (flags & RIGHT_PLACES) != 0);
    expect(tp_disk_write_file(disk, PATH "/snapshot", file, len) == 0);
    free(file);
}

static void write_segment(struct tp_disk *disk, const uint8_t *bytes, size_t len,
                          uint32_t number, uint8_t flags)
{
    uint8_t file[SEGMENT] = {0};
    char path[64];

    memcpy(file, bytes, len);
    if ((flags & RIGHT_SUMS) != 0)
        mend_segment(file, number, (flags & RIGHT_PLACES) != 0);
    (void)snprintf(path, sizeof path, PATH "/log/%016x.log", number);
    expect(tp_disk_write_file(disk, path, file, sizeof file) == 0);
}

static struct tp_disk *make_disk(const uint8_t *bytes, size_t len)
{
    struct tp_disk_config config = {
        .size = sizeof config, .inodes_max = 64, .names_pending_max = 64};
    struct tp_disk *disk;
    size_t snapshot = 64 * ((size_t)bytes[1] | (size_t)bytes[2] << 8);
    uint8_t flags = bytes[0];

    expect(tp_disk_create(&config, &disk) == 0);
    expect(tp_disk_make_dirs(disk, PATH "/log") == 0);
    bytes += 3;
    len -= 3;
    snapshot = snapshot < len ? snapshot : len;
    if ((flags & NO_SNAPSHOT) == 0)
        write_snapshot(disk, bytes, snapshot, flags);
    bytes += snapshot;
    len -= snapshot;
    for (uint32_t number = 1; len > 0 && number <= SEGMENTS_MAX; number++) {
        size_t part = len < SEGMENT ? len : SEGMENT;

        write_segment(disk, bytes, part, number, flags);
        bytes += part;
        len -= part;
    }
    return disk;
}

/* ------------------------------------------------------------------ a start */

struct starter {
    struct tp_machine machine;
    struct kv_storage storage;
    struct tp_op op;
    bool save;
};

static enum tp_step starter_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct starter *s = tp_container_of(machine, struct starter, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    s->op = kv_storage_start(cx, &s->storage);
    TP_AWAIT_UNTIL(cx, kv_storage_phase(&s->storage) != KV_STORAGE_LOADING);
    if (s->save && kv_storage_phase(&s->storage) == KV_STORAGE_OPEN) {
        expect(kv_storage_save(&s->storage) == 0);
        TP_AWAIT_UNTIL(cx, !kv_storage_is_saving(&s->storage));
        expect(s->storage.saves.result == 0);
    }
    kv_storage_close(&s->storage);
    TP_AWAIT(cx, s->op, &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static struct tp_io *open_io(struct tp_disk *disk)
{
    struct tp_virtual_io_config config = {.size = sizeof config,
                                          .disk = disk,
                                          .ops_max = 256,
                                          .completions_max = 256,
                                          .fds_max = 32,
                                          .buf_count = 1,
                                          .buf_size = 4096,
                                          .instant = true};
    struct tp_io *io;

    expect(tp_virtual_io_create(&config, &io) == 0);
    return io;
}

enum how { TO_LOOK, TO_SERVE, TO_SAVE };

/* Starts a server's storage; the result, and the store, which is the caller's. */
static int32_t start(struct tp_disk *disk, enum how how, struct kv_store **ret_store)
{
    static struct starter starter;
    struct kv_store_config store = {.ballast_bytes = 1 << 20};
    struct kv_storage_config config = {.path = PATH,
                                       .group_bytes = BLOCK,
                                       .segment_bytes = SEGMENT,
                                       .block_bytes = BLOCK,
                                       .patience_ns = TP_NEVER,
                                       .read_only = how == TO_LOOK};
    struct tp_scheduler_config scheduling = {
        .size = sizeof scheduling, .ops_max = 256, .machines_max = 64};
    struct tp_scheduler *scheduler;
    struct tp_io *io = open_io(disk);
    int32_t result;

    expect(kv_store_create(&store, ret_store) == 0);
    config.store = *ret_store;
    memset(&starter, 0, sizeof starter);
    starter.save = how == TO_SAVE;
    kv_storage_init(&starter.storage, &config);
    expect(tp_scheduler_create_with(io, &scheduling, &scheduler) == 0);
    tp_spawn(scheduler, &starter.machine, starter_tick, "starter");
    expect(tp_scheduler_run(scheduler) == 0);
    result = starter.machine.result;
    expect((result < 0) == (starter.storage.problem[0] != '\0'));
    tp_scheduler_destroy(scheduler);
    kv_storage_deinit(&starter.storage);
    tp_io_destroy(io);
    return result;
}

static bool is_small(const struct kv_store *store)
{
    struct kv_store_memory memory;

    kv_store_memory(store, &memory);
    return memory.total < SMALL;
}

static void start_again(struct tp_disk *disk, const struct kv_store *first, enum how how)
{
    struct kv_store *store;

    expect(start(disk, how, &store) == 0);
    expect(model_stores_equal(first, store));
    kv_store_destroy(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct kv_store *seen, *store;
    struct tp_disk *disk;
    uint64_t before;
    int32_t looked, started;

    if (len < 3)
        return 0;
    disk = make_disk(bytes, len);
    before = tp_disk_hash(disk);
    looked = start(disk, TO_LOOK, &seen);
    expect(tp_disk_hash(disk) == before);
    started = start(disk, TO_SERVE, &store);
    expect(looked == started);
    if (started == 0 && is_small(store)) {
        expect(model_stores_equal(seen, store));
        start_again(disk, store, TO_SAVE);
        start_again(disk, store, TO_SERVE);
    }
    kv_store_destroy(seen);
    kv_store_destroy(store);
    tp_disk_destroy(disk);
    return 0;
}
