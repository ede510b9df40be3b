/** apps/sim/order.h - the search for an order: Wing and Gong, with Lowe's cache.
 *
 * One part of a history (one key's) up to an event. The part's invocations and returns are
 * a list. The search takes an operation out whose invocation stands before the first return
 * and which the model allows; when none is left to take, it puts the last one back and
 * goes on behind it. It ends when all that returned are out, or when all was tried. What is
 * out and the state, together, are kept in a set: the same pair again needs no second look.
 *
 * What is out is two sets of bits. Operations that returned are numbered in the order of
 * their returns, so their bits are ones up to a point and a few scattered ones behind it;
 * those with an unknown outcome are numbered by invocation. An unknown one is not taken
 * when it changes nothing, nor when an equal one invoked before it is still there.
 */
#ifndef TEMPEST_APPS_SIM_ORDER_H
#define TEMPEST_APPS_SIM_ORDER_H

#include "byteset.h"
#include "linear.h"

/** No operation. */
#define TP_ORDER_NONE UINT32_MAX

/** The bounds of a check, and what it used so far. */
struct tp_order_limits {
    struct tp_budget budget;
    uint64_t steps, steps_max, cached;
    uint32_t state_bytes_max;
    bool (*stop)(void *context);
    void *context;
    const char *bound; /* the one that was reached; NULL: none */
};

/** A part of a history: these events of it. */
struct tp_order_part {
    const struct tp_history *history;
    const struct tp_model *model;
    const uint32_t *events;
    uint32_t count;  /* how many of them are looked at; a return behind them is unknown */
    uint32_t *local; /* for each operation of the history; TP_ORDER_NONE between searches */
};

struct tp_order_outcome {
    enum tp_linear_verdict verdict;
    uint32_t furthest; /* place in `events` of the return that no order came past */
    uint32_t *order;   /* with `wants_order`: operations that led there, from the budget */
    uint32_t order_count;
    uint8_t *state; /* and the model's state after them, from the budget */
    uint32_t state_len_bytes;
};

/** Searches. With `wants_order` and TP_LINEAR_NO, the outcome holds an order that came as
 * far as the last event. */
void tp_order_search(const struct tp_order_part *part, bool wants_order,
                     struct tp_order_limits *limits, struct tp_order_outcome *ret_outcome);

/** Gives back what an outcome holds. */
void tp_order_clear(struct tp_order_outcome *outcome, struct tp_budget *budget);

#endif
