#include "apps/sim/html.h"

#include <inttypes.h>
#include <string.h>

#include "apps/sim/text.h"

/* ------------------------------------------------------------------ facts
 *
 * Each is an array, to keep pages small; show/model.js has the names of its columns. */

static void write_result(const struct tp_record *record, FILE *out)
{
    if (record->result < 0)
        tp_text_json(tp_errno_name(record->result), out);
    else
        (void)fprintf(out, "%d", record->result);
}

static void write_site(const struct tp_record *record, FILE *out)
{
    char site[128] = "";

    if (record->file != NULL)
        (void)snprintf(site, sizeof site, "%s:%u", tp_text_base(record->file),
                       record->line);
    tp_text_json(site, out);
}

static void write_disk(const struct tp_record_disk *disk, FILE *out)
{
    if (!disk->known) {
        (void)fputc('0', out);
        return;
    }
    (void)fprintf(out, "[%u,%u,%u,%u,%u,%" PRIu64 ",%" PRIu64 "]", disk->durable,
                  disk->cached, disk->device, disk->lost, disk->names, disk->size,
                  disk->media_size);
}

static void write_operation(const struct tp_record *record, FILE *out)
{
    (void)fprintf(out, ",%u,\"%" PRIx64 "\",%u,", record->stage, record->handle,
                  record->op);
    write_result(record, out);
    if (record->stage == TP_VIRTUAL_COMPLETED)
        return;
    (void)fprintf(out, ",%" PRIu64 ",%u,%u,", record->offset, record->len, record->inode);
    tp_text_json(record->text, out);
    (void)fputc(',', out);
    write_site(record, out);
    if (record->stage != TP_VIRTUAL_EFFECT)
        return;
    (void)fprintf(out, ",%" PRIu64 ",%u,%d,", record->effect, record->dir, record->changes);
    write_disk(&record->disk, out);
    (void)fprintf(out, ",%u", record->peer);
}

static void write_fact(const struct tp_record *record, FILE *out)
{
    (void)fprintf(out, "[%" PRIu64 ",%u,%u", record->at_ns, record->kind, record->node);
    switch (record->kind) {
    case TP_FACT_OPERATION:
        write_operation(record, out);
        break;
    case TP_RECORD_FILE:
        (void)fprintf(out, ",%u,", record->inode);
        tp_text_json(record->text, out);
        (void)fputc(',', out);
        write_disk(&record->disk, out);
        break;
    case TP_RECORD_MESSAGE:
        (void)fprintf(out, ",%u,%" PRIu64, record->peer, record->effect);
        break;
    default:
        (void)fprintf(out, ",%u,", record->detail);
        tp_text_json(record->text, out);
        break;
    }
    (void)fputc(']', out);
}

/* ------------------------------------------------------------------ a run */

static void write_names(const char *(*name_of)(uint32_t), uint32_t count, FILE *out)
{
    for (uint32_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "[" : ",", out);
        tp_text_json(name_of(i), out);
    }
    (void)fputs("]", out);
}

static const char *kind_name(uint32_t kind)
{
    return tp_kind_info[kind].name;
}

static void write_run(const struct tp_html_run *run, FILE *out)
{
    const struct tp_recorder *recorder = run->recorder;

    (void)fputs("{\"title\":", out);
    tp_text_json(run->title, out);
    (void)fputs(",\"verdict\":", out);
    tp_text_json(tp_verdict_name(run->outcome.verdict), out);
    (void)fputs(",\"message\":", out);
    tp_text_json(run->outcome.message, out);
    (void)fprintf(out,
                  ",\"operations\":%" PRIu64 ",\"virtual_ns\":%" PRIu64
                  ",\"trace\":\"%016" PRIx64 "\",\"left_out\":%" PRIu64
                  ",\"not_followed\":%" PRIu64 ",\"facts\":[\n",
                  run->outcome.operations, run->outcome.virtual_ns, run->outcome.trace,
                  recorder->dropped, recorder->not_followed);
    for (uint32_t i = 0; i < recorder->count; i++) {
        (void)fputs(i == 0 ? "" : ",\n", out);
        write_fact(tp_recorder_at(recorder, i), out);
    }
    (void)fputs("\n]}", out);
}

/* ------------------------------------------------------------------ the explanation */

static const char *how_of(const struct tp_explain *explain)
{
    switch (explain->how) {
    case TP_EXPLAINED_NOT:
        return "not";
    case TP_EXPLAINED_BARRIER:
        return "barrier";
    case TP_EXPLAINED_UNHEARD:
        return "unheard";
    case TP_EXPLAINED_WAIT:
        return "wait";
    case TP_EXPLAINED_TORN:
        return "torn";
    case TP_EXPLAINED_EARLY:
        return "early";
    case TP_EXPLAINED_ERROR:
        return "error";
    case TP_EXPLAINED_CHOICE:
        return "choice";
    case TP_EXPLAINED_RESTART:
        return "restart";
    }
    tp_unreachable();
}

static void write_place(const struct tp_record *record, FILE *out)
{
    char words[256];

    (void)fprintf(
        out, "{\"node\":%u,\"at_ns\":%" PRIu64 ",\"effect\":%" PRIu64 ",\"operation\":",
        record->node, record->at_ns, record->effect);
    tp_text_json(tp_record_operation(record, words, sizeof words), out);
    (void)fputs(",\"site\":", out);
    write_site(record, out);
}

