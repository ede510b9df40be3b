#include "history_internal.h"

#include <string.h>

struct tp_value tp_value_bytes(const void *bytes, uint32_t len_bytes)
{
    return (struct tp_value){(const uint8_t *)bytes, len_bytes, true};
}

struct tp_value tp_value_text(const char *text)
{
    return tp_value_bytes(text, (uint32_t)strlen(text));
}

struct tp_value tp_value_bool(bool value)
{
    return value ? tp_value_text("true") : (struct tp_value){NULL, 0, false};
}

bool tp_value_equal(struct tp_value a, struct tp_value b)
{
    if (a.is_some != b.is_some || a.len_bytes != b.len_bytes)
        return false;
    return a.len_bytes == 0 || memcmp(a.bytes, b.bytes, a.len_bytes) == 0;
}

const char *tp_history_kind_name(enum tp_history_kind kind)
{
    static const char *const names[TP_HISTORY_KINDS] = {"get", "put", "append", "cas"};

    tp_assert(kind < TP_HISTORY_KINDS);
    return names[kind];
}

int tp_history_create(const struct tp_history_config *config,
                      struct tp_history **ret_history)
{
    struct tp_history_config used = {0};
    struct tp_history *history;

    if (config != NULL)
        used = *config;
    tp_assert(used.size == 0 || used.size == sizeof used);
    history = tp_alloc(used.allocator, sizeof *history, 16);
    if (history == NULL)
        return -ENOMEM;
    history->budget.allocator = used.allocator;
    history->budget.max_bytes =
        used.memory_bytes > 0 ? used.memory_bytes : UINT64_C(1) << 30;
    history->texts.budget = &history->budget;
    history->clients_max = used.clients_max > 0 ? used.clients_max : 65536;
    history->ops_max = used.ops_max > 0 ? used.ops_max : UINT32_C(1) << 24;
    tp_assert(history->ops_max < TP_HISTORY_NO_EVENT / 2);
    *ret_history = history;
    return 0;
}

void tp_history_destroy(struct tp_history *history)
{
    struct tp_budget *budget;

    if (history == NULL)
        return;
    budget = &history->budget;
    tp_byteset_clear(&history->texts);
    tp_budget_free(budget, history->ops,
                   (uint64_t)history->op_capacity * sizeof *history->ops);
    tp_budget_free(budget, history->events,
                   (uint64_t)history->event_capacity * sizeof *history->events);
    tp_budget_free(budget, history->clients,
                   (uint64_t)history->client_capacity * sizeof *history->clients);
    tp_assert(budget->used_bytes == 0);
    tp_free(budget->allocator, history, sizeof *history, 16);
}

/* A copy of a value that stays. */
static int keep(struct tp_history *history, struct tp_value value,
                struct tp_value *ret_kept)
{
    uint32_t number;

    *ret_kept = (struct tp_value){NULL, 0, false};
    if (!value.is_some)
        return 0;
    if (tp_byteset_add(&history->texts, value.bytes, value.len_bytes, &number) < 0)
        return -ENOMEM;
    *ret_kept =
        tp_value_bytes(tp_byteset_at(&history->texts, number)->bytes, value.len_bytes);
    return 0;
}

int tp_history_set_initial(struct tp_history *history, struct tp_value value)
{
    return keep(history, value, &history->initial);
}

struct tp_value tp_history_initial(const struct tp_history *history)
{
    return history->initial;
}

/* Room for one more of everything, so that what follows cannot fail half-way. */
static int make_room(struct tp_history *history, uint32_t client)
{
    struct tp_budget *budget = &history->budget;
    struct tp_history_event *events =
        tp_budget_grow(budget, history->events, sizeof *events, &history->event_capacity,
                       history->event_count + 1);
    struct tp_history_op *ops;
    uint32_t *clients;

    if (events == NULL)
        return -ENOMEM;
    history->events = events;
    ops = tp_budget_grow(budget, history->ops, sizeof *ops, &history->op_capacity,
                         history->op_count + 1);
    if (ops == NULL)
        return -ENOMEM;
    history->ops = ops;
    clients = tp_budget_grow(budget, history->clients, sizeof *clients,
                             &history->client_capacity, client + 1);
    if (clients == NULL)
        return -ENOMEM;
    history->clients = clients;
    return 0;
}

static uint32_t add_event(struct tp_history *history, uint32_t op, bool is_return,
                          uint64_t time_ns)
{
    tp_assert(history->event_count < history->event_capacity);
    history->events[history->event_count] = (struct tp_history_event){op, is_return};
    history->last_ns = time_ns;
    return history->event_count++;
}

int tp_history_invoke(struct tp_history *history, uint32_t client, uint64_t time_ns,
                      const struct tp_history_call *call)
{
    struct tp_value nil = {NULL, 0, false};
    bool is_cas = call->kind == TP_HISTORY_CAS;
    bool is_get = call->kind == TP_HISTORY_GET;
    struct tp_history_op op = {.client = client,
                               .invoke_ns = time_ns,
                               .outcome = TP_HISTORY_UNKNOWN,
                               .returned = TP_HISTORY_NO_EVENT};

    tp_assert(call->kind < TP_HISTORY_KINDS);
    if (client >= history->clients_max || tp_history_goes_back(history, time_ns))
        return -EINVAL;
    if (tp_history_is_busy(history, client))
        return -EBUSY;
    if (history->op_count == history->ops_max)
        return -ENOSPC;
    op.call.kind = call->kind;
    if (make_room(history, client) < 0 || keep(history, call->key, &op.call.key) < 0 ||
        keep(history, is_cas ? call->expected : nil, &op.call.expected) < 0 ||
        keep(history, is_get ? nil : call->value, &op.call.value) < 0)
        return -ENOMEM;
    op.invoked = add_event(history, history->op_count, false, time_ns);
    history->ops[history->op_count++] = op;
    history->clients[client] = history->op_count;
    return 0;
}

int tp_history_return(struct tp_history *history, uint32_t client, uint64_t time_ns,
                      enum tp_history_outcome outcome, struct tp_value result)
{
    struct tp_history_op *op;
    struct tp_value kept = {NULL, 0, false};

    if (!tp_history_is_busy(history, client) || tp_history_goes_back(history, time_ns))
        return -EINVAL;
    if (make_room(history, client) < 0 ||
        (outcome == TP_HISTORY_OK && keep(history, result, &kept) < 0))
        return -ENOMEM;
    op = &history->ops[history->clients[client] - 1];
    op->outcome = outcome;
    op->result = kept;
    op->return_ns = time_ns;
    op->returned = add_event(history, history->clients[client] - 1, true, time_ns);
    history->clients[client] = 0;
    return 0;
}

uint32_t tp_history_ops(const struct tp_history *history)
{
    return history->op_count;
}

const struct tp_history_op *tp_history_op(const struct tp_history *history, uint32_t op)
{
    tp_assert(op < history->op_count);
    return &history->ops[op];
}

uint32_t tp_history_events(const struct tp_history *history)
{
    return history->event_count;
}

struct tp_history_event tp_history_event(const struct tp_history *history, uint32_t event)
{
    tp_assert(event < history->event_count);
    return history->events[event];
}
