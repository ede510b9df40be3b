/** DEL, EXISTS, TYPE, RENAME and their kin: keys, whatever they hold. */
#include "apps/kv/call.h"
#include "apps/kv/commands.h"

void kv_cmd_del(struct kv_call *call)
{
    struct kv_view view;
    int64_t count = 0;

    for (uint32_t i = 1; i < call->argc; i++) {
        if (!kv_call_get(call, call->argv[i], &view))
            continue;
        kv_call_delete(call, call->argv[i]);
        count++;
    }
    kv_reply_integer(call->reply, count);
}

/* Memory is given back in small steps anyway. */
void kv_cmd_unlink(struct kv_call *call)
{
    kv_cmd_del(call);
}

void kv_cmd_exists(struct kv_call *call)
{
    struct kv_view view;
    int64_t count = 0;

    for (uint32_t i = 1; i < call->argc; i++)
        count += kv_call_read(call, call->argv[i], &view);
    kv_reply_integer(call->reply, count);
}

void kv_cmd_type(struct kv_call *call)
{
    struct kv_view view;

    kv_reply_status(call->reply,
                    kv_call_read(call, call->argv[1], &view) ? "string" : "none");
}

/* The value and its expiry go to the new name. */
static void move(struct kv_call *call, struct kv_slice from, struct kv_slice to)
{
    struct kv_view view;
    bool found = kv_call_get(call, from, &view);

    tp_assert(found);
    kv_call_set(call, to, view.value, view.expire_ms);
    kv_call_delete(call, from);
}

static void rename_key(struct kv_call *call, bool over)
{
    struct kv_slice from = call->argv[1], to = call->argv[2];
    bool same = kv_slice_equal(from, to), taken = false;
    struct kv_view view;

    if (!kv_call_get(call, from, &view)) {
        kv_reply_error(call->reply, "ERR no such key");
        return;
    }
    if (!over)
        taken = same || kv_call_get(call, to, &view);
    if (!same && !taken)
        move(call, from, to);
    if (over)
        kv_reply_ok(call->reply);
    else
        kv_reply_integer(call->reply, taken ? 0 : 1);
}

void kv_cmd_rename(struct kv_call *call)
{
    rename_key(call, true);
}

void kv_cmd_renamenx(struct kv_call *call)
{
    rename_key(call, false);
}
