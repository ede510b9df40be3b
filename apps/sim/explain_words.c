/* What was found, in words. */
#include "apps/sim/explain_internal.h"

#include <stdlib.h>
#include <string.h>

#include "apps/sim/text.h"
#include "apps/sim/words.h"

const char *tp_explain_kind(const struct tp_explain *explain)
{
    switch (explain->how) {
    case TP_EXPLAINED_NOT:
        return "none";
    case TP_EXPLAINED_BARRIER:
        return explain->barriers[0].ghost.names ? "sync_dir" : "fsync";
    case TP_EXPLAINED_WAIT:
        return "wait";
    case TP_EXPLAINED_TORN:
        return "torn";
    case TP_EXPLAINED_EARLY:
        return "early";
    case TP_EXPLAINED_UNHEARD:
    case TP_EXPLAINED_ERROR:
        return "error";
    case TP_EXPLAINED_CHOICE:
        return "choice";
    case TP_EXPLAINED_RESTART:
        return "restart";
    }
    tp_unreachable();
}

uint32_t tp_explain_missing(const struct tp_explain *explain)
{
    uint32_t missing = explain->barriers_more;

    for (uint32_t i = 0; i < explain->barrier_count; i++)
        missing += explain->barriers[i].times;
    return missing;
}

const struct tp_record *tp_explain_site(const struct tp_explain *explain)
{
    if (explain->how == TP_EXPLAINED_EARLY)
        return &explain->told;
    if (explain->how == TP_EXPLAINED_TORN && explain->read.file != NULL)
        return &explain->read;
    if (explain->how == TP_EXPLAINED_CHOICE && explain->where.file != NULL)
        return &explain->where;
    if (explain->how == TP_EXPLAINED_CHOICE && explain->undone_count > 0)
        return &explain->undone[0];
    if (explain->how == TP_EXPLAINED_CHOICE && explain->wait_count > 0)
        return explain->waits[0].record.kind == TP_FACT_END ? &explain->waits[0].last
                                                            : &explain->waits[0].record;
    if (explain->how == TP_EXPLAINED_RESTART)
        return &explain->noticed;
    if (explain->how == TP_EXPLAINED_WAIT)
        return &explain->failed;
    return explain->barrier_count > 0 ? &explain->barriers[0].after : &explain->failed;
}

static void print_unkept(const struct tp_explain *explain, FILE *out)
{
    (void)fprintf(out, "not durable when %s: %s\n",
                  !explain->by_sync  ? "the power was cut"
                  : !explain->by_cut ? "a sync failed"
                                     : "the power was cut, or a sync failed",
                  explain->unkept);
}

static void print_next(const struct tp_explained_barrier *barrier, FILE *out)
{
    char words[256];

    if (barrier->before == TP_BEFORE_PROMISE)
        (void)fprintf(out, "  before it is promised: %s\n", barrier->next.text);
    else if (barrier->before == TP_BEFORE_TOLD)
        (void)fprintf(out, "  before others are told: %s\n",
                      tp_record_operation(&barrier->next, words, sizeof words));
    else
        (void)fprintf(out, "  before the next change of %s: %s\n",
                      barrier->before == TP_BEFORE_SAME ? "the same" : "another",
                      tp_record_operation(&barrier->next, words, sizeof words));
}

const char *tp_explain_own(const struct tp_explained_barrier *barrier, char *ret_text,
                           size_t size_bytes)
{
    static const char *const ways[] = {
        [TP_OWN_FAILED] = "which failed, and that is not borne",
        [TP_OWN_LATE] = "which is not waited for",
        [TP_OWN_OVERTAKES] = "which was begun while that was under way"};
    char words[256];

    *ret_text = '\0';
    if (barrier->own_how != TP_OWN_NONE)
        (void)snprintf(ret_text, size_bytes, "there is one, %s: %s", ways[barrier->own_how],
                       tp_record_operation(&barrier->own, words, sizeof words));
    return ret_text;
}

static void print_barrier(const struct tp_explained_barrier *barrier, FILE *out)
{
    char words[256], own[320];

    (void)fprintf(out, "missing: %s, on node %u\n",
                  barrier->ghost.to ? "a sync of the new name's directory (tp_sync_dir)"
                  : barrier->ghost.names ? "a sync of the directory (tp_sync_dir)"
                                         : "a sync of the file (tp_fsync)",
                  barrier->ghost.node);
    (void)fprintf(out, "  after: %s",
                  tp_record_operation(&barrier->after, words, sizeof words));
    if (barrier->times > 1)
        (void)fprintf(out, ", and %u more at the same line", barrier->times - 1);
    (void)fputc('\n', out);
    print_next(barrier, out);
    if (barrier->own_how != TP_OWN_NONE)
        (void)fprintf(out, "  %s\n", tp_explain_own(barrier, own, sizeof own));
}

