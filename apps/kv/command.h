/** apps/kv/command.h - the table of commands: what each is called, takes, touches and does.
 *
 * What COMMAND INFO tells of a command is here and nowhere else.
 */
#ifndef TEMPEST_APPS_KV_COMMAND_H
#define TEMPEST_APPS_KV_COMMAND_H

#include "apps/kv/slice.h"

struct kv_call;

/** What a command is, in the order in which Redis lists it, and what only we ask. */
enum kv_command_flag {
    KV_WRITE = 1 << 0,    /* may change keys */
    KV_READONLY = 1 << 1, /* reads keys and changes none */
    KV_DENYOOM = 1 << 2,  /* refused when memory is short */
    KV_ADMIN = 1 << 3,
    KV_NOSCRIPT = 1 << 4,
    KV_LOADING = 1 << 5,
    KV_STALE = 1 << 6,
    KV_SKIP_SLOWLOG = 1 << 7,
    KV_FAST = 1 << 8,
    KV_NO_AUTH = 1 << 9, /* for who has not said the password, too */
    KV_NO_ASYNC_LOADING = 1 << 10,
    KV_NO_MULTI = 1 << 11, /* not in a transaction */
    KV_ALLOW_BUSY = 1 << 12,
    KV_FLAGS_SHOWN = 13, /* how many of them COMMAND shows */

    KV_AT_ONCE = 1 << 16, /* in a transaction it is executed, not queued */
    KV_WHOLE_DB = 1 << 17 /* tells of all keys of a database */
};

/** Groups of the access lists, which are only shown. */
enum kv_command_group {
    KV_GROUP_KEYSPACE = 1 << 0,
    KV_GROUP_STRING = 1 << 1,
    KV_GROUP_CONNECTION = 1 << 2,
    KV_GROUP_TRANSACTION = 1 << 3,
    KV_GROUP_SCRIPTING = 1 << 4,
    KV_GROUP_DANGEROUS = 1 << 5,
    KV_GROUP_ADMIN = 1 << 6,
};

/** What its record in the log has, beside a delete of each key that is past its expiry. */
enum kv_command_room {
    KV_ROOM_PLAIN,   /* a change of its key, with its arguments */
    KV_ROOM_DELETES, /* deletes of its keys */
    KV_ROOM_PAIRS,   /* keys and values, as they are among its arguments */
    KV_ROOM_NUMBER,  /* its key and a number */
    KV_ROOM_FLOAT,   /* its key and a decimal number of any length */
    KV_ROOM_RENAME,  /* its second key and a value that is there */
};

/** Where a command's keys are; all that is shown of a key spec. */
struct kv_command_keys {
    uint8_t first, step;   /* as COMMAND shows them ... */
    int8_t last;           /* ... -1 is the last argument */
    const char *notes;     /* NULL: none */
    const char *access[2]; /* "RW access update", of the first and the second spec */
};

struct kv_command {
    const char *name; /* a subcommand's: "client|setname" */
    void (*run)(struct kv_call *call);
    int8_t arity; /* with the name; negative: at least so many */
    uint8_t room; /* enum kv_command_room */
    uint32_t flags;
    uint32_t groups;
    struct kv_command_keys keys;
    const char *tips;                     /* separated by spaces; NULL: none */
    const struct kv_command *subcommands; /* ended by one without a name; NULL: none */
    const char *usage;                    /* of a subcommand, for HELP: "NAME <arg>\nWhat
                                             it does" */
};

/** The commands, in alphabetical order, and how many there are. */
extern const struct kv_command kv_commands[];
extern const uint32_t kv_command_count;

/** The command of that name, in letters of either case; NULL: there is none. */
const struct kv_command *kv_command_find(struct kv_slice name);

/** The subcommand of that name; NULL: there is none. */
const struct kv_command *kv_command_find_sub(const struct kv_command *command,
                                             struct kv_slice name);

/** Whether it can have so many arguments, its name among them. */
bool kv_command_takes(const struct kv_command *command, uint32_t argc);

/** How many of `argc` arguments are keys. */
uint32_t kv_command_key_count(const struct kv_command *command, uint32_t argc);

/** The index of the argument that is key number `index`. */
uint32_t kv_command_key(const struct kv_command *command, uint32_t index);

/** The name behind the '|' of a subcommand's. */
const char *kv_command_short_name(const struct kv_command *command);

#endif
