#include "tests/history/brute.h"

#include <string.h>

enum { OPS_MAX = 10, TEXT_MAX = 256 };

struct brute {
    const struct tp_history *history;
    uint32_t events;
    uint32_t ops;
    bool done[OPS_MAX];
};

struct text {
    char bytes[TEXT_MAX];
    uint32_t len;
    bool is_some;
};

static bool is_known(const struct brute *brute, const struct tp_history_op *op)
{
    return op->outcome == TP_HISTORY_OK && op->returned < brute->events;
}

/* Nothing is left that had to happen. */
static bool is_complete(const struct brute *brute)
{
    for (uint32_t i = 0; i < brute->ops; i++) {
        if (!brute->done[i] && is_known(brute, tp_history_op(brute->history, i)))
            return false;
    }
    return true;
}

/* Whether nothing that is left returned before this one was invoked. */
static bool may_be_next(const struct brute *brute, uint32_t next)
{
    const struct tp_history_op *op = tp_history_op(brute->history, next);

    if (brute->done[next] || op->outcome == TP_HISTORY_FAILED ||
        op->invoked >= brute->events)
        return false;
    for (uint32_t i = 0; i < brute->ops; i++) {
        const struct tp_history_op *other = tp_history_op(brute->history, i);

        if (!brute->done[i] && is_known(brute, other) && other->returned < op->invoked)
            return false;
    }
    return true;
}

static bool holds(const struct text *text, struct tp_value value)
{
    if (text->is_some != value.is_some || text->len != value.len_bytes)
        return false;
    return text->len == 0 || memcmp(text->bytes, value.bytes, text->len) == 0;
}

static void put(struct text *text, struct tp_value value, bool behind)
{
    uint32_t at = behind ? text->len : 0;

    tp_assert(at + value.len_bytes <= TEXT_MAX);
    if (value.len_bytes > 0)
        memcpy(text->bytes + at, value.bytes, value.len_bytes);
    text->len = at + value.len_bytes;
    text->is_some = value.is_some || (behind && text->is_some);
}

/* Does the operation; false if it would have answered something else. */
static bool happens(const struct tp_history_op *op, bool known, struct text *text)
{
    bool matches = holds(text, op->call.expected);

    if (op->call.kind == TP_HISTORY_GET)
        return !known || holds(text, op->result);
    if (op->call.kind == TP_HISTORY_CAS && known && matches != op->result.is_some)
        return false;
    if (op->call.kind != TP_HISTORY_CAS || matches)
        put(text, op->call.value, op->call.kind == TP_HISTORY_APPEND);
    return true;
}

static bool explore(struct brute *brute, const struct text *text)
{
    if (is_complete(brute))
        return true;
    for (uint32_t i = 0; i < brute->ops; i++) {
        const struct tp_history_op *op = tp_history_op(brute->history, i);
        struct text after = *text;
        bool found;

        if (!may_be_next(brute, i) || !happens(op, is_known(brute, op), &after))
            continue;
        brute->done[i] = true;
        found = explore(brute, &after);
        brute->done[i] = false;
        if (found)
            return true;
    }
    return false;
}

bool brute_is_linearizable(const struct tp_history *history, uint32_t event_count)
{
    struct brute brute = {
        .history = history, .events = event_count, .ops = tp_history_ops(history)};
    struct text text = {.len = 0};

    tp_assert(brute.ops <= OPS_MAX);
    put(&text, tp_history_initial(history), false);
    return explore(&brute, &text);
}
