/** apps/kv/options.h - the command line of tempest-kv.
 */
#ifndef TEMPEST_APPS_KV_OPTIONS_H
#define TEMPEST_APPS_KV_OPTIONS_H

#include "apps/common/backend.h"
#include "apps/kv/config.h"
#include "io/address.h"

enum { KV_LISTEN_MAX = 16 };

/** What the command line asks for. */
enum kv_todo {
    KV_EXIT,  /* --help and the like: it was printed */
    KV_USAGE, /* it is wrong, which was said */
    KV_SERVE,
    KV_SIMULATE, /* --io=virtual */
    KV_CHECK,
    KV_DUMP,
};

/** Texts are those of the command line. */
struct kv_options {
    struct tp_address listen[KV_LISTEN_MAX]; /* the Unix path, if any, comes last */
    uint32_t listen_count;
    const char *dir;           /* of the data; of --check and --dump, too */
    const char *unix_path;     /* NULL: none */
    const char *password_file; /* NULL: none */
    bool no_auth;
    bool dirty_reads;
    bool seed_given;
    enum app_backend backend;
    enum kv_sync sync;
    uint32_t clients_max;
    uint32_t idle_s;
    uint16_t port;
    uint64_t memory_max;      /* 0: no limit */
    uint64_t seed, seed_last; /* of the virtual world: from, to */
};

/** Reads the command line. What is wrong with it is said on standard error. */
enum kv_todo kv_options_parse(int argc, char **argv, struct kv_options *ret_options);

/** Reads a password from a file: its first line, without the line's end. `ret_password` has
 * room for `bytes_max`. Its length; -errno; -EMSGSIZE: it is longer; -ENODATA: it is empty.
 */
int32_t kv_password_read(const char *path, char *ret_password, uint32_t bytes_max);

#endif
