#include "apps/sim/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/sim/commands.h"
#include "apps/sim/text.h"

int tp_report_init(struct tp_report *report, const struct tp_sim_arguments *arguments)
{
    memset(report, 0, sizeof *report);
    report->arguments = arguments;
    report->failures = calloc(TP_REPORT_FAILURES, sizeof *report->failures);
    report->kinds = calloc(TP_REPORT_KINDS, sizeof *report->kinds);
    return report->failures == NULL || report->kinds == NULL ? -ENOMEM : 0;
}

void tp_report_deinit(struct tp_report *report)
{
    free(report->failures);
    free(report->kinds);
}

/* Kept in the order of seeds, so that it does not show which was done first. */
static void keep_failure(struct tp_report *report, const struct tp_seed_result *result)
{
    uint32_t at = report->failure_count;

    if (at == TP_REPORT_FAILURES) {
        if (result->seed > report->failures[at - 1].seed)
            return;
        at--;
    } else {
        report->failure_count++;
    }
    for (; at > 0 && report->failures[at - 1].seed > result->seed; at--)
        report->failures[at] = report->failures[at - 1];
    report->failures[at] = *result;
}

static struct tp_report_kind *kind_of(const struct tp_report *report, uint64_t kind)
{
    for (uint32_t i = 0; i < report->kind_count; i++) {
        if (report->kinds[i].kind == kind)
            return &report->kinds[i];
    }
    return NULL;
}

static void count_kind(struct tp_report *report, const struct tp_seed_result *result)
{
    struct tp_report_kind *kind = kind_of(report, result->outcome.kind);

    if (kind == NULL && report->kind_count == TP_REPORT_KINDS) {
        report->other_kinds++;
        return;
    }
    if (kind == NULL) {
        kind = &report->kinds[report->kind_count++];
        *kind = (struct tp_report_kind){result->outcome.kind, 0, *result};
    }
    kind->count++;
    if (result->seed < kind->lowest.seed)
        kind->lowest = *result;
}

void tp_report_add(struct tp_report *report, const struct tp_seed_result *result)
{
    const struct tp_sim_outcome *outcome = &result->outcome;

    report->seeds++;
    report->operations += outcome->operations;
    report->events += outcome->events;
    report->virtual_ns += outcome->virtual_ns;
    report->spent_ns += result->wall_ns;
    for (uint32_t family = 0; family < TP_FAMILIES; family++) {
        report->fired[family] += outcome->fired[family];
        report->drawn[family] += (outcome->drawn & TP_FAMILY_BIT(family)) != 0;
    }
    report->last = *result;
    if (outcome->verdict == TP_VERDICT_PASSED)
        return;
    report->failed++;
    count_kind(report, result);
    keep_failure(report, result);
}

void tp_report_failure(const struct tp_report *report, const struct tp_seed_result *result)
{
    const struct tp_sim_arguments *arguments = report->arguments;
    const struct tp_report_kind *kind = kind_of(report, result->outcome.kind);
    char manner[256];

    if (kind == NULL || kind->count > TP_REPORT_ALIKE)
        return;
    app_say("seed %" PRIu64 ": %s: %s", result->seed,
            tp_verdict_name(result->outcome.verdict), result->outcome.message);
    (void)tp_command_manner(arguments, manner, sizeof manner);
    if (result->outcome.verdict == TP_VERDICT_DIVERGED)
        app_say("    %s run %s --seeds %" PRIu64 "..%" PRIu64 " -j1%s", arguments->typed,
                arguments->scenario->name, arguments->first, result->seed, manner);
    else
        app_say("    %s replay %s --seed %" PRIu64 "%s", arguments->typed,
                arguments->scenario->name, result->seed, manner);
}

/* ------------------------------------------------------------------ the summary */

/* Whether a mark of the same name held, or was listed already. */
static bool is_missing(const struct tp_farm_totals *totals,
                       const struct tp_mark_list *marks, size_t index)
{
    for (size_t i = 0; i < tp_batch_mark_count(marks); i++) {
        if (strcmp(marks->first[i]->name, marks->first[index]->name) == 0 &&
            (totals->reached[i] || i < index))
            return false;
    }
    return true;
}

void tp_report_faults(const uint64_t fired[TP_FAMILIES], FILE *out)
{
    char count[APP_TEXT_BYTES];
    bool any = false;

    (void)fprintf(out, "faults:");
    for (uint32_t family = 0; family < TP_FAMILIES; family++) {
        if (fired[family] == 0)
            continue;
        (void)fprintf(out, "%s %s %s", any ? "," : "", tp_family_name(family),
                      app_count(fired[family], count, sizeof count));
        any = true;
    }
    (void)fprintf(out, "%s\n", any ? "" : " none");
}

