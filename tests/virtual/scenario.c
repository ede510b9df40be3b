#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#include "io/virtual/random.h"

enum { DEPTH_MAX = 64, BUF_BYTES = 16384, FILES = 6, DIRS = 3, NAMES = 8 };

/* An operation of the workload, its memory, and what to do with its result. */
struct slot {
    uint64_t handle; /* 0: idle */
    uint16_t kind;
    struct tp_buf buf;
    uint64_t words[64]; /* for stat, find_data, read_link, list_dir */
    uint8_t *bytes;
};

struct workload {
    const struct scenario *scenario;
    struct tp_io *io;
    struct tp_rng rng;
    struct slot slots[DEPTH_MAX];
    struct tp_fd files[FILES], dirs[DIRS];
    uint64_t next_handle;
    uint32_t handed_in;
    struct scenario_outcome outcome;
};

static uint64_t below(struct workload *w, uint64_t bound)
{
    return tp_rng_below(&w->rng, bound);
}

static const char *const names[NAMES] = {"/a",     "/b",   "/d/a", "/d/b",
                                         "/d/e/a", "/d/e", "/l",   "/n"};

static struct tp_request transfer(struct workload *w, struct slot *slot, bool write)
{
    uint32_t file = (uint32_t)below(w, FILES);
    bool direct = file == 1;
    uint32_t unit = direct ? 512 : 1;
    uint32_t len = (1 + (uint32_t)below(w, BUF_BYTES / unit - 1)) * unit;
    uint64_t offset = below(w, (UINT64_C(1) << 18) / unit) * unit;

    if (write) { /* all of it: what memory held before must not tell runs apart */
        memset(slot->bytes, (int)below(w, 256), len);
        for (uint32_t i = 0; i < len; i += 64)
            slot->bytes[i] = (uint8_t)below(w, 256);
    }
    slot->buf = write ? tp_buf_full(slot->bytes, len) : tp_buf_empty(slot->bytes, len);
    return write ? tp_request_write_at(w->files[file], &slot->buf, offset)
                 : tp_request_read_at(w->files[file], &slot->buf, offset);
}

static struct tp_request by_path(struct workload *w, struct slot *slot)
{
    const char *path = names[below(w, NAMES)];
    const char *other = names[below(w, NAMES)];

    slot->buf = tp_buf_empty(slot->words, sizeof slot->words);
    switch (below(w, 10)) {
    case 0:
        return tp_request_rename(path, other);
    case 1:
        return tp_request_remove(path);
    case 2:
        return tp_request_create_dir(path, 0755);
    case 3:
        return tp_request_remove_dir(path);
    case 4:
        return tp_request_symlink(path, other);
    case 5:
        return tp_request_read_link(path, &slot->buf);
    case 6:
        return tp_request_create_dir_all("/d/e/f");
    case 7:
        return tp_request_sync_dir("/d");
    case 8:
        return tp_request_lstat(path, (struct tp_statx *)(void *)slot->words);
    default:
        return tp_request_stat(path, (struct tp_statx *)(void *)slot->words);
    }
}

static struct tp_request by_file(struct workload *w, struct slot *slot)
{
    struct tp_fd file = w->files[below(w, FILES)];
    uint64_t offset = below(w, 1 << 18);
    uint64_t small = below(w, 1 << 14);

    slot->buf = tp_buf_empty(slot->words, sizeof slot->words);
    switch (below(w, 9)) {
    case 0:
        return tp_request_fsync(file, TP_DATA_ONLY);
    case 1:
        return tp_request_fsync(file, 0);
    case 2:
        return tp_request_truncate(file, offset);
    case 3:
        return tp_request_fallocate(file, offset, 1 + small, TP_KEEP_SIZE);
    case 4:
        return tp_request_find_data(file, offset, (struct tp_extent *)(void *)slot->words);
    case 5:
        return tp_request_fstat(file, (struct tp_statx *)(void *)slot->words);
    case 6:
        return tp_request_set_mode(file, (uint32_t)small & 0777);
    case 7:
        return tp_request_list_dir(w->dirs[below(w, DIRS)], &slot->buf);
    default:
        return tp_request_cancel(1 + small % (w->next_handle + 1));
    }
}

static void hand_in(struct workload *w, struct slot *slot)
{
    struct tp_request request;
    uint64_t what = below(w, 16);

    if (what < 6)
        request = transfer(w, slot, true);
    else if (what < 11)
        request = transfer(w, slot, false);
    else if (what < 13)
        request = by_path(w, slot);
    else
        request = by_file(w, slot);
    slot->handle = ++w->next_handle;
    slot->kind = request.kind;
    request.handle = slot->handle;
    tp_io_submit(w->io, &request);
    w->handed_in++;
}

static struct tp_fd open_now(struct workload *w, const char *path,
                             struct tp_open_options options)
{
    int32_t value = tp_io_block_on(w->io, tp_request_open(path, options));

