/** apps/kv/inspect.h - looks into a data directory that is not in use: `--check`, `--dump`.
 *
 * Loads it as a start would, with every check, and changes nothing. So what it finds sound
 * a server can start with, and what it refuses a server refuses, with the same words.
 */
#ifndef TEMPEST_APPS_KV_INSPECT_H
#define TEMPEST_APPS_KV_INSPECT_H

#include <stdio.h>

#include "apps/kv/storage.h"

struct kv_inspection {
    struct kv_store *store; /* what it holds; NULL if it cannot be told */
    struct kv_storage_loaded loaded;
    char problem[TP_PATH_MAX + 256]; /* with a result < 0 */
};

/** Loads the directory, with a scheduler of its own on `io`. 0, or the error of
 * kv_storage_start(), and `problem`. -ENOMEM without. */
int32_t kv_inspect(struct tp_io *io, const char *path, const struct tp_allocator *allocator,
                   struct kv_inspection *ret_inspection);

/** Frees what it holds. */
void kv_inspection_deinit(struct kv_inspection *inspection);

/** Prints what was found in a line: how many keys, records, and a torn tail. */
void kv_inspection_print(const struct kv_inspection *inspection, const char *path,
                         FILE *stream);

/** Prints all entries as commands that make them again, a line each, by database and key:
 *
 *     SELECT 0
 *     SET "greeting" "hello\nworld" PXAT 1700000000000
 *
 * Keys past their expiry are among them. 0 or -ENOMEM; whether the stream has failed is for
 * its owner to ask. */
int32_t kv_dump(const struct kv_store *store, FILE *stream);

#endif
