/** apps/sim/zoo/kit.h - what the programs of the zoo have in common.
 *
 * Each does commands 1, 2, 3, ...; after each it may promise that this one and all before
 * it will be there for ever. The oracle knows what was begun and what was promised; what a
 * boot finds must lie between.
 *
 * The programs bear what the simulator does to them beyond their bug: an operation that
 * fails ends the process, which is started again; a disk that is full ends the work. A
 * failed sync leaves pages that are clean and not durable, and a write of a process that
 * was killed may land when its successor is at work; so a boot puts what it has read and
 * relies on into a file of its own (zoo_keep_start()).
 */
#ifndef TEMPEST_APPS_SIM_ZOO_KIT_H
#define TEMPEST_APPS_SIM_ZOO_KIT_H

#include <string.h>

#include "apps/sim/sim.h"
#include "sm/read_file.h"
#include "sm/replace_file.h"
#include "sm/write_all.h"

/** What outlives the process. */
struct zoo_oracle {
    uint64_t begun, promised;
};

enum { ZOO_FILE_BYTES = 16384, ZOO_SECTOR = 512 };

/** A small file, read and written whole. Everything but `bytes` and `len` is internal. */
struct zoo_file {
    struct tp_machine machine;
    struct tp_read_file read;
    struct tp_replace_file replace;
    const char *path;
    struct tp_buf buf;
    uint32_t len; /* bytes that were read */
    uint8_t bytes[ZOO_FILE_BYTES];
};

/** A program: embed it first. */
struct zoo {
    struct tp_machine machine;
    struct tp_node *node;
    struct zoo_oracle *oracle;
    bool is_fixed; /* the twin */
    struct tp_fd fd;
    struct zoo_file file;
    struct tp_write_all write;
    struct tp_buf buf;
    uint64_t count; /* the last command that is done */
};

/** Adds one node with room for a small program. */
void zoo_setup(struct tp_sim *sim);

/** Boots a program of `size_bytes` at a node. */
void zoo_boot(struct tp_node *node, size_t size_bytes, tp_tick_fn *tick, const char *name);

/** A command begins; it is promised; this is what a boot has found, which is compared at
 * the place that asks for it. */
void zoo_begin(struct zoo *z, uint64_t command);
void zoo_promise(struct zoo *z, uint64_t command);
void zoo_compare_at(struct zoo *z, uint64_t found, const char *file, uint32_t line);
#define zoo_compare(z, found) zoo_compare_at(z, found, __FILE__, __LINE__)

/** Ends a program because an operation came to `error`: with 0 where the disk is full. */
enum tp_step zoo_end(struct tp_ctx *cx, int32_t error);

/** Reads a file into `file->bytes`, with zeros behind it; after an error there are zeros
 * only. Completes with its length; 0 too if there is none. */
struct tp_op zoo_load_start(struct tp_ctx *cx, struct zoo_file *file, const char *path);

/** Replaces a file, durably, by the first `len` bytes of `file->bytes`. */
struct tp_op zoo_keep_start(struct tp_ctx *cx, struct zoo_file *file, const char *path,
                            uint32_t len);

/* They belong to the place that asks for them. */
#define zoo_load_start(cx, ...) zoo_load_start(TP_HERE(cx), __VA_ARGS__)
#define zoo_keep_start(cx, ...) zoo_keep_start(TP_HERE(cx), __VA_ARGS__)

/** How many records there are from `at` on: numbers of 8 bytes, first, first + 1, ... */
uint64_t zoo_records(const struct zoo_file *file, uint32_t at, uint64_t first);

/** Two pages that are written in turn: where a command's number goes, and the newest one.
 */
enum { ZOO_PAGES_BYTES = 2 * 4096 };
uint64_t zoo_page_of(uint64_t command);
uint64_t zoo_newest(const struct zoo_file *file);

/** A sum over bytes that is 0 for no content that anything here writes. */
uint64_t zoo_sum(const void *bytes, uint32_t len);

/** Awaits, and ends the program if that failed. */
#define ZOO_TRY(cx, operation, ret)           \
    do {                                      \
        TP_AWAIT(cx, operation, ret);         \
        if ((ret)->value < 0)                 \
            return zoo_end(cx, (ret)->value); \
    } while (0)

/** Awaits a write of `z->buf`; one that is short ends the program as an error does. */
#define ZOO_WRITE(cx, z, operation, ret)                 \
    do {                                                 \
        TP_AWAIT(cx, operation, ret);                    \
        if ((ret)->value < 0)                            \
            return zoo_end(cx, (ret)->value);            \
        if ((uint32_t)(ret)->value != (z)->buf.capacity) \
            return zoo_end(cx, -EIO);                    \
    } while (0)

/** The two scenarios of a bug: zoo_NN_bug and zoo_NN_twin. */
#define ZOO_BOTH(number, title, ...)                                                \
    const struct tp_scenario zoo_##number##_bug = {                                 \
        .name = "zoo-" #number, .summary = title, __VA_ARGS__};                     \
    const struct tp_scenario zoo_##number##_twin = {.name = "zoo-" #number "-twin", \
                                                    .summary = "its repaired twin", \
                                                    .context = "repaired",          \
                                                    __VA_ARGS__}
#define ZOO_SCENARIOS(number, title, boot_fn)                    \
    ZOO_BOTH(number, title, .setup = zoo_setup, .boot = boot_fn, \
             .state_bytes = sizeof(struct zoo_oracle))

/** The same, of programs that keep copies and bear damage where `may_fault_fn` says so. */
#define ZOO_MEDIA_SCENARIOS(number, title, boot_fn, may_fault_fn)                 \
    ZOO_BOTH(number, title, .setup = zoo_setup, .boot = boot_fn,                  \
             .state_bytes = sizeof(struct zoo_oracle), .may_fault = may_fault_fn, \
             .families_added = TP_FAMILY_BIT(TP_FAMILY_MEDIA))

/** The same, with a state of their own that begins with a zoo_oracle, and more nodes. */
#define ZOO_STATE_SCENARIOS(number, title, setup_fn, boot_fn, state_type) \
    ZOO_BOTH(number, title, .setup = setup_fn, .boot = boot_fn,           \
             .state_bytes = sizeof(state_type))

#endif