static void print_families(const struct tp_report *report, FILE *out)
{
    bool any = false;

    tp_report_faults(report->fired, out);
    for (uint32_t family = 0; family < TP_FAMILIES; family++) {
        if (report->drawn[family] == 0 || report->fired[family] > 0 ||
            family == TP_FAMILY_SLOW)
            continue;
        (void)fprintf(out, "%s %s",
                      any ? "," : "never fired, though on:", tp_family_name(family));
        any = true;
    }
    if (any)
        (void)fputc('\n', out);
}

/* A tenth is enough to compare by. */
static void print_ratio(uint64_t virtual_ns, uint64_t real_ns, FILE *out)
{
    uint64_t tenths = virtual_ns / (real_ns / 10 + 1);

    (void)fprintf(out, "%" PRIu64 ".%" PRIu64 " times real time", tenths / 10, tenths % 10);
}

/* The length of a file's directory. */
static size_t room_len(const char *file)
{
    const char *slash = strrchr(file, '/');

    return slash == NULL ? 0 : (size_t)(slash - file);
}

static bool are_in_one_room(const char *file, const char *other)
{
    return room_len(other) == room_len(file) && strncmp(other, file, room_len(file)) == 0;
}

/* Whether a mark has to do with what has run: one of its directory was reached, or there
 * are no others. A program may hold more than one scenario. */
static bool concerns(const struct tp_farm_totals *totals, const struct tp_mark_list *marks,
                     size_t mark)
{
    const char *file = marks->first[mark]->file;
    bool others = false;

    for (size_t i = 0; i < tp_batch_mark_count(marks); i++) {
        bool is_one = are_in_one_room(file, marks->first[i]->file);

        if (is_one && totals->reached[i])
            return true;
        others = others || !is_one;
    }
    return !others;
}

/* What was not told one by one. */
static void print_kinds(const struct tp_report *report, FILE *out)
{
    char count[APP_TEXT_BYTES];

    for (uint32_t i = 0; i < report->kind_count; i++) {
        const struct tp_report_kind *kind = &report->kinds[i];
        const char *message = kind->lowest.outcome.message;

        if (kind->count <= TP_REPORT_ALIKE)
            continue;
        (void)fprintf(out, "%s failed like seed %" PRIu64 ": %s: %.*s\n",
                      app_count(kind->count, count, sizeof count), kind->lowest.seed,
                      tp_verdict_name(kind->lowest.outcome.verdict),
                      (int)strcspn(message, "\n"), message);
    }
    if (report->other_kinds > 0)
        (void)fprintf(out, "%s failed in yet other ways\n",
                      app_count(report->other_kinds, count, sizeof count));
}

/* The seed of which most is to be had, and how to ask for it. What has gone wrong with one
 * that diverged is in no run of its own. */
static void print_lowest(const struct tp_report *report, FILE *out)
{
    const struct tp_sim_arguments *arguments = report->arguments;
    uint32_t lowest = 0;
    char manner[256];

    while (lowest < report->failure_count &&
           report->failures[lowest].outcome.verdict == TP_VERDICT_DIVERGED)
        lowest++;
    (void)fprintf(out, "the lowest seed that failed: %" PRIu64 "\n",
                  report->failures[0].seed);
    if (lowest == report->failure_count) {
        (void)fputs(
            "each gives another trace alone: look for what a run leaves to the next, in "
            "static variables, say\n",
            out);
        return;
    }
    (void)fprintf(out, "to be told why:\n  %s explain %s --seed %" PRIu64 "%s\n",
                  arguments->typed, arguments->scenario->name,
                  report->failures[lowest].seed,
                  tp_command_manner(arguments, manner, sizeof manner));
}

