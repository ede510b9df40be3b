/** apps/sim/linear.h - whether a history is linearizable.
 *
 * It is, when all operations can be put in one order that keeps the real one (what returned
 * before another was invoked comes first) and in which the model gives the results that
 * were given. Of an operation with an unknown outcome only the invocation bounds it: it may
 * be anywhere after that, or nowhere.
 *
 * The search is Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993) with
 * Lowe's cache of what was tried ("Testing for linearizability", 2017), for each key by
 * itself where the model allows it. It never recurs, and is bounded in memory and in steps:
 * past a bound the answer is TP_LINEAR_UNDECIDED, never a guess. Steps are the same
 * everywhere; a program that wants a limit in seconds passes `stop`.
 *
 * What is not linearizable is shown by the shortest prefix of one key's history that
 * already is not, with what had not returned by then taken as unknown.
 */
#ifndef TEMPEST_APPS_SIM_LINEAR_H
#define TEMPEST_APPS_SIM_LINEAR_H

#include "history.h"
#include "model.h"

enum tp_linear_verdict { TP_LINEAR_YES, TP_LINEAR_NO, TP_LINEAR_UNDECIDED };

/** All zero gives the defaults. */
struct tp_linear_config {
    uint32_t size;               /* sizeof of this struct; 0: as of version 0.1 */
    uint32_t state_bytes_max;    /* of one state of the model; 0: 64 KiB */
    uint64_t memory_bytes;       /* 0: 1 GiB */
    uint64_t steps_max;          /* of the model; 0: 1,000,000,000 */
    bool (*stop)(void *context); /* asked every few thousand steps; NULL: never */
    void *context;               /* for `stop` */
    const struct tp_allocator *allocator;
};

struct tp_linear_report {
    enum tp_linear_verdict verdict;
    const char *bound; /* of TP_LINEAR_UNDECIDED: "memory", "steps", "state size", "time" */
    uint64_t steps;    /* of the model */
    uint64_t cached;   /* pairs of (what has happened, state) that were visited */
    uint32_t keys;     /* parts that were searched by themselves */
    uint32_t undecided; /* of these, parts that a bound was in the way of */

    /* Of TP_LINEAR_NO: */
    struct tp_value key;
    uint32_t event_last; /* the prefix ends with this event of the history */
    uint32_t blocked;    /* the operation that returned there, which nothing explains */
    bool is_shortest;    /* no shorter prefix fails; else a bound was in the way */
    uint32_t *order;     /* operations: the longest order that works before that */
    uint32_t order_count;
    uint8_t *state; /* what the model holds after it */
    uint32_t state_len_bytes;

    const struct tp_allocator *allocator;
};

TP_BEGIN_DECLS

/** Checks. NULL config: the defaults. The report is to be given back, whatever it says. */
TP_EXPORT void tp_linear_check(const struct tp_history *history,
                               const struct tp_model *model,
                               const struct tp_linear_config *config,
                               struct tp_linear_report *ret_report);

/** Gives back what a report holds; twice is fine. */
TP_EXPORT void tp_linear_report_deinit(struct tp_linear_report *report);

/** Prints the verdict; for TP_LINEAR_NO with a time line of the prefix's end. */
TP_EXPORT void tp_linear_print(const struct tp_linear_report *report,
                               const struct tp_history *history,
                               const struct tp_model *model, FILE *stream);

TP_END_DECLS

#endif
