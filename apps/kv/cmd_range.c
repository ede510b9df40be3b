/** APPEND, STRLEN, SETRANGE, GETRANGE: parts of values. */
#include "apps/kv/call.h"
#include "apps/kv/commands.h"

void kv_cmd_append(struct kv_call *call)
{
    struct kv_slice key = call->argv[1], value = call->argv[2];
    struct kv_view view;
    struct kv_effect effect;
    uint64_t len = value.len;

    if (kv_call_get(call, key, &view)) {
        len += view.value.len;
        if (!kv_call_fits(call, len))
            return;
    }
    effect = kv_effect_append(call->session->db, key, value);
    kv_call_apply(call, &effect);
    kv_reply_integer(call->reply, (int64_t)len);
}

void kv_cmd_strlen(struct kv_call *call)
{
    struct kv_view view;

    (void)kv_call_read(call, call->argv[1], &view);
    kv_reply_integer(call->reply, view.value.len);
}

void kv_cmd_setrange(struct kv_call *call)
{
    struct kv_slice key = call->argv[1], value = call->argv[3];
    struct kv_view view;
    struct kv_effect effect;
    uint64_t len, end;
    int64_t offset;

    if (!kv_call_integer(call, 2, &offset))
        return;
    if (offset < 0) {
        kv_reply_error(call->reply, "ERR offset is out of range");
        return;
    }
    (void)kv_call_get(call, key, &view);
    len = view.value.len;
    end = (uint64_t)offset + value.len;
    if (value.len > 0) {
        if (!kv_call_fits(call, end))
            return;
        effect = kv_effect_setrange(call->session->db, key, (uint32_t)offset, value);
        kv_call_apply(call, &effect);
        len = end > len ? end : len;
    }
    kv_reply_integer(call->reply, (int64_t)len);
}

/* An index from the end is negative. */
static int64_t from_the_end(int64_t index, int64_t len)
{
    if (index >= 0)
        return index;
    return index + len < 0 ? 0 : index + len;
}

/* The part from `first` to `last`, both included, that the value has. */
static struct kv_slice part(struct kv_slice value, int64_t first, int64_t last)
{
    int64_t len = value.len;

    if (first < 0 && last < 0 && first > last)
        return kv_slice_of(NULL, 0);
    first = from_the_end(first, len);
    last = from_the_end(last, len);
    if (last >= len)
        last = len - 1;
    if (first > last || len == 0)
        return kv_slice_of(NULL, 0);
    return kv_slice_of(value.bytes + first, (uint32_t)(last - first + 1));
}

void kv_cmd_getrange(struct kv_call *call)
{
    struct kv_view view;
    int64_t first, last;

    if (!kv_call_integer(call, 2, &first) || !kv_call_integer(call, 3, &last))
        return;
    (void)kv_call_read(call, call->argv[1], &view);
    kv_reply_bulk(call->reply, part(view.value, first, last));
}
