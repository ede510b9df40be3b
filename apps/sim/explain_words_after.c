/* What the program did with what was found, in words. */
#include "apps/sim/explain_internal.h"

#include <inttypes.h>
#include <string.h>

#include "apps/sim/text.h"

static void print_operation(const struct tp_record *record, FILE *out)
{
    char words[256];

    (void)fprintf(out, "  %s", tp_record_operation(record, words, sizeof words));
    if (record->stage != TP_VIRTUAL_BEGUN && record->result < 0)
        (void)fprintf(out, " = %s", tp_errno_name(record->result));
    else if (record->stage != TP_VIRTUAL_BEGUN)
        (void)fprintf(out, " = %d", record->result);
}

static void print_next_step(const struct tp_explain *explain, FILE *out)
{
    if (explain->next.node != 0 && explain->next.kind == TP_FACT_END)
        (void)fprintf(out, "upon that the process ends: %s\n", explain->next.text);
    else if (explain->next.node != 0) {
        (void)fputs("the program goes on with:\n", out);
        print_operation(&explain->next, out);
        (void)fputc('\n', out);
    }
    if (explain->is_believed)
        (void)fputs(
            "which brings nothing back: what the failed sync has lost stays lost, and "
            "has to be written anew\n",
            out);
    if (explain->promise.text[0] != '\0')
        (void)fprintf(out, "and promises: %s\n", explain->promise.text);
    if (explain->noticed.file != NULL) {
        (void)fprintf(out, "the run fails when this has completed, on node %u:\n",
                      explain->noticed.node - 1);
        print_operation(&explain->noticed, out);
        (void)fputc('\n', out);
    }
}

static void print_wait_of(const struct tp_explained_wait *wait, FILE *out)
{
    uint32_t node = wait->record.node - 1;

    if (wait->record.kind == TP_FACT_END) {
        (void)fprintf(out, "node %u is down: its process ends (%s), %u %s in a row%s\n",
                      node, wait->record.text, wait->times,
                      wait->times == 1 ? "time" : "times",
                      wait->last.file == NULL ? "" : ", after:");
        if (wait->last.file == NULL)
            return;
        print_operation(&wait->last, out);
    } else {
        (void)fprintf(out, "node %u %s:\n", node,
                      wait->record.stage == TP_VIRTUAL_BEGUN ? "waits for"
                                                             : "waits in vain for");
        print_operation(&wait->record, out);
        if (wait->times > 1)
            (void)fprintf(out, ", %u times", wait->times);
    }
    (void)fputc('\n', out);
}

/* The place of the check that failed, as the message has it: "file.c:12"; "" if there is
 * none, or it is not known to be behind a read of the same process. */
static const char *check_of(const struct tp_explain *explain, char *ret_text,
                            size_t size_bytes)
{
    const char *message = explain->outcome.message;
    size_t len = strcspn(message, ": ");

    *ret_text = '\0';
    if (explain->noticed.node != explain->doubtful.node || message[len] != ':')
        return ret_text;
    len += 1 + strspn(message + len + 1, "0123456789");
    if (message[len] == ':' && len < size_bytes)
        (void)snprintf(ret_text, size_bytes, "%.*s", (int)len, message);
    return ret_text;
}

/* A line that only computes is no operation: between which two it is, if that is known. */
static void print_between(const struct tp_explain *explain, FILE *out)
{
    const struct tp_record *read = &explain->doubtful;
    char check[64];

    if (*check_of(explain, check, sizeof check) != '\0')
        (void)fprintf(
            out,
            "so between that read (%s:%u) and the check that fails (%s) it has to be "
            "noticed, and borne\n",
            tp_text_base(read->file), read->line, check);
    else
        (void)fprintf(out,
                      "so behind that read (%s:%u) it has to be noticed, and borne, "
                      "before anything is built on it\n",
                      tp_text_base(read->file), read->line);
}

/* What was relied on, and behind which line that is to be seen. */
static void print_doubtful(const struct tp_explain *explain, FILE *out)
{
    static const char *const ways[] = {[TP_SHADOW_OTHER] = "something else",
                                       [TP_SHADOW_MISSING] = "not there",
                                       [TP_SHADOW_ZERO] = "0",
                                       [TP_SHADOW_BEFORE] = "what was there before"};
    const struct tp_record *read = &explain->doubtful;
    const struct tp_shadow_found *found = &read->found;
    bool is_down = explain->wait_count > 0 && explain->waits[0].record.kind == TP_FACT_END;
    char words[256];

    (void)fprintf(out, "what was read is not what had been written there:\n  %s\n",
                  tp_record_operation(read, words, sizeof words));
    (void)fprintf(out, "%u byte%s, the first at %" PRIu64 ", %s %s, of this:\n",
                  found->differs, found->differs == 1 ? "" : "s", found->at,
                  found->differs == 1 ? "is" : "are", ways[tp_shadow_way(found)]);
    (void)fprintf(out, "  %s\n",
                  tp_record_operation(&explain->written, words, sizeof words));
    if (is_down)
        (void)fprintf(out,
                      "no start gets past that: behind that read (%s:%u) the program has "
                      "to do without these bytes\n",
                      tp_text_base(read->file), read->line);
    else if (explain->promise.text[0] == '\0' && explain->how != TP_EXPLAINED_UNHEARD)
        print_between(explain, out); /* else it should not have come to that */
}

/* All is as it was written, and yet it is not borne together. */
static void print_sources(const struct tp_explain *explain, FILE *out)
{
    bool is_restart = explain->how == TP_EXPLAINED_RESTART;
    char words[256];

    (void)fprintf(out, "what was read after that is as it had been written%s:\n",
                  is_restart ? "" : ", and is not borne together");
    for (uint32_t i = 0; i < explain->source_count; i++) {
        const struct tp_explained_source *source = &explain->sources[i];

        (void)fprintf(out, "  %s\n",
                      tp_record_operation(&source->read, words, sizeof words));
        (void)fprintf(out, "    of: %s\n",
                      tp_record_operation(&source->write, words, sizeof words));
    }
    if (is_restart)
        return;
    (void)fputs("that recovery had come half-way, and is done once more: done twice it has "
                "to come to the same\n",
                out);
}

void tp_explain_print_after(const struct tp_explain *explain, FILE *out)
{
    print_next_step(explain, out);
    for (uint32_t i = 0; i < explain->wait_count; i++)
        print_wait_of(&explain->waits[i], out);
    if (explain->how == TP_EXPLAINED_UNHEARD && explain->next.kind == TP_FACT_END)
        (void)fputs(
            "the next process reads it all the same, from memory: what it relies on "
            "has to be written anew, not only synced\n",
            out);
    if (explain->doubtful.node != 0)
        print_doubtful(explain, out);
    else if (explain->source_count > 0)
        print_sources(explain, out);
    if (explain->told.file == NULL)
        return;
    (void)fprintf(out,
                  "it passes, too, if nothing arrives that node %u sends from here on, at "
                  "%.6f s%s:\n",
                  explain->told.node - 1, (double)explain->told.at_ns / 1e9,
                  explain->how == TP_EXPLAINED_ERROR ? ", which is before that has failed"
                                                     : "");
    print_operation(&explain->told, out);
    (void)fputc('\n', out);
}
