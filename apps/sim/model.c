#include "model.h"

#include <string.h>

/* A state is one byte, 0 for nil and 1 for a value, and the value. */

static struct tp_value value_of(const uint8_t *bytes, uint32_t len_bytes)
{
    struct tp_value nil = {NULL, 0, false};

    tp_assert(len_bytes >= 1);
    return bytes[0] == 0 ? nil : tp_value_bytes(bytes + 1, len_bytes - 1);
}

/* The state that holds `first`, and `second` behind it. */
static enum tp_model_answer hold(struct tp_value first, struct tp_value second,
                                 struct tp_model_state *ret_state)
{
    uint64_t len = 1 + (uint64_t)first.len_bytes + second.len_bytes;

    if (len > ret_state->size_bytes)
        return TP_MODEL_NO_ROOM;
    ret_state->bytes[0] = first.is_some || second.is_some;
    if (first.len_bytes > 0)
        memcpy(ret_state->bytes + 1, first.bytes, first.len_bytes);
    if (second.len_bytes > 0)
        memcpy(ret_state->bytes + 1 + first.len_bytes, second.bytes, second.len_bytes);
    ret_state->len_bytes = (uint32_t)len;
    return TP_MODEL_YES;
}

static enum tp_model_answer kv_begin(struct tp_value initial,
                                     struct tp_model_state *ret_state)
{
    return hold(initial, (struct tp_value){NULL, 0, false}, ret_state);
}

static enum tp_model_answer kv_step(const struct tp_history_op *op, bool known,
                                    const uint8_t *bytes, uint32_t len_bytes,
                                    struct tp_model_state *ret_state)
{
    struct tp_value nil = {NULL, 0, false};
    struct tp_value now = value_of(bytes, len_bytes);
    bool matches;

    switch (op->call.kind) {
    case TP_HISTORY_GET:
        if (known && !tp_value_equal(now, op->result))
            return TP_MODEL_NO;
        return hold(now, nil, ret_state);
    case TP_HISTORY_PUT:
        return hold(op->call.value, nil, ret_state);
    case TP_HISTORY_APPEND:
        return hold(now, op->call.value, ret_state);
    case TP_HISTORY_CAS:
        matches = tp_value_equal(now, op->call.expected);
        if (known && matches != op->result.is_some)
            return TP_MODEL_NO;
        return hold(matches ? op->call.value : now, nil, ret_state);
    case TP_HISTORY_KINDS:
        break;
    }
    tp_unreachable();
}

static void kv_print(const uint8_t *bytes, uint32_t len_bytes, FILE *stream)
{
    tp_value_print(value_of(bytes, len_bytes), stream);
}

const struct tp_model tp_model_kv = {"kv", true, kv_begin, kv_step, kv_print};