/* Several are told of which none can be done without. */
static void print_barriers(const struct tp_explain *explain, FILE *out)
{
    uint32_t missing = tp_explain_missing(explain);

    print_unkept(explain, out);
    if (missing > 1)
        (void)fprintf(out, "%u barriers are missing, %s:\n", missing,
                      explain->has_more
                          ? "or some of them: that was ended before it was known which"
                          : "and without any of them it fails");
    for (uint32_t i = 0; i < explain->barrier_count; i++)
        print_barrier(&explain->barriers[i], out);
    if (explain->barriers_more > 0)
        (void)fprintf(out, "and %u more at other lines\n", explain->barriers_more);
}

static void print_overtaken(const struct tp_explain *explain, FILE *out)
{
    const struct tp_record *overtakes = &explain->overtakes;
    bool is_promise = overtakes->kind == TP_FACT_PROMISE;
    char words[256];

    if (!is_promise) {
        print_unkept(explain, out);
        (void)fputs("the barrier is there, and overtakes it: ", out);
    }
    (void)fprintf(out, "wait until this has completed\n  %s\n",
                  tp_record_operation(&explain->failed, words, sizeof words));
    if (is_promise)
        (void)fprintf(out, "  before it is promised: %s\n", overtakes->text);
    else
        (void)fprintf(out, "  before this is begun: %s\n",
                      tp_record_operation(overtakes, words, sizeof words));
}

static void print_wait(const struct tp_explain *explain, FILE *out)
{
    char words[256];

    if (explain->overtakes.at_ns != 0) {
        print_overtaken(explain, out);
        return;
    }
    print_unkept(explain, out);
    (void)fprintf(out,
                  "the barrier is there, and is not waited for: wait until this has "
                  "completed\n  %s\n",
                  tp_record_operation(&explain->failed, words, sizeof words));
    print_next(&explain->barriers[0], out);
}

static void print_failed(const struct tp_record *failed, FILE *out)
{
    char words[256];

    (void)fprintf(out, "  %s = %s\n", tp_record_operation(failed, words, sizeof words),
                  failed->result < 0 ? tp_errno_name(failed->result) : "fewer bytes");
}

static void print_torn(const struct tp_explain *explain, FILE *out)
{
    char words[256];

    (void)fprintf(
        out,
        "the power was cut when this was not durable yet, and what was left of it is "
        "not borne:\n  %s\n",
        tp_record_operation(&explain->barriers[0].after, words, sizeof words));
    if (explain->read.file != NULL)
        (void)fprintf(out, "it is looked at again by:\n  %s\n",
                      tp_record_operation(&explain->read, words, sizeof words));
}

static void print_early(const struct tp_explain *explain, FILE *out)
{
    char words[256];

    (void)fprintf(out, "node %u told others too early:\n  %s\n", explain->told.node - 1,
                  tp_record_operation(&explain->told, words, sizeof words));
    if (explain->failed.result < 0) {
        (void)fputs("it does not wait for this, which failed behind it:\n", out);
        print_failed(&explain->failed, out);
        return;
    }
    (void)fprintf(out,
                  "it does not wait for this, before which the process came to its end:\n"
                  "  %s\n",
                  tp_record_operation(&explain->failed, words, sizeof words));
}

static void print_chance(const struct tp_explain *explain, FILE *out)
{
    if (explain->is_chance)
        (void)fputs(
            "that may be chance: where things take other times from there on, it hardly "
            "fails with it, or fails without it, too\n",
            out);
}

static void print_recovery(const struct tp_explain *explain, FILE *out)
{
    if (explain->in_recovery)
        (void)fputs(
            "that is in a recovery: the process was started again, and has promised "
            "nothing since\n",
            out);
}

/* ------------------------------------------------------------------ all of it */

/* What the mildest choice makes of an event. */
static const char *without_event(const struct tp_explain *explain)
{
    switch (explain->choice.kind) {
    case TP_DRAW_WHEN:
    case TP_DRAW_AIM:
        return "comes at another moment";
    case TP_DRAW_SPAN:
        return "is shorter, or less";
    case TP_DRAW_CLOCK:
        return "is not so";
    case TP_DRAW_EVENT: /* whom it befalls is drawn last, and whether it does is not */
        return explain->choice_index + 1 == explain->event.events ? "befalls another one"
                                                                  : "does not happen";
    default:
        return "does not happen";
    }
}