/* Where barriers belong, or what failed. */
static void write_places(const struct tp_explain *explain, FILE *out)
{
    char own[320];

    for (uint32_t i = 0; i < explain->barrier_count; i++) {
        const struct tp_explained_barrier *barrier = &explain->barriers[i];

        (void)fputs(i == 0 ? "" : ",", out);
        write_place(&barrier->after, out);
        (void)fprintf(out, ",\"names\":%s,\"times\":%u,\"promise\":",
                      barrier->ghost.names ? "true" : "false", barrier->times);
        tp_text_json(barrier->before == TP_BEFORE_PROMISE ? barrier->next.text : "", out);
        (void)fputs(",\"own\":", out);
        tp_text_json(tp_explain_own(barrier, own, sizeof own), out);
        (void)fputc('}', out);
    }
    if (explain->barrier_count == 0 && tp_explain_site(explain)->file != NULL) {
        write_place(tp_explain_site(explain), out);
        (void)fputc('}', out);
    }
}

/* What followed, and made it fatal. */
static void write_then(const struct tp_explain *explain, FILE *out)
{
    const struct tp_explained_barrier *barrier = &explain->barriers[0];
    const struct tp_record *then = NULL;

    if (explain->how == TP_EXPLAINED_EARLY)
        then = &explain->failed;
    else if (explain->how == TP_EXPLAINED_TORN && explain->read.file != NULL)
        then = &explain->read;
    else if (explain->barrier_count > 0 &&
             (barrier->before == TP_BEFORE_SAME || barrier->before == TP_BEFORE_OTHER ||
              barrier->before == TP_BEFORE_TOLD))
        then = &barrier->next;
    if (then == NULL) {
        (void)fputs("null", out);
        return;
    }
    write_place(then, out);
    (void)fputc('}', out);
}

/* What a choice comes to: what befell a node or the links. */
static void write_event(const struct tp_record *event, FILE *out)
{
    (void)fputs(",\"event\":", out);
    if (event->text[0] == '\0') {
        (void)fputs("null", out);
        return;
    }
    (void)fprintf(out, "{\"at_ns\":%" PRIu64 ",\"node\":%u,\"text\":", event->at_ns,
                  event->node == 0 ? event->detail + 1 : event->node);
    tp_text_json(event->text, out);
    (void)fputc('}', out);
}

static bool write_explanation(const struct tp_explain *explain, FILE *out)
{
    (void)fprintf(out, "{\"how\":\"%s\",\"places\":[", how_of(explain));
    write_places(explain, out);
    (void)fputs("],\"then\":", out);
    write_then(explain, out);
    write_event(&explain->event, out);
    (void)fputs(",\"unkept\":", out);
    tp_text_json(explain->unkept, out);
    (void)fputs(",\"text\":", out);
    if (!tp_explain_json(explain, out))
        return false;
    (void)fputc('}', out);
    return true;
}

/* ------------------------------------------------------------------ the page */

static bool write_data(const struct tp_html *html, FILE *out)
{
    (void)fputs("{\"program\":", out);
    tp_text_json(html->program, out);
    (void)fputs(",\"scenario\":", out);
    tp_text_json(html->scenario, out);
    (void)fputs(",\"summary\":", out);
    tp_text_json(html->summary == NULL ? "" : html->summary, out);
    (void)fputs(",\"origin\":", out);
    tp_text_json(html->origin, out);
    (void)fputs(",\"replay\":", out);
    tp_text_json(html->replay == NULL ? "" : html->replay, out);
    (void)fprintf(out, ",\"facts_max\":%d,\"pages_max\":%d,\"files_max\":%d,\"kinds\":",
                  TP_HTML_FACTS_MAX, TP_RECORD_LOOK_PAGES, TP_RECORD_LOOK_FILES);
    write_names(kind_name, TP_KINDS, out);
    (void)fputs(",\"phases\":", out);
    write_names(tp_phase_name, TP_PHASES, out);
    (void)fputs(",\"verdicts\":", out);
    write_names(tp_verdict_name, TP_VERDICTS, out);
    (void)fputs(",\"explanation\":", out);
    if (html->explain == NULL)
        (void)fputs("null", out);
    else if (!write_explanation(html->explain, out))
        return false;
    (void)fputs(",\"runs\":[", out);
    for (uint32_t i = 0; i < html->run_count; i++) {
        (void)fputs(i == 0 ? "" : ",\n", out);
        write_run(&html->runs[i], out);
    }
    (void)fputs("]}\n", out);
    return true;
}

bool tp_html_write(const struct tp_html *html, FILE *out)
{
    const char *mark = strstr(tp_html_page, TP_HTML_MARK);
    size_t before;

    tp_assert(mark != NULL);
    tp_assert(html->run_count > 0 && html->run_count <= 2);
    before = (size_t)(mark - tp_html_page);
    if (fwrite(tp_html_page, 1, before, out) != before || !write_data(html, out))
        return false;
    (void)fputs(mark + strlen(TP_HTML_MARK), out);
    return ferror(out) == 0;
}
