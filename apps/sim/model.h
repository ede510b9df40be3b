/** apps/sim/model.h - what a service is held to: a state, and what an operation does to it.
 *
 * A model is sequential: one operation after the other. The checker (linear.h) looks for an
 * order in which the model gives every answer that was given. A state is a string of bytes;
 * equal states must be equal strings.
 */
#ifndef TEMPEST_APPS_SIM_MODEL_H
#define TEMPEST_APPS_SIM_MODEL_H

#include "history.h"

/** A state that is being made; its bytes have room for `size_bytes`. */
struct tp_model_state {
    uint8_t *bytes;
    uint32_t size_bytes;
    uint32_t len_bytes;
};

enum tp_model_answer {
    TP_MODEL_NO,      /* in this state the operation would have given another result */
    TP_MODEL_YES,     /* it can have happened */
    TP_MODEL_NO_ROOM, /* the state that it leads to is longer than there is room for */
};

struct tp_model {
    const char *name;
    bool by_key; /* keys know nothing of each other: each is checked by itself */

    /** The state before the first operation, given what every key holds at first. */
    enum tp_model_answer (*begin)(struct tp_value initial,
                                  struct tp_model_state *ret_state);

    /** What the operation does in the state `bytes`. `known`: it gave the result in
     * `op->result`; else any result will do. */
    enum tp_model_answer (*step)(const struct tp_history_op *op, bool known,
                                 const uint8_t *bytes, uint32_t len_bytes,
                                 struct tp_model_state *ret_state);

    /** The state in words, on one line, without a newline. */
    void (*print)(const uint8_t *bytes, uint32_t len_bytes, FILE *stream);
};

TP_BEGIN_DECLS

/** Keys that hold a value or nil, each a register: get, put, append (to nil as to nothing),
 * and cas, which gives true, or nil where the value was another than expected. */
TP_EXPORT extern const struct tp_model tp_model_kv;

/** Writes a value as a history's text does: nil, or quoted. */
TP_EXPORT void tp_value_print(struct tp_value value, FILE *stream);

TP_END_DECLS

#endif