    if (value < 0)
        tp_stopf(__FILE__, __LINE__, "%s: %s", path, tp_errno_name(value));
    return tp_io_into_fd(w->io, value);
}

/* The files that transfers go to have names of their own, which nothing renames. */
static void open_all(struct workload *w)
{
    static const char *const paths[FILES] = {"/f0", "/f1", "/f2", "/f3", "/f4", "/f5"};

    for (uint32_t i = 0; i < FILES; i++) {
        struct tp_open_options options = {
            .read = true, .write = true, .create = true, .direct = i == 1, .dsync = i == 2};

        w->files[i] = open_now(w, paths[i], options);
    }
    (void)tp_io_create_dir_all_blocking(w->io, "/d");
    for (uint32_t i = 0; i < DIRS; i++)
        w->dirs[i] =
            open_now(w, i == 0 ? "/" : "/d", (struct tp_open_options){.read = true});
}

static void claim(struct workload *w)
{
    for (uint32_t i = 0; i < w->scenario->depth; i++) {
        struct tp_completion completion;

        if (w->slots[i].handle == 0 ||
            !tp_io_get_cqe(w->io, w->slots[i].handle, &completion))
            continue;
        w->slots[i].handle = 0;
        w->outcome.completions++;
        w->outcome.errors += completion.value < 0;
    }
}

/* Keeps the depth until `until` operations were handed in; then drains, or leaves them. */
static void run_until(struct workload *w, uint32_t until, bool drain)
{
    bool busy = true;

    while (busy) {
        busy = w->handed_in < until;
        for (uint32_t i = 0; i < w->scenario->depth && w->handed_in < until; i++) {
            if (w->slots[i].handle == 0)
                hand_in(w, &w->slots[i]);
        }
        tp_io_poll(w->io);
        if (tp_io_completions(w->io)->live == 0 && (busy || drain) &&
            tp_io_in_flight(w->io) > 0)
            tp_io_park(w->io, TP_NEVER);
        claim(w);
        busy = busy || (drain && tp_io_in_flight(w->io) > 0);
    }
}

static void create_io(struct workload *w, struct tp_tape *tape, struct tp_disk *disk)
{
    struct tp_virtual_io_config config = w->scenario->config;

    static const struct tp_virtual_faults none;

    config.size = sizeof config;
    config.faults = none;
    config.tape = tape;
    config.disk = disk;
    if (tp_virtual_io_create(&config, &w->io) < 0)
        tp_stop(__FILE__, __LINE__, "no VirtualIo");
    open_all(w);
    tp_virtual_io_set_faults(w->io, &w->scenario->config.faults);
}

static void note_and_destroy(struct workload *w)
{
    w->outcome.trace ^= tp_rng_mix(tp_virtual_io_trace_hash(w->io) + w->outcome.trace);
    w->outcome.virtual_ns += tp_io_now_ns(w->io);
    tp_virtual_io_destroy(w->io);
}

struct scenario_outcome scenario_run(const struct scenario *scenario)
{
    struct workload *w = calloc(1, sizeof *w);
    struct tp_disk_config disk_config = {.profile = scenario->profile,
                                         .capacity_bytes = UINT64_C(1) << 20,
                                         .writeback_one_in = 8};
    struct tp_tape *tape = scenario->tape;
    struct tp_disk *disk;
    struct scenario_outcome outcome;

    if (w == NULL ||
        (tape == NULL && tp_tape_from_seed(scenario->seed, false, NULL, &tape) < 0) ||
        tp_disk_create(&disk_config, &disk) < 0)
        tp_stop(__FILE__, __LINE__, "no memory");
    w->scenario = scenario;
    w->rng = tp_rng_make(scenario->seed, 1);
    for (uint32_t i = 0; i < DEPTH_MAX; i++)
        w->slots[i].bytes = aligned_alloc(4096, BUF_BYTES);
    create_io(w, tape, disk);
    run_until(w, scenario->cut ? scenario->operations / 2 : scenario->operations,
              !scenario->cut);
    if (scenario->cut) {
        tp_virtual_io_power_cut(w->io);
        note_and_destroy(w);
        tp_disk_check(disk);
        for (uint32_t i = 0; i < DEPTH_MAX; i++)
            w->slots[i].handle = 0;
        create_io(w, tape, disk);
        run_until(w, scenario->operations, true);
    }
    note_and_destroy(w);
    tp_disk_check(disk);
    w->outcome.disk = tp_disk_hash(disk);
    outcome = w->outcome;
    for (uint32_t i = 0; i < DEPTH_MAX; i++)
        free(w->slots[i].bytes);
    tp_disk_destroy(disk);
    if (scenario->tape == NULL)
        tp_tape_destroy(tape);
    free(w);
    return outcome;
}

void scenario_hex(uint64_t value, char ret_text[17])
{
    for (uint32_t i = 0; i < 16; i++)
        ret_text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    ret_text[16] = '\0';
}
