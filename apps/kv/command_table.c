/** The table of commands. What COMMAND INFO shows of them is what Redis 7.0 shows. */
#include "apps/kv/commands.h"

#define NO_KEYS        \
    {                  \
        0, 0, 0, NULL, \
        {              \
            NULL, NULL \
        }              \
    }
#define ONE_KEY(access)  \
    {                    \
        1, 1, 1, NULL,   \
        {                \
            access, NULL \
        }                \
    }
#define ALL_KEYS(access) \
    {                    \
        1, 1, -1, NULL,  \
        {                \
            access, NULL \
        }                \
    }
#define PAIRS(access)    \
    {                    \
        1, 2, -1, NULL,  \
        {                \
            access, NULL \
        }                \
    }

enum {
    ANYTIME = KV_LOADING | KV_STALE,
    SESSION = ANYTIME | KV_NOSCRIPT,
    STEER = KV_ADMIN | SESSION, /* the server, or a look at it */
    MULTI = SESSION | KV_FAST | KV_ALLOW_BUSY | KV_AT_ONCE,
    STRING_WRITE = KV_WRITE | KV_DENYOOM,
};

static const char ends[] = "request_policy:all_shards response_policy:all_succeeded";
static const char sums[] = "request_policy:multi_shard response_policy:agg_sum";
static const char varies[] = "nondeterministic_output";
static const char unordered[] = "nondeterministic_output_order";

#define NO_MORE      \
    {                \
        .name = NULL \
    }

#define SUB(name, run, arity, flags, groups, tips, usage)                          \
    {                                                                              \
        name, run, arity, KV_ROOM_PLAIN, flags, groups, NO_KEYS, tips, NULL, usage \
    }

static const struct kv_command client_commands[] = {
    SUB("client|getname", kv_cmd_client_getname, 2, SESSION, KV_GROUP_CONNECTION, NULL,
        "GETNAME\nReturn the name of the current connection."),
    SUB("client|help", kv_cmd_client_help, 2, ANYTIME, KV_GROUP_CONNECTION, NULL,
        "HELP\nPrints this help."),
    SUB("client|id", kv_cmd_client_id, 2, SESSION, KV_GROUP_CONNECTION, NULL,
        "ID\nReturn the ID of the current connection."),
    SUB("client|list", kv_cmd_client_list, -2, STEER, KV_GROUP_CONNECTION, varies,
        "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <id> [<id> ...]]\n"
        "Return information about client connections."),
    SUB("client|setinfo", kv_cmd_client_setinfo, 4, SESSION, KV_GROUP_CONNECTION, NULL,
        "SETINFO <LIB-NAME|LIB-VER> <value>\nSet the name or version of the client "
        "library."),
    SUB("client|setname", kv_cmd_client_setname, 3, SESSION, KV_GROUP_CONNECTION, NULL,
        "SETNAME <name>\nAssign the name <name> to the current connection."),
    NO_MORE,
};

static const struct kv_command command_commands[] = {
    SUB("command|count", kv_cmd_command_count, 2, ANYTIME, KV_GROUP_CONNECTION, NULL,
        "COUNT\nReturn the total number of commands in this server."),
    SUB("command|docs", kv_cmd_command_docs, -2, ANYTIME, KV_GROUP_CONNECTION, unordered,
        "DOCS [<command-name> ...]\nReturn an empty map: documentation is kept elsewhere."),
    SUB("command|help", kv_cmd_command_help, 2, ANYTIME, KV_GROUP_CONNECTION, NULL,
        "HELP\nPrints this help."),
    SUB("command|info", kv_cmd_command_info, -2, ANYTIME, KV_GROUP_CONNECTION, unordered,
        "INFO [<command-name> ...]\nReturn details about commands; without a name about "
        "all."),
    NO_MORE,
};

static const struct kv_command config_commands[] = {
    SUB("config|get", kv_cmd_config_get, -3, STEER, 0, NULL,
        "GET <pattern>\nReturn parameters matching the glob-like <pattern> and their "
        "values."),
    SUB("config|help", kv_cmd_config_help, 2, ANYTIME, 0, NULL, "HELP\nPrints this help."),
    SUB("config|resetstat", kv_cmd_config_resetstat, 2, STEER, 0, NULL,
        "RESETSTAT\nReset statistics reported by the INFO command."),
    SUB("config|rewrite", kv_cmd_config_rewrite, 2, STEER, 0, NULL,
        "REWRITE\nRefused: there is no configuration file."),
    SUB("config|set", kv_cmd_config_set, -4, STEER, 0,
        "request_policy:all_nodes response_policy:all_succeeded",
        "SET <directive> <value>\nSet the configuration <directive> to <value>."),
    NO_MORE,
};

