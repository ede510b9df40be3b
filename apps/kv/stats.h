/** apps/kv/stats.h - what has happened since the start, for INFO.
 */
#ifndef TEMPEST_APPS_KV_STATS_H
#define TEMPEST_APPS_KV_STATS_H

#include "apps/kv/slice.h"

enum { KV_ERROR_CODES_MAX = 32, KV_ERROR_CODE_BYTES = 24 };

/** How often an error was replied, by the word it begins with. */
struct kv_error_count {
    char code[KV_ERROR_CODE_BYTES];
    uint64_t count;
};

/** Zero is none of anything. */
struct kv_stats {
    uint64_t connections, commands, errors;
    uint64_t hits, misses; /* of keys that reads looked for */
    uint64_t expired;
    uint64_t unlogged; /* expiries that were shown, and that the log did not take */
    uint64_t memory_peak;
    struct kv_error_count codes[KV_ERROR_CODES_MAX];
};

/** Counts a reply that is an error; `reply` begins with '-'. */
void kv_stats_count_error(struct kv_stats *stats, struct kv_slice reply);

#endif
