#include "apps/sim/engine/why.h"

#include "apps/sim/text.h"

static void write_text(const char *name, const char *text, FILE *out)
{
    (void)fprintf(out, ",\"%s\":", name);
    tp_text_json(text, out);
}

static const char *before_of(const struct tp_explained_barrier *barrier)
{
    switch (barrier->before) {
    case TP_BEFORE_PROMISE:
        return "promise";
    case TP_BEFORE_SAME:
        return "same";
    case TP_BEFORE_OTHER:
        return "other";
    case TP_BEFORE_TOLD:
        return "told";
    case TP_BEFORE_NOTHING:
        break;
    }
    return "";
}

static void write_barriers(const struct tp_explain *explain, FILE *out)
{
    char words[320];

    (void)fputs(",\"barriers\":[", out);
    for (uint32_t i = 0; i < explain->barrier_count; i++) {
        const struct tp_explained_barrier *barrier = &explain->barriers[i];
        const struct tp_record *after = &barrier->after;

        (void)fprintf(out, "%s{\"names\":%s,\"times\":%u", i == 0 ? "" : ",",
                      barrier->ghost.names ? "true" : "false", barrier->times);
        write_text("after", tp_record_operation(after, words, sizeof words), out);
        write_text("path", after->text, out);
        write_text("file", after->file == NULL ? "" : tp_text_base(after->file), out);
        (void)fprintf(out, ",\"line\":%u", after->line);
        write_text("before", before_of(barrier), out);
        write_text("promise",
                   barrier->before == TP_BEFORE_PROMISE ? barrier->next.text : "", out);
        write_text("own", tp_explain_own(barrier, words, sizeof words), out);
        (void)fputc('}', out);
    }
    (void)fputc(']', out);
}

void engine_why_write(const struct tp_explain *explain, FILE *out)
{
    const struct tp_record *site = tp_explain_site(explain);
    char words[256];

    (void)fprintf(out, "\"kind\":\"%s\",\"text\":", tp_explain_kind(explain));
    if (!tp_explain_json(explain, out))
        tp_stop(__FILE__, __LINE__, "no memory for an explanation");
    write_text("verdict", tp_verdict_name(explain->outcome.verdict), out);
    write_text("message", explain->outcome.message, out);
    write_text("lost", explain->unkept, out);
    (void)fprintf(out, ",\"chance\":%s", explain->is_chance ? "true" : "false");
    (void)fprintf(out, ",\"cut\":%s",
                  explain->by_sync && !explain->by_cut ? "false" : "true");
    write_text("file", site->file == NULL ? "" : tp_text_base(site->file), out);
    (void)fprintf(out, ",\"line\":%u", site->line);
    write_text("operation",
               site->node == 0 ? "" : tp_record_operation(site, words, sizeof words), out);
    write_text("event", explain->event.text, out);
    (void)fprintf(out, ",\"event_node\":%u",
                  explain->event.node == 0 ? explain->event.detail
                                           : explain->event.node - 1);
    write_barriers(explain, out);
}
