#include "linear.h"

#include <string.h>

#include "order.h"

/* A history in parts, one a key: the events of part i are at starts[i] .. starts[i + 1]. */
struct parts {
    uint32_t count;
    uint32_t *starts; /* count + 1 of them; room for one more than operations, and one */
    uint32_t *events;
    uint32_t event_count;
    uint32_t *part_of; /* for each operation; TP_ORDER_NONE: it is left out */
    uint32_t *local;   /* lent to the searches */
    uint32_t ops, all_events;
};

/* ------------------------------------------------------------------ parts */

/* What never took effect is left out, and a return that says nothing. */
static bool counts(const struct tp_history *history, struct tp_history_event event)
{
    const struct tp_history_op *op = tp_history_op(history, event.op);

    if (op->outcome == TP_HISTORY_FAILED)
        return false;
    return !event.is_return || op->outcome == TP_HISTORY_OK;
}

/* The part that a key belongs to; the first one is that of nil. False: no memory. */
static bool name_part(struct tp_byteset *keys, struct tp_value key, uint32_t *ret_part)
{
    *ret_part = 0;
    if (!key.is_some)
        return true;
    if (tp_byteset_add(keys, key.bytes, key.len_bytes, ret_part) < 0)
        return false;
    *ret_part += 1;
    return true;
}

static bool name_parts(struct parts *parts, const struct tp_history *history,
                       const struct tp_model *model, struct tp_byteset *keys)
{
    for (uint32_t op = 0; op < parts->ops; op++) {
        uint32_t part = 0;

        if (model->by_key && !name_part(keys, tp_history_op(history, op)->call.key, &part))
            return false;
        parts->part_of[op] = part;
        parts->local[op] = TP_ORDER_NONE;
    }
    parts->count = keys->count + 1;
    return true;
}

/* Gathers the events by part, each part's in order. */
static void gather(struct parts *parts, const struct tp_history *history)
{
    uint32_t *starts = parts->starts;

    for (uint32_t i = 0; i < parts->all_events; i++) {
        struct tp_history_event event = tp_history_event(history, i);

        if (counts(history, event))
            starts[parts->part_of[event.op] + 2]++;
    }
    for (uint32_t part = 0; part < parts->count; part++)
        starts[part + 2] += starts[part + 1];
    for (uint32_t i = 0; i < parts->all_events; i++) {
        struct tp_history_event event = tp_history_event(history, i);

        if (counts(history, event))
            parts->events[starts[parts->part_of[event.op] + 1]++] = i;
    }
}

static bool parts_init(struct parts *parts, const struct tp_history *history,
                       const struct tp_model *model, struct tp_budget *budget)
{
    struct tp_byteset keys = {.budget = budget};
    bool done;

    *parts = (struct parts){.ops = tp_history_ops(history),
                            .all_events = tp_history_events(history)};
    parts->starts = tp_budget_alloc(budget, ((uint64_t)parts->ops + 3) * 4);
    parts->events = tp_budget_alloc(budget, ((uint64_t)parts->all_events + 1) * 4);
    parts->part_of = tp_budget_alloc(budget, ((uint64_t)parts->ops + 1) * 4);
    parts->local = tp_budget_alloc(budget, ((uint64_t)parts->ops + 1) * 4);
    done = parts->starts != NULL && parts->events != NULL && parts->part_of != NULL &&
           parts->local != NULL && name_parts(parts, history, model, &keys);
    if (done)
        gather(parts, history);
    tp_byteset_clear(&keys);
    return done;
}

static void parts_deinit(struct parts *parts, struct tp_budget *budget)
{
    tp_budget_free(budget, parts->starts, ((uint64_t)parts->ops + 3) * 4);
    tp_budget_free(budget, parts->events, ((uint64_t)parts->all_events + 1) * 4);
    tp_budget_free(budget, parts->part_of, ((uint64_t)parts->ops + 1) * 4);
    tp_budget_free(budget, parts->local, ((uint64_t)parts->ops + 1) * 4);
}

/* ------------------------------------------------------------------ the shortest prefix */

static bool is_return(const struct tp_order_part *part, uint32_t place)
{
    return tp_history_event(part->history, part->events[place]).is_return;
}

/* Whether the part's events up to `place` cannot be ordered. A bound that is reached counts
 * as no. */
static bool fails_at(struct tp_order_part *part, uint32_t place,
                     struct tp_order_limits *limits, bool *ret_sure)
{
    struct tp_order_outcome outcome;

    part->count = place + 1;
    tp_order_search(part, false, limits, &outcome);
    tp_order_clear(&outcome, &limits->budget);
    *ret_sure = *ret_sure && outcome.verdict != TP_LINEAR_UNDECIDED;
    return outcome.verdict == TP_LINEAR_NO;
}

/* The place of the return that the shortest failing prefix ends with. No order came past
 * `from`, given what is returned later; without that, more may be possible. A prefix of
 * what can be ordered can be ordered, so it is found by halving. */