void tp_report_summary(const struct tp_report *report, const struct tp_farm_totals *totals,
                       const struct tp_mark_list *marks, FILE *out)
{
    char seeds[APP_TEXT_BYTES], failed[APP_TEXT_BYTES], time[APP_TEXT_BYTES];
    char operations[APP_TEXT_BYTES], simulated[APP_TEXT_BYTES];

    (void)fprintf(
        out, "%s: %s seed%s, %s failed, in %s\n", report->arguments->scenario->name,
        app_count(report->seeds, seeds, sizeof seeds), report->seeds == 1 ? "" : "s",
        app_count(report->failed, failed, sizeof failed),
        app_duration(totals->elapsed_ns, time, sizeof time));
    (void)fprintf(out, "%s operations, %s simulated, ",
                  app_count(report->operations, operations, sizeof operations),
                  app_duration(report->virtual_ns, simulated, sizeof simulated));
    print_ratio(report->virtual_ns, totals->elapsed_ns, out);
    (void)fputc('\n', out);
    print_families(report, out);
    for (size_t i = 0; i < tp_batch_mark_count(marks); i++) {
        if (is_missing(totals, marks, i) && concerns(totals, marks, i))
            (void)fprintf(out, "never reached: %s (%s:%u)\n", marks->first[i]->name,
                          marks->first[i]->file, marks->first[i]->line);
    }
    print_kinds(report, out);
    if (report->failed > 0 && !report->arguments->one_seed)
        print_lowest(report, out);
    if (report->failed == 0 && report->arguments->until_failure &&
        app_signals_caught() == 0)
        (void)fprintf(out, "no seed that fails was found\n");
    if (!report->arguments->one_seed || report->seeds == 0)
        return;
    (void)fprintf(out, "trace %016" PRIx64 ", ended in %s\n", report->last.outcome.trace,
                  tp_phase_name(report->last.outcome.phase));
}

/* ------------------------------------------------------------------ JSON */

static void print_faults(const uint64_t *fired, FILE *out)
{
    bool any = false;

    (void)fputs("\"faults\": {", out);
    for (uint32_t family = 0; family < TP_FAMILIES; family++) {
        if (fired[family] == 0)
            continue;
        (void)fprintf(out, "%s\"%s\": %" PRIu64, any ? ", " : "", tp_family_name(family),
                      fired[family]);
        any = true;
    }
    (void)fputc('}', out);
}

static void print_seed(const struct tp_seed_result *result, FILE *out)
{
    const struct tp_sim_outcome *outcome = &result->outcome;

    (void)fprintf(out, "\"seed\": %" PRIu64 ", \"verdict\": \"%s\", \"phase\": \"%s\", ",
                  result->seed, tp_verdict_name(outcome->verdict),
                  tp_phase_name(outcome->phase));
    (void)fputs("\"message\": ", out);
    tp_text_json(outcome->message, out);
    (void)fprintf(out,
                  ", \"trace_hash\": \"%016" PRIx64 "\", \"operations\": %" PRIu64
                  ", \"events\": %" PRIu64 ", \"virtual_ns\": %" PRIu64
                  ", \"wall_ns\": %" PRIu64 ", ",
                  outcome->trace, outcome->operations, outcome->events, outcome->virtual_ns,
                  result->wall_ns);
    print_faults(outcome->fired, out);
}

static void print_totals(const struct tp_report *report,
                         const struct tp_farm_totals *totals,
                         const struct tp_mark_list *marks, FILE *out)
{
    bool any = false;

    (void)fprintf(
        out,
        "\"seeds\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"operations\": %" PRIu64
        ", \"events\": %" PRIu64 ", \"virtual_ns\": %" PRIu64 ", \"wall_ns\": %" PRIu64
        ", \"spent_ns\": %" PRIu64 ", \"repeated\": %" PRIu64 ", \"interrupted\": %s, ",
        report->seeds, report->failed, report->operations, report->events,
        report->virtual_ns, totals->elapsed_ns, report->spent_ns, totals->repeated,
        app_signals_caught() != 0 ? "true" : "false");
    print_faults(report->fired, out);
    (void)fputs(", \"never_reached\": [", out);
    for (size_t i = 0; i < tp_batch_mark_count(marks); i++) {
        if (!is_missing(totals, marks, i) || !concerns(totals, marks, i))
            continue;
        (void)fputs(any ? ", " : "", out);
        tp_text_json(marks->first[i]->name, out);
        any = true;
    }
    (void)fputs("], \"failures\": [", out);
    for (uint32_t i = 0; i < report->failure_count; i++) {
        (void)fputs(i > 0 ? ", {" : "{", out);
        print_seed(&report->failures[i], out);
        (void)fputc('}', out);
    }
    (void)fputc(']', out);
}

void tp_report_json(const struct tp_report *report, const struct tp_farm_totals *totals,
                    const struct tp_mark_list *marks, FILE *out)
{
    (void)fputs("{\"scenario\": ", out);
    tp_text_json(report->arguments->scenario->name, out);
    (void)fputs(", ", out);
    if (report->arguments->one_seed && report->seeds > 0)
        print_seed(&report->last, out);
    else
        print_totals(report, totals, marks, out);
    (void)fputs("}\n", out);
}