/* What befalls a node or the links, in the words of the record; or which operation. */
static void print_choice(const struct tp_explain *explain, FILE *out)
{
    const struct tp_record *event = &explain->event;
    const struct tp_record *where = &explain->where;
    char words[256];

    (void)fprintf(out, "no missing barrier was found; it passes if this %s:\n",
                  event->text[0] != '\0' ? without_event(explain) : "choice is 0");
    if (event->text[0] != '\0')
        (void)fprintf(out, "  at %.6f s, %s (node %u)\n", (double)event->at_ns / 1e9,
                      event->text, event->node == 0 ? event->detail : event->node - 1);
    if (where->file != NULL)
        (void)fprintf(out, "  %s: %s\n",
                      event->text[0] == '\0'                 ? "at"
                      : where->stage == TP_VIRTUAL_COMPLETED ? "after"
                                                             : "while in flight",
                      tp_record_operation(where, words, sizeof words));
    if (explain->undone_count > 0)
        (void)fputs("  under way when the process ended, and then done or not:\n", out);
    for (uint32_t i = 0; i < explain->undone_count; i++)
        (void)fprintf(out, "    %s\n",
                      tp_record_operation(&explain->undone[i], words, sizeof words));
    tp_words_choice(explain->choice_stream, explain->choice_index, &explain->choice, out);
    print_chance(explain, out);
    print_recovery(explain, out);
}

/* What it stopped at; the first line has said why. */
static void print_stop(const struct tp_explain *explain, FILE *out)
{
    const char *what = "its process came to an end in the midst of the run";

    if (explain->last.node == 0)
        return;
    if (explain->outcome.verdict == TP_VERDICT_STOPPED)
        what =
            strstr(explain->outcome.message, "(law ") != NULL
                ? "the program broke a law of the runtime (docs/laws.md), which stopped it"
                : "the program stopped itself: what it asserts there was not true";
    else if (explain->outcome.verdict == TP_VERDICT_SANITIZER)
        what = "the program did what C does not allow, and was stopped";
    (void)fprintf(out, "%s; the last that is known of it before that:\n", what);
    tp_record_print(&explain->last, out);
}

static void print_found(const struct tp_explain *explain, FILE *out)
{
    switch (explain->how) {
    case TP_EXPLAINED_BARRIER:
        print_barriers(explain, out);
        return;
    case TP_EXPLAINED_UNHEARD:
        print_unkept(explain, out);
        (void)fputs("the barrier is there, and failed, which is not borne:\n", out);
        print_failed(&explain->failed, out);
        return;
    case TP_EXPLAINED_WAIT:
        print_wait(explain, out);
        return;
    case TP_EXPLAINED_TORN:
        print_torn(explain, out);
        return;
    case TP_EXPLAINED_EARLY:
        print_early(explain, out);
        return;
    case TP_EXPLAINED_ERROR:
        (void)fputs("no missing barrier was found; it passes if this does not fail:\n",
                    out);
        print_failed(&explain->failed, out);
        print_chance(explain, out);
        print_recovery(explain, out);
        return;
    case TP_EXPLAINED_CHOICE:
        print_choice(explain, out);
        return;
    case TP_EXPLAINED_RESTART:
        (void)fputs(
            "no missing barrier was found; it passes if the power is not cut at the "
            "end, and fails even if that cut takes nothing:\n"
            "  what was known by then has not been written, or is not understood "
            "when it is read again; or what is done behind a start is wrong by itself\n",
            out);
        return;
    case TP_EXPLAINED_NOT:
        (void)fprintf(
            out, "not explained%s\n",
            explain->is_whole
                ? " by anything that befell it: no fault, cut or other choice was "
                  "found without which it passes"
                : ": that was ended before all had been tried");
        return;
    }
}

void tp_explain_print(const struct tp_explain *explain, FILE *out)
{
    (void)fprintf(out, "%s: %s\n", tp_verdict_name(explain->outcome.verdict),
                  explain->outcome.message);
    print_stop(explain, out);
    print_found(explain, out);
    if (explain->how != TP_EXPLAINED_EARLY)
        tp_explain_print_after(explain, out);
}

bool tp_explain_json(const struct tp_explain *explain, FILE *out)
{
    char *text = NULL;
    size_t len;
    FILE *memory = open_memstream(&text, &len);
    bool good;

    if (memory == NULL)
        return false;
    tp_explain_print(explain, memory);
    good = fclose(memory) == 0;
    if (good)
        tp_text_json(text, out);
    free(text);
    return good;
}
