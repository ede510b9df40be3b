/** CONFIG: what can be read and set while the server runs. */
#include "apps/kv/call.h"
#include "apps/kv/commands.h"
#include "apps/kv/pattern.h"

void kv_cmd_config_help(struct kv_call *call)
{
    kv_call_help(call, kv_command_find(call->argv[0]));
}

void kv_cmd_config_rewrite(struct kv_call *call)
{
    kv_reply_error(call->reply, "ERR The server is running without a config file");
}

void kv_cmd_config_resetstat(struct kv_call *call)
{
    uint64_t peak = kv_engine_memory(call->engine);

    call->engine->stats = (struct kv_stats){.memory_peak = peak};
    kv_reply_ok(call->reply);
}

/* ------------------------------------------------------------------ GET */

static bool has_wildcard(struct kv_slice name)
{
    for (uint32_t i = 0; i < name.len; i++) {
        if (name.bytes[i] == '*' || name.bytes[i] == '?' || name.bytes[i] == '[')
            return true;
    }
    return false;
}

static bool is_wanted(struct kv_slice wanted, uint32_t index)
{
    struct kv_slice name = kv_slice_text(kv_config_name(index));

    if (!has_wildcard(wanted))
        return kv_config_find(wanted) == (int32_t)index;
    return kv_pattern_matches(wanted, name, true);
}

/* Each setting once, called as it was asked for. */
void kv_cmd_config_get(struct kv_call *call)
{
    struct kv_reply *reply = call->reply;
    char text[KV_CONFIG_TEXT_BYTES];
    uint32_t begin = reply->len, end, count = 0;

    for (uint32_t index = 0; index < kv_config_count(); index++) {
        uint32_t i = 2;

        while (i < call->argc && !is_wanted(call->argv[i], index))
            i++;
        if (i == call->argc)
            continue;
        if (has_wildcard(call->argv[i]))
            kv_reply_text(reply, kv_config_name(index));
        else
            kv_reply_bulk(reply, call->argv[i]);
        kv_config_print(&call->engine->config, index, text);
        kv_reply_text(reply, text);
        count++;
    }
    end = reply->len;
    kv_reply_map(reply, count);
    kv_reply_bring_forward(reply, begin, end);
}

/* ------------------------------------------------------------------ SET */

static void reply_failed(struct kv_call *call, uint32_t index, const char *why)
{
    char after[KV_CONFIG_WHY_BYTES + 8] = "') - ";

    tp_assert(strlen(why) < KV_CONFIG_WHY_BYTES);
    memcpy(after + strlen(after), why, strlen(why) + 1);
    kv_reply_error_about(call->reply,
                         "ERR CONFIG SET failed (possibly related to argument '",
                         kv_slice_text(kv_config_name(index)), after);
}

/* All settings or none: they are tried on a copy. */
void kv_cmd_config_set(struct kv_call *call)
{
    struct kv_config config = call->engine->config;
    char memory[KV_CONFIG_WHY_BYTES];
    uint64_t given = 0;

    if (call->argc % 2 == 1) {
        kv_call_syntax_error(call);
        return;
    }
    for (uint32_t i = 2; i < call->argc; i += 2) {
        if (kv_config_find(call->argv[i]) >= 0)
            continue;
        kv_reply_error_about(call->reply,
                             "ERR Unknown option or number of arguments for CONFIG SET - '",
                             call->argv[i], "'");
        return;
    }
    for (uint32_t i = 2; i < call->argc; i += 2) {
        uint32_t index = (uint32_t)kv_config_find(call->argv[i]);
        const char *why = given >> index & 1
                              ? "duplicate parameter"
                              : kv_config_set(&config, index, call->argv[i + 1], memory);

        if (why != NULL) {
            reply_failed(call, index, why);
            return;
        }
        given |= UINT64_C(1) << index;
    }
    call->engine->config = config;
    kv_reply_ok(call->reply);
}
