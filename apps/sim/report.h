/** apps/sim/report.h - what many seeds came to: totals, a line per failure, a summary. */
#ifndef TEMPEST_APPS_SIM_REPORT_H
#define TEMPEST_APPS_SIM_REPORT_H

#include <stdio.h>

#include "apps/sim/farm.h"
#include "apps/sim/options.h"

enum {
    TP_REPORT_FAILURES = 1000, /* kept for the JSON, lowest seeds first */
    TP_REPORT_ALIKE = 3,       /* failures of one kind that are told one by one */
    TP_REPORT_KINDS = 64,      /* that are told at all */
};

/** Failures of one kind. */
struct tp_report_kind {
    uint64_t kind, count;
    struct tp_seed_result lowest; /* seed */
};

struct tp_report {
    const struct tp_sim_arguments *arguments;
    uint64_t seeds, failed;
    uint64_t operations, events, virtual_ns, spent_ns;
    uint64_t fired[TP_FAMILIES];
    uint64_t drawn[TP_FAMILIES]; /* seeds in which a family was on */
    struct tp_seed_result *failures;
    uint32_t failure_count;
    struct tp_report_kind *kinds;
    uint32_t kind_count;
    uint64_t other_kinds;       /* failures that found no room among them */
    struct tp_seed_result last; /* the only one, with --seed */
};

/** 0, or -ENOMEM. */
int tp_report_init(struct tp_report *report, const struct tp_sim_arguments *arguments);
void tp_report_deinit(struct tp_report *report);

/** Adds a result. */
void tp_report_add(struct tp_report *report, const struct tp_seed_result *result);

/** One line of a failure, and the command that repeats it; after the first few of its kind
 * nothing: the summary says how many there were. It has been added. */
void tp_report_failure(const struct tp_report *report, const struct tp_seed_result *result);

/** The summary, on `out`. */
void tp_report_summary(const struct tp_report *report, const struct tp_farm_totals *totals,
                       const struct tp_mark_list *marks, FILE *out);

/** The same as one JSON object. */
void tp_report_json(const struct tp_report *report, const struct tp_farm_totals *totals,
                    const struct tp_mark_list *marks, FILE *out);

/** What went wrong, by family and how often: "faults: kill 2, power 1", and a newline. */
void tp_report_faults(const uint64_t fired[TP_FAMILIES], FILE *out);

#endif
