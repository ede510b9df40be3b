/** apps/sim/report.h - what many seeds came to: totals, a line per failure, a summary. */
#ifndef TEMPEST_APPS_SIM_REPORT_H
#define TEMPEST_APPS_SIM_REPORT_H

#include <stdio.h>

#include "apps/sim/farm.h"
#include "apps/sim/options.h"

enum { TP_REPORT_FAILURES = 1000 }; /* kept for the JSON, lowest seeds first */

struct tp_report {
    const struct tp_sim_arguments *arguments;
    uint64_t seeds, failed;
    uint64_t operations, events, virtual_ns, spent_ns;
    uint64_t fired[TP_FAMILIES];
    uint64_t drawn[TP_FAMILIES]; /* seeds in which a family was on */
    struct tp_seed_result *failures;
    uint32_t failure_count;
    struct tp_seed_result last; /* the only one, with --seed */
};

/** 0, or -ENOMEM. */
int tp_report_init(struct tp_report *report, const struct tp_sim_arguments *arguments);
void tp_report_deinit(struct tp_report *report);

/** Adds a result. */
void tp_report_add(struct tp_report *report, const struct tp_seed_result *result);

/** One line of a failure, and the command that repeats it. */
void tp_report_failure(const struct tp_report *report, const struct tp_seed_result *result);

/** The summary, on `out`. */
void tp_report_summary(const struct tp_report *report, const struct tp_farm_totals *totals,
                       const struct tp_mark_list *marks, FILE *out);

/** The same as one JSON object. */
void tp_report_json(const struct tp_report *report, const struct tp_farm_totals *totals,
                    const struct tp_mark_list *marks, FILE *out);

#endif
