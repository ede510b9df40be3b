/** apps/sim/history_internal.h - what a history is made of. */
#ifndef TEMPEST_APPS_SIM_HISTORY_INTERNAL_H
#define TEMPEST_APPS_SIM_HISTORY_INTERNAL_H

#include "byteset.h"
#include "history.h"

struct tp_history {
    struct tp_budget budget;
    struct tp_byteset texts; /* keys, values and results, each once */
    struct tp_history_op *ops;
    struct tp_history_event *events;
    uint32_t *clients; /* the operation under way plus one; 0: none */
    uint32_t op_count, op_capacity;
    uint32_t event_count, event_capacity;
    uint32_t client_capacity;
    uint32_t clients_max, ops_max;
    uint64_t last_ns;
    struct tp_value initial;
};

/** Whether `time_ns` is before the last event. */
static inline bool tp_history_goes_back(const struct tp_history *history, uint64_t time_ns)
{
    return time_ns < history->last_ns;
}

/** Whether the client has an operation under way. */
static inline bool tp_history_is_busy(const struct tp_history *history, uint32_t client)
{
    return client < history->client_capacity && history->clients[client] != 0;
}

#endif
