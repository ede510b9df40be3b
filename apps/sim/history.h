/** apps/sim/history.h - a history: what clients asked, and what they were told, in order.
 *
 * A client has one operation at a time: it is invoked, and returns later, or never. What
 * counts is the order in which invocations and returns are recorded; one observer records
 * them all, be it a simulation or a program with real clients. Times are kept for people.
 *
 *     tp_history_invoke(history, client, now, &call);
 *     ... the answer arrives ...
 *     tp_history_return(history, client, now, TP_HISTORY_OK, result);
 *
 * An outcome that nobody knows (a time-out, a lost connection) is TP_HISTORY_UNKNOWN, or no
 * return at all: the operation may take effect at any later time, or never. The client may
 * go on. TP_HISTORY_FAILED says that it certainly took no effect, and never will.
 *
 * Ownership: what is handed in is copied. What is handed out stays until the history is
 * destroyed.
 *
 * As a text, one event a line: time in ns, client, what happened. Values are in quotes,
 * with \", \\ and \xHH; "nil" is none. Lines of several recorders that share a clock may be
 * merged by time with sort -sn; equal times then keep the order of the lines.
 *
 *     tempest-history 1
 *     initial nil
 *     120 0 invoke put "x" "1"
 *     340 0 ok
 *     350 1 invoke get "x"
 *     400 1 ok "1"
 *     410 0 invoke append "x" "2"
 *     420 1 invoke cas "x" "1" "3"
 *     500 0 unknown
 *     510 1 ok true
 *     520 1 invoke put "x" nil
 *     530 1 failed
 */
#ifndef TEMPEST_APPS_SIM_HISTORY_H
#define TEMPEST_APPS_SIM_HISTORY_H

#include <stdio.h>

#include "../../io/base.h"

/** Bytes, or none at all. */
struct tp_value {
    const uint8_t *bytes;
    uint32_t len_bytes;
    bool is_some; /* false: nil */
};

/** What was asked for. A model (model.h) says what each means. */
enum tp_history_kind {
    TP_HISTORY_GET,
    TP_HISTORY_PUT,    /* value; nil removes */
    TP_HISTORY_APPEND, /* value */
    TP_HISTORY_CAS,    /* from expected to value */
    TP_HISTORY_KINDS
};

struct tp_history_call {
    enum tp_history_kind kind;
    struct tp_value key;
    struct tp_value expected; /* cas */
    struct tp_value value;    /* put, append, cas */
};

enum tp_history_outcome {
    TP_HISTORY_UNKNOWN, /* it may take effect at any time after its invocation, or never */
    TP_HISTORY_OK,      /* it took effect, with a result */
    TP_HISTORY_FAILED,  /* it did not, and never will */
};

/** No event: of a return that has not happened. */
#define TP_HISTORY_NO_EVENT UINT32_MAX

struct tp_history_op {
    struct tp_history_call call;
    struct tp_value result; /* get: what was read; cas: nil if the value was another */
    uint64_t invoke_ns, return_ns;
    uint32_t invoked, returned; /* events; TP_HISTORY_NO_EVENT: it has not returned */
    uint32_t client;
    enum tp_history_outcome outcome;
};

/** An invocation or a return. */
struct tp_history_event {
    uint32_t op;
    bool is_return;
};

/** All zero gives the defaults. */
struct tp_history_config {
    uint32_t size;                        /* sizeof of this struct; 0: as of version 0.1 */
    uint32_t clients_max;                 /* numbers of clients are below it; 0: 65536 */
    uint32_t ops_max;                     /* 0: 16777216 */
    uint32_t reserved;                    /* 0 */
    uint64_t memory_bytes;                /* 0: 1 GiB */
    const struct tp_allocator *allocator; /* must outlive the history */
};

struct tp_history; /* history_internal.h */

TP_BEGIN_DECLS

/** These bytes; a text without its NUL; true and false as cas gives them; nil is {0}. */
TP_EXPORT struct tp_value tp_value_bytes(const void *bytes, uint32_t len_bytes);
TP_EXPORT struct tp_value tp_value_text(const char *text);
TP_EXPORT struct tp_value tp_value_bool(bool value);

/** Whether both are nil, or hold the same bytes. */
TP_EXPORT bool tp_value_equal(struct tp_value a, struct tp_value b);

/** The name of a kind ("get"). */
TP_EXPORT const char *tp_history_kind_name(enum tp_history_kind kind);

/** An empty one. NULL config: the defaults. 0, or -ENOMEM. */
TP_EXPORT int tp_history_create(const struct tp_history_config *config,
                                struct tp_history **ret_history);

/** NULL is fine. */
TP_EXPORT void tp_history_destroy(struct tp_history *history);

/** What every key holds at first; nil, unless said. 0, or -ENOMEM. */
TP_EXPORT int tp_history_set_initial(struct tp_history *history, struct tp_value value);

/** What was said there. */
TP_EXPORT struct tp_value tp_history_initial(const struct tp_history *history);

/** A client asks. 0, -EINVAL (no such client; time goes back), -EBUSY (its last operation
 * has not returned), -ENOSPC (past ops_max), or -ENOMEM (past memory_bytes). */
TP_EXPORT int tp_history_invoke(struct tp_history *history, uint32_t client,
                                uint64_t time_ns, const struct tp_history_call *call);

/** What the client asked for last has come to this; `result` counts with TP_HISTORY_OK
 * only. 0, -EINVAL (it has not asked; time goes back), or -ENOMEM. */
TP_EXPORT int tp_history_return(struct tp_history *history, uint32_t client,
                                uint64_t time_ns, enum tp_history_outcome outcome,
                                struct tp_value result);

/** Operations, numbered from 0 in the order of their invocations. */
TP_EXPORT uint32_t tp_history_ops(const struct tp_history *history);
/** One of them; good until the next is recorded. */
TP_EXPORT const struct tp_history_op *tp_history_op(const struct tp_history *history,
                                                    uint32_t op);

/** Invocations and returns, numbered from 0 in order. */
TP_EXPORT uint32_t tp_history_events(const struct tp_history *history);
/** One of them. */
TP_EXPORT struct tp_history_event tp_history_event(const struct tp_history *history,
                                                   uint32_t event);

/** Writes it as a text. 0, or -EIO. */
TP_EXPORT int tp_history_write(const struct tp_history *history, FILE *stream);

/** One line, and what is wrong with it. */
struct tp_history_error {
    uint32_t line; /* from 1 */
    const char *what;
};

/** Reads a text, which may hold anything, into a new history. 0; -EINVAL (`*ret_error` says
 * where and why), or -ENOMEM. */
TP_EXPORT int tp_history_read(const struct tp_history_config *config, const void *text,
                              uint64_t len_bytes, struct tp_history **ret_history,
                              struct tp_history_error *ret_error);

TP_END_DECLS

#endif
