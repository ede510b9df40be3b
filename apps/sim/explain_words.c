/* An explanation in words. */
#include "apps/sim/explain.h"
#include "apps/sim/words.h"

const char *tp_explain_kind(const struct tp_explain *explain)
{
    switch (explain->how) {
    case TP_EXPLAINED_NOT:
        return "none";
    case TP_EXPLAINED_BARRIER:
    case TP_EXPLAINED_TWO:
        return explain->barriers[0].ghost.names ? "sync_dir" : "fsync";
    case TP_EXPLAINED_UNHEARD:
    case TP_EXPLAINED_ERROR:
        return "error";
    case TP_EXPLAINED_CHOICE:
        return "choice";
    }
    tp_unreachable();
}

const struct tp_record *tp_explain_site(const struct tp_explain *explain)
{
    return explain->barrier_count > 0 ? &explain->barriers[0].after : &explain->failed;
}

static void print_barrier(const struct tp_explained_barrier *barrier, FILE *out)
{
    char words[256];

    (void)fprintf(out, "missing: %s, on node %u\n",
                  barrier->ghost.names ? "a sync of the directory (tp_sync_dir)"
                                       : "a sync of the file (tp_fsync)",
                  barrier->ghost.node);
    (void)fprintf(out, "  after: %s\n",
                  tp_record_operation(&barrier->after, words, sizeof words));
    (void)fprintf(out, "  before %s%s\n",
                  barrier->before == TP_BEFORE_PROMISE ? "it is promised: "
                  : barrier->before == TP_BEFORE_SAME  ? "the next change of the same"
                                                       : "the next change of another",
                  barrier->promise.text);
}

static void print_failed(const struct tp_record *failed, FILE *out)
{
    char words[256];

    (void)fprintf(out, "  %s = %s\n", tp_record_operation(failed, words, sizeof words),
                  failed->result < 0 ? tp_errno_name(failed->result) : "fewer bytes");
}

void tp_explain_print(const struct tp_explain *explain, FILE *out)
{
    (void)fprintf(out, "%s: %s\n", tp_verdict_name(explain->outcome.verdict),
                  explain->outcome.message);
    switch (explain->how) {
    case TP_EXPLAINED_BARRIER:
    case TP_EXPLAINED_TWO:
        (void)fprintf(out, "not durable when the power was cut: %s\n", explain->unkept);
        for (uint32_t i = 0; i < explain->barrier_count; i++)
            print_barrier(&explain->barriers[i], out);
        return;
    case TP_EXPLAINED_UNHEARD:
        (void)fprintf(out,
                      "not durable when the power was cut: %s\n"
                      "the barrier is there, and failed, which is not borne:\n",
                      explain->unkept);
        print_failed(&explain->failed, out);
        return;
    case TP_EXPLAINED_ERROR:
        (void)fputs("no missing barrier was found; it passes if this does not fail:\n",
                    out);
        print_failed(&explain->failed, out);
        return;
    case TP_EXPLAINED_CHOICE:
        (void)fputs("no missing barrier was found; it passes if this choice is 0:\n", out);
        tp_words_choice(explain->choice_stream, explain->choice_index, &explain->choice,
                        out);
        return;
    case TP_EXPLAINED_NOT:
        (void)fprintf(out, "not explained\n");
        return;
    }
}
