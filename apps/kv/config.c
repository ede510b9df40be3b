#include "apps/kv/config.h"

#include <inttypes.h>
#include <stdio.h>

#include "apps/kv/number.h"
#include "apps/kv/record.h"

enum {
    CLIENTS_DEFAULT = 10000,
    KEEPALIVE_DEFAULT = 300,
    REPLY_MAX_DEFAULT = 1 << 30,
    KEY_ROOM = 64 << 10, /* of a record, left to the key and to what describes the change */
};

/* How a value is kept and written. */
enum kind { NUMBER, MEMORY, MEMORY_LONG, FLAG, SYNC, TEXT, CONSTANT };

struct setting {
    const char *name;
    enum kind kind;
    bool fixed;
    size_t offset;        /* in struct kv_config */
    uint64_t min, max;    /* of a number */
    const char *constant; /* the value of one that is always the same */
};

#define AT(member) offsetof(struct kv_config, member)

static const struct setting settings[] = {
    {"maxmemory", MEMORY_LONG, false, AT(memory_max), 0, UINT64_MAX, NULL},
    {"maxmemory-policy", CONSTANT, true, 0, 0, 0, "noeviction"},
    {"maxclients", NUMBER, false, AT(clients_max), 1, UINT32_MAX, NULL},
    {"timeout", NUMBER, false, AT(idle_s_max), 0, INT32_MAX, NULL},
    {"tcp-keepalive", NUMBER, false, AT(keepalive_s), 0, KV_KEEPALIVE_S_MAX, NULL},
    {"proto-max-bulk-len", MEMORY, false, AT(argument_max), KV_ARGUMENT_MAX_MIN, 0, NULL},
    {"dirty-reads", FLAG, false, AT(dirty_reads), 0, 0, NULL},
    {"appendonly", CONSTANT, true, 0, 0, 0, "yes"},
    {"appendfsync", SYNC, true, AT(sync), 0, 0, NULL},
    {"save", CONSTANT, true, 0, 0, 0, ""},
    {"databases", CONSTANT, true, 0, 0, 0, "16"},
    {"port", NUMBER, true, AT(port), 0, UINT16_MAX, NULL},
    {"bind", TEXT, true, AT(bind), 0, 0, NULL},
    {"unixsocket", TEXT, true, AT(unix_path), 0, 0, NULL},
    {"dir", TEXT, true, AT(dir), 0, 0, NULL},
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

_Static_assert(KV_DBS == 16, "the setting `databases` says so");

struct kv_config kv_config_default(uint32_t record_max)
{
    uint32_t argument_max = record_max < KV_STRING_MAX ? record_max : KV_STRING_MAX;
    struct kv_config config = {
        .clients_max = CLIENTS_DEFAULT,
        .clients_max_max = UINT32_MAX,
        .keepalive_s = KEEPALIVE_DEFAULT,
        .reply_max = REPLY_MAX_DEFAULT,
        .bind = "",
        .unix_path = "",
        .dir = "",
    };

    tp_assert(record_max >= KV_ARGUMENT_MAX_MIN + KEY_ROOM);
    config.argument_max = config.argument_max_max = argument_max - KEY_ROOM;
    return config;
}

uint32_t kv_config_count(void)
{
    return SETTINGS;
}

const char *kv_config_name(uint32_t index)
{
    tp_assert(index < SETTINGS);
    return settings[index].name;
}

int32_t kv_config_find(struct kv_slice name)
{
    for (uint32_t i = 0; i < SETTINGS; i++) {
        if (kv_slice_is(name, settings[i].name))
            return (int32_t)i;
    }
    return -1;
}

/* ------------------------------------------------------------------ reading */

static const void *place(const struct kv_config *config, const struct setting *setting)
{
    return (const char *)config + setting->offset;
}

static uint64_t number_of(const struct kv_config *config, const struct setting *setting)
{
    if (setting->kind == MEMORY_LONG)
        return *(const uint64_t *)place(config, setting);
    tp_assert(setting->kind == NUMBER || setting->kind == MEMORY);
    return *(const uint32_t *)place(config, setting);
}

static const char *text_of(const struct kv_config *config, const struct setting *setting)
{
    static const char *const syncs[] = {"always", "everysec", "no"};

    switch (setting->kind) {
    case FLAG:
        return *(const bool *)place(config, setting) ? "yes" : "no";
    case SYNC:
        return syncs[*(const enum kv_sync *)place(config, setting)];
    case TEXT:
        return *(const char *const *)place(config, setting);
    case CONSTANT:
        return setting->constant;
    case NUMBER:
    case MEMORY:
    case MEMORY_LONG:
        break;
    }
    tp_unreachable();
}

void kv_config_print(const struct kv_config *config, uint32_t index,
                     char ret_text[KV_CONFIG_TEXT_BYTES])
{
    const struct setting *setting = &settings[index];

    tp_assert(index < SETTINGS);
    if (setting->kind == NUMBER || setting->kind == MEMORY || setting->kind == MEMORY_LONG)
        (void)snprintf(ret_text, KV_CONFIG_TEXT_BYTES, "%" PRIu64,
                       number_of(config, setting));
    else
        (void)snprintf(ret_text, KV_CONFIG_TEXT_BYTES, "%s", text_of(config, setting));
}

/* ------------------------------------------------------------------ setting */

/* Bytes, with a unit: "100mb". No digits are 0, as in Redis; what is too much for 64 bits
 * is the largest number. */
static bool parse_memory(struct kv_slice value, uint64_t *ret_bytes)
{
    static const struct unit {
        const char *name;
        uint64_t bytes;
    } units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
                 {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};
    uint64_t number = 0;
    uint32_t at = 0;

    for (; at < value.len && value.bytes[at] >= '0' && value.bytes[at] <= '9'; at++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)value.bytes[at] - '0', &number))
            number = UINT64_MAX;
    }
    for (uint32_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!kv_slice_is(kv_slice_of(value.bytes + at, value.len - at), units[i].name))
            continue;
        if (__builtin_mul_overflow(number, units[i].bytes, ret_bytes))
            *ret_bytes = UINT64_MAX;
        return true;
    }
    return false;
}

