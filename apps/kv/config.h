/** apps/kv/config.h - what can be read and set while the server runs: CONFIG GET and SET.
 *
 * The names are Redis's where it has the thing. What is fixed at the start can be read
 * only; what can be set is read by whom it concerns whenever he needs it, so it counts at
 * once.
 */
#ifndef TEMPEST_APPS_KV_CONFIG_H
#define TEMPEST_APPS_KV_CONFIG_H

#include "apps/kv/slice.h"

/** When a write counts as done: Redis calls it appendfsync. */
enum kv_sync {
    KV_SYNC_ALWAYS,   /* durable before its reply */
    KV_SYNC_INTERVAL, /* durable within a second */
    KV_SYNC_NONE,     /* whenever the system likes */
};

enum {
    KV_CONFIG_TEXT_BYTES = 4096, /* of the longest value, with its NUL */
    KV_ARGUMENT_MAX_MIN = 1 << 20,
    KV_KEEPALIVE_S_MAX = 32767, /* Linux takes no more */
};

struct kv_config {
    uint64_t memory_max;       /* maxmemory, bytes of keys and values; 0: no limit */
    uint32_t clients_max;      /* maxclients */
    uint32_t clients_max_max;  /* what it may be set to: there is room for so many */
    uint32_t idle_s_max;       /* timeout, of a connection; 0: no limit */
    uint32_t keepalive_s;      /* tcp-keepalive, of who comes from now on; 0: off */
    uint32_t argument_max;     /* proto-max-bulk-len, bytes of an argument or a value */
    uint32_t argument_max_max; /* what it may be set to: a record of the log must hold it */
    uint32_t reply_max;        /* bytes of a reply */
    bool dirty_reads;          /* what reads find need not be durable */
    enum kv_sync sync;         /* appendfsync; fixed */

    /* Fixed, to be shown; texts are the caller's, not NULL. */
    uint32_t port;
    const char *bind, *unix_path, *dir;
};

/** A working default for a log whose records may have `record_max` bytes. */
struct kv_config kv_config_default(uint32_t record_max);

/** How many settings there are, and the name of one. */
uint32_t kv_config_count(void);
const char *kv_config_name(uint32_t index);

/** Writes the value of a setting to `ret_text`, with a NUL at its end, cut if need be. */
void kv_config_print(const struct kv_config *config, uint32_t index,
                     char ret_text[KV_CONFIG_TEXT_BYTES]);

/** The index of a setting, by its name in letters of either case; -1: there is none. */
int32_t kv_config_find(struct kv_slice name);

/** Sets one. NULL, or why it cannot be: a text for the client, in `memory` if need be. */
enum { KV_CONFIG_WHY_BYTES = 160 };
const char *kv_config_set(struct kv_config *config, uint32_t index, struct kv_slice value,
                          char memory[KV_CONFIG_WHY_BYTES]);

#endif