static uint32_t shortest(struct tp_order_part *part, uint32_t from, uint32_t to,
                         struct tp_order_limits *limits, bool *ret_sure)
{
    if (fails_at(part, from, limits, ret_sure))
        return from;
    while (from + 1 < to) { /* `from` can be ordered, and `to` cannot */
        uint32_t middle = from + (to - from) / 2;

        if (fails_at(part, middle, limits, ret_sure))
            to = middle;
        else
            from = middle;
    }
    while (!is_return(part, to)) /* an invocation alone makes nothing impossible: what is */
        to--;                    /* before it fails too, and a bound was in the way */
    return to;
}

/* Moves memory out of the budget's account: it belongs to the report from now on. */
static void *hand_over(const struct tp_allocator *allocator, const void *bytes,
                       uint64_t size_bytes)
{
    void *copy = tp_alloc(allocator, (size_t)size_bytes + 1, 16);

    if (copy != NULL)
        memcpy(copy, bytes, (size_t)size_bytes);
    return copy;
}

static void explain(struct tp_order_part *part, uint32_t furthest,
                    struct tp_order_limits *limits, struct tp_linear_report *report)
{
    struct tp_order_outcome outcome;
    uint32_t place, last = part->count - 1;

    report->is_shortest = true;
    while (!is_return(part, last))
        last--;
    place = shortest(part, furthest, last, limits, &report->is_shortest);
    report->event_last = part->events[place];
    report->blocked = tp_history_event(part->history, report->event_last).op;
    report->key = tp_history_op(part->history, report->blocked)->call.key;
    part->count = place + 1;
    tp_order_search(part, true, limits, &outcome);
    if (outcome.state != NULL && outcome.order != NULL) {
        report->order =
            hand_over(report->allocator, outcome.order, (uint64_t)outcome.order_count * 4);
        report->state =
            hand_over(report->allocator, outcome.state, outcome.state_len_bytes);
        report->order_count = outcome.order_count;
        report->state_len_bytes = outcome.state_len_bytes;
    }
    tp_order_clear(&outcome, &limits->budget);
}

/* ------------------------------------------------------------------ the check */

static struct tp_order_limits limits_of(const struct tp_linear_config *config)
{
    struct tp_order_limits limits = {.stop = config->stop, .context = config->context};

    limits.budget.allocator = config->allocator;
    limits.budget.max_bytes =
        config->memory_bytes > 0 ? config->memory_bytes : UINT64_C(1) << 30;
    limits.steps_max = config->steps_max > 0 ? config->steps_max : UINT64_C(1000000000);
    limits.state_bytes_max =
        config->state_bytes_max > 0 ? config->state_bytes_max : UINT32_C(1) << 16;
    return limits;
}

/* Searches all parts, until one cannot be ordered. */
static void check_parts(struct parts *parts, const struct tp_history *history,
                        const struct tp_model *model, struct tp_order_limits *limits,
                        struct tp_linear_report *report)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        struct tp_order_part part = {.history = history,
                                     .model = model,
                                     .events = parts->events + parts->starts[i],
                                     .count = parts->starts[i + 1] - parts->starts[i],
                                     .local = parts->local};
        struct tp_order_outcome outcome;

        if (part.count == 0)
            continue;
        report->keys++;
        tp_order_search(&part, false, limits, &outcome);
        tp_order_clear(&outcome, &limits->budget);
        if (outcome.verdict == TP_LINEAR_UNDECIDED) {
            report->undecided++;
            report->bound = limits->bound;
        } else if (outcome.verdict == TP_LINEAR_NO) {
            report->verdict = TP_LINEAR_NO;
            explain(&part, outcome.furthest, limits, report);
            return;
        }
    }
    report->verdict = report->undecided > 0 ? TP_LINEAR_UNDECIDED : TP_LINEAR_YES;
}

void tp_linear_check(const struct tp_history *history, const struct tp_model *model,
                     const struct tp_linear_config *config,
                     struct tp_linear_report *ret_report)
{
    struct tp_linear_config used = {0};
    struct tp_order_limits limits;
    struct parts parts;

    if (config != NULL)
        used = *config;
    tp_assert(used.size == 0 || used.size == sizeof used);
    limits = limits_of(&used);
    *ret_report = (struct tp_linear_report){.verdict = TP_LINEAR_UNDECIDED,
                                            .allocator = used.allocator};
    if (parts_init(&parts, history, model, &limits.budget))
        check_parts(&parts, history, model, &limits, ret_report);
    else
        ret_report->bound = "memory";
    if (ret_report->verdict != TP_LINEAR_UNDECIDED)
        ret_report->bound = NULL;
    parts_deinit(&parts, &limits.budget);
    ret_report->steps = limits.steps;
    ret_report->cached = limits.cached;
    tp_assert(limits.budget.used_bytes == 0);
}

void tp_linear_report_deinit(struct tp_linear_report *report)
{
    tp_free(report->allocator, report->order, (size_t)report->order_count * 4 + 1, 16);
    tp_free(report->allocator, report->state, (size_t)report->state_len_bytes + 1, 16);
    *report = (struct tp_linear_report){.verdict = report->verdict};
}