static const char *set_number(struct kv_config *config, const struct setting *setting,
                              struct kv_slice value, char memory[KV_CONFIG_WHY_BYTES])
{
    uint64_t max = setting->kind == MEMORY ? config->argument_max_max : setting->max;
    uint64_t number;
    int64_t whole;

    if (setting->kind != NUMBER) {
        if (!parse_memory(value, &number))
            return "argument must be a memory value";
    } else {
        if (!kv_number_parse(value, &whole))
            return "argument couldn't be parsed into an integer";
        number = whole < 0 ? UINT64_MAX : (uint64_t)whole;
    }
    if (number < setting->min || number > max) {
        (void)snprintf(memory, KV_CONFIG_WHY_BYTES,
                       "argument must be between %" PRIu64 " and %" PRIu64 " inclusive",
                       setting->min, max);
        return memory;
    }
    if (setting->offset == AT(clients_max) && number > config->clients_max_max) {
        (void)snprintf(memory, KV_CONFIG_WHY_BYTES,
                       "The operating system is not able to handle the specified number of "
                       "clients, try with %" PRIu32,
                       config->clients_max_max);
        return memory;
    }
    if (setting->kind == MEMORY_LONG)
        *(uint64_t *)((char *)config + setting->offset) = number;
    else
        *(uint32_t *)((char *)config + setting->offset) = (uint32_t)number;
    return NULL;
}

const char *kv_config_set(struct kv_config *config, uint32_t index, struct kv_slice value,
                          char memory[KV_CONFIG_WHY_BYTES])
{
    const struct setting *setting = &settings[index];
    bool on = kv_slice_is(value, "yes");

    tp_assert(index < SETTINGS);
    if (setting->fixed)
        return "can't set immutable config";
    if (setting->kind != FLAG)
        return set_number(config, setting, value, memory);
    if (!on && !kv_slice_is(value, "no"))
        return "argument must be 'yes' or 'no'";
    *(bool *)((char *)config + setting->offset) = on;
    return NULL;
}