static const struct kv_command function_commands[] = {
    SUB("function|flush", kv_cmd_function_flush, -2, KV_WRITE | KV_NOSCRIPT,
        KV_GROUP_SCRIPTING, ends,
        "FLUSH [ASYNC|SYNC]\nDelete all functions, of which there are none."),
    SUB("function|help", kv_cmd_function_help, 2, ANYTIME, KV_GROUP_SCRIPTING, NULL,
        "HELP\nPrints this help."),
    NO_MORE,
};

/* The order of the columns: name, function, arity, room, flags, groups, keys, tips,
 * subcommands, usage. */
const struct kv_command kv_commands[] = {
    {"append", kv_cmd_append, 3, KV_ROOM_PLAIN, STRING_WRITE | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RW insert"), NULL, NULL, NULL},
    {"auth", kv_cmd_auth, -2, KV_ROOM_PLAIN, SESSION | KV_FAST | KV_NO_AUTH | KV_ALLOW_BUSY,
     KV_GROUP_CONNECTION, NO_KEYS, NULL, NULL, NULL},
    {"bgsave", kv_cmd_bgsave, -1, KV_ROOM_PLAIN,
     KV_ADMIN | KV_NOSCRIPT | KV_NO_ASYNC_LOADING, 0, NO_KEYS, NULL, NULL, NULL},
    {"client", NULL, -2, KV_ROOM_PLAIN, 0, 0, NO_KEYS, NULL, client_commands, NULL},
    {"command", kv_cmd_command, -1, KV_ROOM_PLAIN, ANYTIME, KV_GROUP_CONNECTION, NO_KEYS,
     unordered, command_commands, NULL},
    {"config", NULL, -2, KV_ROOM_PLAIN, 0, 0, NO_KEYS, NULL, config_commands, NULL},
    {"dbsize", kv_cmd_dbsize, 1, KV_ROOM_PLAIN, KV_READONLY | KV_FAST | KV_WHOLE_DB,
     KV_GROUP_KEYSPACE, NO_KEYS, "request_policy:all_shards response_policy:agg_sum", NULL,
     NULL},
    {"debug", kv_cmd_debug, -2, KV_ROOM_PLAIN, STEER, 0, NO_KEYS, NULL, NULL, NULL},
    {"decr", kv_cmd_decr, 2, KV_ROOM_NUMBER, STRING_WRITE | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RW access update"), NULL, NULL, NULL},
    {"decrby", kv_cmd_decrby, 3, KV_ROOM_NUMBER, STRING_WRITE | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RW access update"), NULL, NULL, NULL},
    {"del", kv_cmd_del, -2, KV_ROOM_DELETES, KV_WRITE, KV_GROUP_KEYSPACE,
     ALL_KEYS("RM delete"), sums, NULL, NULL},
    {"discard", kv_cmd_discard, 1, KV_ROOM_PLAIN, MULTI, KV_GROUP_TRANSACTION, NO_KEYS,
     NULL, NULL, NULL},
    {"echo", kv_cmd_echo, 2, KV_ROOM_PLAIN, ANYTIME | KV_FAST, KV_GROUP_CONNECTION, NO_KEYS,
     NULL, NULL, NULL},
    {"exec", kv_cmd_exec, 1, KV_ROOM_PLAIN, SESSION | KV_SKIP_SLOWLOG | KV_AT_ONCE,
     KV_GROUP_TRANSACTION, NO_KEYS, NULL, NULL, NULL},
    {"exists", kv_cmd_exists, -2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST, KV_GROUP_KEYSPACE,
     ALL_KEYS("RO"), sums, NULL, NULL},
    {"expire", kv_cmd_expire, -3, KV_ROOM_PLAIN, KV_WRITE | KV_FAST, KV_GROUP_KEYSPACE,
     ONE_KEY("RW update"), NULL, NULL, NULL},
    {"expireat", kv_cmd_expireat, -3, KV_ROOM_PLAIN, KV_WRITE | KV_FAST, KV_GROUP_KEYSPACE,
     ONE_KEY("RW update"), NULL, NULL, NULL},
    {"expiretime", kv_cmd_expiretime, 2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST,
     KV_GROUP_KEYSPACE, ONE_KEY("RO access"), NULL, NULL, NULL},
    {"flushall", kv_cmd_flushall, -1, KV_ROOM_PLAIN, KV_WRITE,
     KV_GROUP_KEYSPACE | KV_GROUP_DANGEROUS, NO_KEYS, ends, NULL, NULL},
    {"flushdb", kv_cmd_flushdb, -1, KV_ROOM_PLAIN, KV_WRITE,
     KV_GROUP_KEYSPACE | KV_GROUP_DANGEROUS, NO_KEYS, ends, NULL, NULL},
    {"function", NULL, -2, KV_ROOM_PLAIN, 0, 0, NO_KEYS, NULL, function_commands, NULL},
    {"get", kv_cmd_get, 2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RO access"), NULL, NULL, NULL},
    {"getdel", kv_cmd_getdel, 2, KV_ROOM_DELETES, KV_WRITE | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RW access delete"), NULL, NULL, NULL},
    {"getex",
     kv_cmd_getex,
     -2,
     KV_ROOM_PLAIN,
     KV_WRITE | KV_FAST,
     KV_GROUP_STRING,
     {1, 1, 1, "RW and UPDATE because it changes the TTL", {"RW access update", NULL}},
     NULL,
     NULL,
     NULL},
    {"getrange", kv_cmd_getrange, 4, KV_ROOM_PLAIN, KV_READONLY, KV_GROUP_STRING,
     ONE_KEY("RO access"), NULL, NULL, NULL},
    {"getset", kv_cmd_getset, 3, KV_ROOM_PLAIN, STRING_WRITE | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RW access update"), NULL, NULL, NULL},
    {"hello", kv_cmd_hello, -1, KV_ROOM_PLAIN,
     SESSION | KV_FAST | KV_NO_AUTH | KV_ALLOW_BUSY, KV_GROUP_CONNECTION, NO_KEYS, NULL,
     NULL, NULL},
    {"incr", kv_cmd_incr, 2, KV_ROOM_NUMBER, STRING_WRITE | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RW access update"), NULL, NULL, NULL},
    {"incrby", kv_cmd_incrby, 3, KV_ROOM_NUMBER, STRING_WRITE | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RW access update"), NULL, NULL, NULL},
    {"incrbyfloat", kv_cmd_incrbyfloat, 3, KV_ROOM_FLOAT, STRING_WRITE | KV_FAST,
     KV_GROUP_STRING, ONE_KEY("RW access update"), NULL, NULL, NULL},
    {"info", kv_cmd_info, -1, KV_ROOM_PLAIN, ANYTIME, KV_GROUP_DANGEROUS, NO_KEYS,
     "nondeterministic_output request_policy:all_shards response_policy:special", NULL,
     NULL},
    {"keys", kv_cmd_keys, 2, KV_ROOM_PLAIN, KV_READONLY | KV_WHOLE_DB,
     KV_GROUP_KEYSPACE | KV_GROUP_DANGEROUS, NO_KEYS,
     "request_policy:all_shards nondeterministic_output_order", NULL, NULL},
    {"lastsave", kv_cmd_lastsave, 1, KV_ROOM_PLAIN, ANYTIME | KV_FAST,
     KV_GROUP_DANGEROUS | KV_GROUP_ADMIN, NO_KEYS, varies, NULL, NULL},
    {"mget", kv_cmd_mget, -2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST, KV_GROUP_STRING,
     ALL_KEYS("RO access"), "request_policy:multi_shard", NULL, NULL},
    {"mset", kv_cmd_mset, -3, KV_ROOM_PAIRS, STRING_WRITE, KV_GROUP_STRING,
     PAIRS("OW update"), "request_policy:multi_shard response_policy:all_succeeded", NULL,
     NULL},
    {"msetnx", kv_cmd_msetnx, -3, KV_ROOM_PAIRS, STRING_WRITE, KV_GROUP_STRING,
     PAIRS("OW insert"), "request_policy:multi_shard response_policy:agg_min", NULL, NULL},
    {"multi", kv_cmd_multi, 1, KV_ROOM_PLAIN, MULTI, KV_GROUP_TRANSACTION, NO_KEYS, NULL,
     NULL, NULL},
    {"persist", kv_cmd_persist, 2, KV_ROOM_PLAIN, KV_WRITE | KV_FAST, KV_GROUP_KEYSPACE,
     ONE_KEY("RW update"), NULL, NULL, NULL},
    {"pexpire", kv_cmd_pexpire, -3, KV_ROOM_PLAIN, KV_WRITE | KV_FAST, KV_GROUP_KEYSPACE,
     ONE_KEY("RW update"), NULL, NULL, NULL},
    {"pexpireat", kv_cmd_pexpireat, -3, KV_ROOM_PLAIN, KV_WRITE | KV_FAST,
     KV_GROUP_KEYSPACE, ONE_KEY("RW update"), NULL, NULL, NULL},
    {"pexpiretime", kv_cmd_pexpiretime, 2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST,
     KV_GROUP_KEYSPACE, ONE_KEY("RO access"), NULL, NULL, NULL},
    {"ping", kv_cmd_ping, -1, KV_ROOM_PLAIN, KV_FAST, KV_GROUP_CONNECTION, NO_KEYS, ends,
     NULL, NULL},
    {"psetex", kv_cmd_psetex, 4, KV_ROOM_PLAIN, STRING_WRITE, KV_GROUP_STRING,
     ONE_KEY("OW update"), NULL, NULL, NULL},
    {"pttl", kv_cmd_pttl, 2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST, KV_GROUP_KEYSPACE,
     ONE_KEY("RO access"), varies, NULL, NULL},
    {"quit", kv_cmd_quit, -1, KV_ROOM_PLAIN,
     SESSION | KV_FAST | KV_NO_AUTH | KV_ALLOW_BUSY | KV_AT_ONCE, KV_GROUP_CONNECTION,
     NO_KEYS, NULL, NULL, NULL},
    {"randomkey", kv_cmd_randomkey, 1, KV_ROOM_PLAIN, KV_READONLY | KV_WHOLE_DB,
     KV_GROUP_KEYSPACE, NO_KEYS, "request_policy:all_shards nondeterministic_output", NULL,
     NULL},
    {"rename",
     kv_cmd_rename,
     3,
     KV_ROOM_RENAME,
     KV_WRITE,
     KV_GROUP_KEYSPACE,
     {1, 1, 2, NULL, {"RW access delete", "OW update"}},
     NULL,
     NULL,
     NULL},
    {"renamenx",
     kv_cmd_renamenx,
     3,
     KV_ROOM_RENAME,
     KV_WRITE | KV_FAST,
     KV_GROUP_KEYSPACE,
     {1, 1, 2, NULL, {"RW access delete", "OW insert"}},
     NULL,
     NULL,
     NULL},
    {"save", kv_cmd_save, 1, KV_ROOM_PLAIN,
     KV_ADMIN | KV_NOSCRIPT | KV_NO_ASYNC_LOADING | KV_NO_MULTI, 0, NO_KEYS, NULL, NULL,
     NULL},
    {"scan", kv_cmd_scan, -2, KV_ROOM_PLAIN, KV_READONLY | KV_WHOLE_DB, KV_GROUP_KEYSPACE,
     NO_KEYS, "nondeterministic_output request_policy:special", NULL, NULL},
    {"select", kv_cmd_select, 2, KV_ROOM_PLAIN, ANYTIME | KV_FAST, KV_GROUP_CONNECTION,
     NO_KEYS, NULL, NULL, NULL},
    {"set",
     kv_cmd_set,
     -3,
     KV_ROOM_PLAIN,
     STRING_WRITE,
     KV_GROUP_STRING,
     {1,
      1,
      1,
      "RW and ACCESS due to the optional `GET` argument",
      {"RW access update variable_flags", NULL}},
     NULL,
     NULL,
     NULL},
    {"setex", kv_cmd_setex, 4, KV_ROOM_PLAIN, STRING_WRITE, KV_GROUP_STRING,
     ONE_KEY("OW update"), NULL, NULL, NULL},
    {"setnx", kv_cmd_setnx, 3, KV_ROOM_PLAIN, STRING_WRITE | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("OW insert"), NULL, NULL, NULL},
    {"setrange", kv_cmd_setrange, 4, KV_ROOM_PLAIN, STRING_WRITE, KV_GROUP_STRING,
     ONE_KEY("RW update"), NULL, NULL, NULL},
    {"shutdown", kv_cmd_shutdown, -1, KV_ROOM_PLAIN, STEER | KV_NO_MULTI | KV_ALLOW_BUSY, 0,
     NO_KEYS, NULL, NULL, NULL},
    {"strlen", kv_cmd_strlen, 2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST, KV_GROUP_STRING,
     ONE_KEY("RO"), NULL, NULL, NULL},
    {"time", kv_cmd_time, 1, KV_ROOM_PLAIN, ANYTIME | KV_FAST, 0, NO_KEYS, varies, NULL,
     NULL},
    {"ttl", kv_cmd_ttl, 2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST, KV_GROUP_KEYSPACE,
     ONE_KEY("RO access"), varies, NULL, NULL},
    {"type", kv_cmd_type, 2, KV_ROOM_PLAIN, KV_READONLY | KV_FAST, KV_GROUP_KEYSPACE,
     ONE_KEY("RO"), NULL, NULL, NULL},
    {"unlink", kv_cmd_unlink, -2, KV_ROOM_DELETES, KV_WRITE | KV_FAST, KV_GROUP_KEYSPACE,
     ALL_KEYS("RM delete"), sums, NULL, NULL},
    {"unwatch", kv_cmd_unwatch, 1, KV_ROOM_PLAIN, SESSION | KV_FAST | KV_ALLOW_BUSY,
     KV_GROUP_TRANSACTION, NO_KEYS, NULL, NULL, NULL},
    {"watch", kv_cmd_watch, -2, KV_ROOM_PLAIN, MULTI, KV_GROUP_TRANSACTION, ALL_KEYS("RO"),
     NULL, NULL, NULL},
};

const uint32_t kv_command_count = sizeof kv_commands / sizeof kv_commands[0];
