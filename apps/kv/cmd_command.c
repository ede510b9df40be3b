/** COMMAND: what the table says. */
#include "apps/kv/call.h"
#include "apps/kv/commands.h"

/* In the order of their bits. */
static const char *const flag_names[KV_FLAGS_SHOWN] = {
    "write",     "readonly",     "denyoom", "admin",   "noscript",         "loading",
    "stale",     "skip_slowlog", "fast",    "no_auth", "no_async_loading", "no_multi",
    "allow_busy"};

static void reply_flags(struct kv_reply *reply, uint32_t flags)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < KV_FLAGS_SHOWN; i++)
        count += flags >> i & 1;
    kv_reply_set(reply, count);
    for (uint32_t i = 0; i < KV_FLAGS_SHOWN; i++) {
        if (flags >> i & 1)
            kv_reply_status(reply, flag_names[i]);
    }
}

/* Groups follow from flags, too. They are listed in Redis's order. */
static void reply_groups(struct kv_reply *reply, const struct kv_command *command)
{
    uint32_t flags = command->flags, groups = command->groups;
    const struct {
        const char *name;
        bool member;
    } rows[] = {
        {"@keyspace", (groups & KV_GROUP_KEYSPACE) != 0},
        {"@read", (flags & KV_READONLY) != 0},
        {"@write", (flags & KV_WRITE) != 0},
        {"@string", (groups & KV_GROUP_STRING) != 0},
        {"@admin", (flags & KV_ADMIN) || (groups & KV_GROUP_ADMIN)},
        {"@fast", (flags & KV_FAST) != 0},
        {"@slow", (flags & KV_FAST) == 0},
        {"@dangerous", (flags & KV_ADMIN) || (groups & KV_GROUP_DANGEROUS)},
        {"@connection", (groups & KV_GROUP_CONNECTION) != 0},
        {"@transaction", (groups & KV_GROUP_TRANSACTION) != 0},
        {"@scripting", (groups & KV_GROUP_SCRIPTING) != 0},
    };
    uint32_t count = 0;

    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        count += rows[i].member;
    kv_reply_set(reply, count);
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].member)
            kv_reply_status(reply, rows[i].name);
    }
}

/* ------------------------------------------------------------------ words of a text */

static uint32_t count_words(const char *text)
{
    uint32_t count = text != NULL && *text != '\0';

    for (; text != NULL && *text != '\0'; text++)
        count += *text == ' ';
    return count;
}

/* Each as a bulk string, or as a status. */
static void reply_words(struct kv_reply *reply, const char *text, bool status)
{
    char word[64];

    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, " ");

        tp_assert(len < sizeof word);
        memcpy(word, text, len);
        word[len] = '\0';
        if (status)
            kv_reply_status(reply, word);
        else
            kv_reply_text(reply, word);
        text += len + (text[len] == ' ');
    }
}

/* ------------------------------------------------------------------ where keys are */

static void reply_number(struct kv_reply *reply, const char *name, int64_t number)
{
    kv_reply_text(reply, name);
    kv_reply_integer(reply, number);
}

static void reply_spec(struct kv_reply *reply, const struct kv_command_keys *keys,
                       uint32_t index)
{
    kv_reply_map(reply, keys->notes == NULL ? 3 : 4);
    if (keys->notes != NULL) {
        kv_reply_text(reply, "notes");
        kv_reply_text(reply, keys->notes);
    }
    kv_reply_text(reply, "flags");
    kv_reply_set(reply, count_words(keys->access[index]));
    reply_words(reply, keys->access[index], true);
    kv_reply_text(reply, "begin_search");
    kv_reply_map(reply, 2);
    kv_reply_text(reply, "type");
    kv_reply_text(reply, "index");
    kv_reply_text(reply, "spec");
    kv_reply_map(reply, 1);
    reply_number(reply, "index", keys->first + (int64_t)index);
    kv_reply_text(reply, "find_keys");
    kv_reply_map(reply, 2);
    kv_reply_text(reply, "type");
    kv_reply_text(reply, "range");
    kv_reply_text(reply, "spec");
    kv_reply_map(reply, 3);
    reply_number(reply, "lastkey", keys->last < 0 ? -1 : 0);
    reply_number(reply, "keystep", keys->step);
    reply_number(reply, "limit", 0);
}

static void reply_specs(struct kv_reply *reply, const struct kv_command_keys *keys)
{
    uint32_t count = (keys->access[0] != NULL) + (uint32_t)(keys->access[1] != NULL);

    kv_reply_set(reply, count);
    for (uint32_t i = 0; i < count; i++)
        reply_spec(reply, keys, i);
}

/* ------------------------------------------------------------------ a command */

static void reply_one(struct kv_reply *reply, const struct kv_command *command)
{
    kv_reply_array(reply, 10);
    kv_reply_text(reply, command->name);
    kv_reply_integer(reply, command->arity);
    reply_flags(reply, command->flags);
    kv_reply_integer(reply, command->keys.first);
    kv_reply_integer(reply, command->keys.last);
    kv_reply_integer(reply, command->keys.step);
    reply_groups(reply, command);
    kv_reply_set(reply, count_words(command->tips));
    reply_words(reply, command->tips, false);
    reply_specs(reply, &command->keys);
}

/* No subcommands are an empty set, some are an array; as in Redis. */
static void reply_command(struct kv_reply *reply, const struct kv_command *command)
{
    uint32_t count = 0;

    reply_one(reply, command);
    while (command->subcommands != NULL && command->subcommands[count].name != NULL)
        count++;
    if (count == 0)
        kv_reply_set(reply, 0);
    else
        kv_reply_array(reply, count);
    for (uint32_t i = 0; i < count; i++) {
        reply_one(reply, &command->subcommands[i]);
        kv_reply_set(reply, 0);
    }
}

void kv_cmd_command(struct kv_call *call)
{
    kv_reply_array(call->reply, kv_command_count);
    for (uint32_t i = 0; i < kv_command_count; i++)
        reply_command(call->reply, &kv_commands[i]);
}

void kv_cmd_command_count(struct kv_call *call)
{
    kv_reply_integer(call->reply, kv_command_count);
}

void kv_cmd_command_docs(struct kv_call *call)
{
    kv_reply_map(call->reply, 0);
}

void kv_cmd_command_help(struct kv_call *call)
{
    kv_call_help(call, kv_command_find(call->argv[0]));
}

/* A subcommand is asked for as "config|get". */
static const struct kv_command *find(struct kv_slice name)
{
    const uint8_t *bar = name.len == 0 ? NULL : memchr(name.bytes, '|', name.len);
    uint32_t len = bar == NULL ? name.len : (uint32_t)(bar - name.bytes);
    const struct kv_command *command = kv_command_find(kv_slice_of(name.bytes, len));

    if (command == NULL || bar == NULL)
        return command;
    if (command->subcommands == NULL)
        return NULL;
    return kv_command_find_sub(command, kv_slice_of(bar + 1, name.len - len - 1));
}

void kv_cmd_command_info(struct kv_call *call)
{
    if (call->argc == 2) {
        kv_cmd_command(call);
        return;
    }
    kv_reply_array(call->reply, call->argc - 2);
    for (uint32_t i = 2; i < call->argc; i++) {
        const struct kv_command *command = find(call->argv[i]);

        if (command == NULL)
            kv_reply_null_array(call->reply);
        else
            reply_command(call->reply, command);
    }
}
