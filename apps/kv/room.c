#include "apps/kv/room.h"

#include "apps/kv/command.h"
#include "apps/kv/commands.h"
#include "apps/kv/decimal.h"
#include "apps/kv/number.h"

/* What the values can come to. */
struct bounds {
    uint64_t value;  /* bytes of the longest that a RENAME can move */
    uint64_t added;  /* bytes that APPENDs add to it, together */
    uint32_t digits; /* before the point, of the largest that INCRBYFLOAT can begin with */
    bool renames, floats;
};

/* So many more digits has the sum of all that one queue can hold. */
enum { CARRIES = 10 };

static void consider_value(struct bounds *bounds, struct kv_slice value)
{
    struct kv_decimal decimal;

    if (value.len > bounds->value)
        bounds->value = value.len;
    if (bounds->floats && kv_decimal_parse(value, &decimal) && !decimal.infinite &&
        decimal.top >= (int32_t)bounds->digits)
        bounds->digits = (uint32_t)decimal.top + 1;
}

/* The value that is there now, of a key that is renamed or added to. */
static void consider_key(struct bounds *bounds, const struct kv_store *store, uint32_t db,
                         struct kv_slice key)
{
    struct kv_view view;

    if (kv_store_get(store, db, key, &view))
        consider_value(bounds, view.value);
}

/* The argument of SETRANGE that is an offset, as far as it can have an effect. */
static void consider_offset(struct bounds *bounds, const struct kv_queued *queued)
{
    int64_t offset;

    if (kv_number_parse(queued->argv[2], &offset) && offset >= 0 &&
        offset <= KV_STRING_MAX && bounds->value < (uint64_t)offset + queued->argv[3].len)
        bounds->value = (uint64_t)offset + queued->argv[3].len;
}

static void consider(struct bounds *bounds, const struct kv_store *store, uint32_t db,
                     const struct kv_queued *queued)
{
    const struct kv_command *command = queued->command;

    for (uint32_t i = 1; i < queued->argc; i++)
        consider_value(bounds, queued->argv[i]);
    if (command->run == kv_cmd_append)
        bounds->added += queued->argv[2].len;
    if (command->run == kv_cmd_setrange)
        consider_offset(bounds, queued);
    /* Digits that are put together may be a number of any length. */
    if (command->run == kv_cmd_append || command->run == kv_cmd_setrange)
        bounds->digits = KV_DECIMAL_DIGITS_MAX;
    if (command->room == KV_ROOM_RENAME || command->room == KV_ROOM_FLOAT)
        consider_key(bounds, store, db, queued->argv[1]);
}

uint32_t kv_room_db_after(uint32_t db, const struct kv_queued *queued)
{
    int64_t number;

    if (queued->command->run == kv_cmd_select &&
        kv_number_parse(queued->argv[1], &number) && number >= 0 && number < KV_DBS)
        return (uint32_t)number;
    return db;
}

static uint64_t float_bytes(const struct bounds *bounds)
{
    uint64_t bytes = bounds->digits + CARRIES + KV_DECIMAL_PLACES + 2;

    return bytes < KV_DECIMAL_BYTES ? bytes : KV_DECIMAL_BYTES;
}

/* ------------------------------------------------------------------ one command */

static uint64_t delete_bytes(struct kv_slice key)
{
    struct kv_effect effect = kv_effect_del(0, key);

    return kv_record_bytes(&effect);
}

/* A value of so many bytes. When it `expires` that is the longest change of a key. */
static uint64_t set_bytes(struct kv_slice key, uint64_t len, bool expires)
{
    struct kv_slice value = kv_slice_of(NULL, (uint32_t)len);
    struct kv_effect effect = kv_effect_set(0, key, value, expires ? INT64_MAX : 0);

    tp_assert(len <= UINT32_MAX);
    return kv_record_bytes(&effect);
}

/* Whether it does not look at what is there, but sets values that never expire. */
static bool sets_blindly(const struct kv_queued *queued)
{
    return queued->command->run == kv_cmd_mset ||
           (queued->command->run == kv_cmd_set && queued->argc == 3);
}

/* All arguments behind the key: what a value has at most that is made of them. */
static uint64_t arguments_bytes(const struct kv_queued *queued)
{
    uint64_t bytes = 0;

    for (uint32_t i = 2; i < queued->argc; i++)
        bytes += queued->argv[i].len;
    return bytes;
}

/* What happens to its key that is argument `index`, but that it is deleted. */
static uint64_t change_bytes(const struct kv_queued *queued, uint32_t index,
                             const struct bounds *bounds)
{
    struct kv_slice key = queued->argv[index];

    switch ((enum kv_command_room)queued->command->room) {
    case KV_ROOM_PLAIN:
        return set_bytes(key, arguments_bytes(queued), !sets_blindly(queued));
    case KV_ROOM_DELETES:
        return 0;
    case KV_ROOM_PAIRS: /* the last value may be missing, which it will be refused for */
        return index + 1 == queued->argc
                   ? 0
                   : set_bytes(key, queued->argv[index + 1].len, false);
    case KV_ROOM_NUMBER:
        return set_bytes(key, KV_NUMBER_BYTES, true);
    case KV_ROOM_FLOAT:
        return set_bytes(key, float_bytes(bounds), true);
    case KV_ROOM_RENAME:
        return index == 1 ? 0 : set_bytes(key, bounds->value + bounds->added, true);
    }
    tp_unreachable();
}

/* Each key may be deleted once: since it is past its expiry, or by the command. */
static uint64_t room_of(const struct kv_queued *queued, const struct bounds *bounds)
{
    const struct kv_command *command = queued->command;
    uint32_t keys = kv_command_key_count(command, queued->argc);
    struct kv_effect flush = kv_effect_flush(0);
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < keys; i++) {
        uint32_t index = kv_command_key(command, i);

        if (!sets_blindly(queued))
            bytes += delete_bytes(queued->argv[index]);
        if (command->flags & KV_WRITE)
            bytes += change_bytes(queued, index, bounds);
    }
    return keys == 0 && (command->flags & KV_WRITE) ? kv_record_bytes(&flush) : bytes;
}

uint64_t kv_room(const struct kv_store *store, uint32_t db,
                 const struct kv_queued *commands, uint32_t count)
{
    struct bounds bounds = {.value = KV_NUMBER_BYTES, .digits = KV_NUMBER_BYTES};
    uint64_t bytes = KV_RECORD_HEADER;

    for (uint32_t i = 0; i < count; i++) {
        bounds.renames |= commands[i].command->room == KV_ROOM_RENAME;
        bounds.floats |= commands[i].command->room == KV_ROOM_FLOAT;
    }
    for (uint32_t i = 0; (bounds.renames || bounds.floats) && i < count; i++) {
        consider(&bounds, store, db, &commands[i]);
        db = kv_room_db_after(db, &commands[i]);
    }
    if (bounds.value < KV_DECIMAL_BYTES && bounds.renames && bounds.floats)
        bounds.value = KV_DECIMAL_BYTES;
    for (uint32_t i = 0; i < count; i++)
        bytes += room_of(&commands[i], &bounds);
    return bytes;
}
