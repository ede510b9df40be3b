#include "apps/kv/command.h"

/* The name beside a command's, in alphabetical order: negative, 0, positive. */
static int32_t compare(struct kv_slice name, const char *command)
{
    for (uint32_t i = 0; i < name.len; i++) {
        uint8_t byte = name.bytes[i];

        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte + ('a' - 'A'));
        if (command[i] == '\0')
            return 1;
        if (byte != (uint8_t)command[i])
            return (int32_t)byte - (uint8_t)command[i];
    }
    return command[name.len] == '\0' ? 0 : -1;
}

const struct kv_command *kv_command_find(struct kv_slice name)
{
    uint32_t low = 0, high = kv_command_count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int32_t order = compare(name, kv_commands[middle].name);

        if (order == 0)
            return &kv_commands[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *kv_command_short_name(const struct kv_command *command)
{
    const char *bar = strchr(command->name, '|');

    return bar == NULL ? command->name : bar + 1;
}

const struct kv_command *kv_command_find_sub(const struct kv_command *command,
                                             struct kv_slice name)
{
    tp_assert(command->subcommands != NULL);
    for (const struct kv_command *sub = command->subcommands; sub->name != NULL; sub++) {
        if (kv_slice_is(name, kv_command_short_name(sub)))
            return sub;
    }
    return NULL;
}

bool kv_command_takes(const struct kv_command *command, uint32_t argc)
{
    return command->arity >= 0 ? argc == (uint32_t)command->arity
                               : argc >= (uint32_t)-command->arity;
}

uint32_t kv_command_key_count(const struct kv_command *command, uint32_t argc)
{
    const struct kv_command_keys *keys = &command->keys;
    uint32_t last = keys->last < 0 ? argc - 1 : (uint32_t)keys->last;

    if (keys->first == 0)
        return 0;
    tp_assert(last < argc);
    return (last - keys->first) / keys->step + 1;
}

uint32_t kv_command_key(const struct kv_command *command, uint32_t index)
{
    return command->keys.first + index * command->keys.step;
}
