#include "apps/sim/engine/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/sim_internal.h"
#include "apps/sim/text.h"

/* ------------------------------------------------------------------ keeping */

static struct engine_fact *next_of(struct engine_ring *ring)
{
    return &ring->facts[ring->next++ % ring->capacity];
}

/* It is put where it stays: most are operations, and kept once. */
static void note(void *context, const struct tp_fact *fact)
{
    struct engine_facts *facts = context;
    struct engine_fact *kept = next_of(&facts->all);
    const struct tp_record *record = &kept->record;

    kept->event = facts->sim == NULL ? 0 : tp_sim_events(facts->sim);
    facts->one.records = &kept->record;
    facts->one.count = 0;
    facts->one.watch.fact(facts->one.watch.context, fact);
    if (record->kind != TP_FACT_OPERATION)
        *next_of(&facts->marks) = *kept;
    if (record->node == 0 || record->node > ENGINE_NODES)
        return;
    facts->told[record->node - 1]++;
    if (record->kind == TP_FACT_END)
        facts->last_end[record->node - 1] = record->detail;
}

static int ring_init(struct engine_ring *ring, uint32_t capacity)
{
    ring->capacity = capacity;
    ring->facts = malloc(capacity * sizeof *ring->facts);
    return ring->facts == NULL ? -ENOMEM : 0;
}

static void ring_deinit(struct engine_ring *ring)
{
    free(ring->facts);
}

int engine_facts_init(struct engine_facts *facts)
{
    memset(facts, 0, sizeof *facts);
    if (ring_init(&facts->all, ENGINE_FACTS_KEPT) < 0 ||
        ring_init(&facts->marks, ENGINE_MARKS_KEPT) < 0)
        return -ENOMEM;
    tp_recorder_init(&facts->one, &facts->all.facts[0].record, 1);
    facts->one.all_stages = true;
    facts->watch = (struct tp_sim_watch){note, facts};
    return 0;
}

void engine_facts_deinit(struct engine_facts *facts)
{
    ring_deinit(&facts->all);
    ring_deinit(&facts->marks);
    memset(facts, 0, sizeof *facts);
}

/* ------------------------------------------------------------------ as JSON */

static const char *kind_of(const struct tp_record *record)
{
    switch ((enum tp_fact_kind)record->kind) {
    case TP_FACT_PHASE:
        return "phase";
    case TP_FACT_BOOT:
        return "boot";
    case TP_FACT_END:
        return "end";
    case TP_FACT_EVENT:
        return (record->detail & TP_EVENT_ACT) != 0 ? "act" : "event";
    case TP_FACT_PROMISE:
        return "promise";
    case TP_FACT_OPERATION:
        return "operation";
    case TP_FACT_VERDICT:
        return "verdict";
    }
    tp_unreachable();
}

/* Whether it is something that goes wrong. */
static bool is_fault(const struct tp_record *record)
{
    switch ((enum tp_fact_kind)record->kind) {
    case TP_FACT_END:
        return record->detail == TP_END_EXIT ? record->text[0] != '\0'
                                             : record->detail != TP_END_OVER;
    case TP_FACT_EVENT:
        return true;
    case TP_FACT_OPERATION:
        return record->stage != TP_VIRTUAL_BEGUN && record->result < 0 &&
               record->result != -ECANCELED;
    case TP_FACT_VERDICT:
        return record->detail != TP_VERDICT_PASSED;
    case TP_FACT_PHASE:
    case TP_FACT_BOOT:
    case TP_FACT_PROMISE:
        return false;
    }
    tp_unreachable();
}

static void write_operation(const struct tp_record *record, FILE *out)
{
    static const char *const stages[] = {"begins", "takes effect", "completes"};
    bool has_result = record->stage != TP_VIRTUAL_BEGUN;

    (void)fprintf(out, ",\"stage\":\"%s\",\"result\":", stages[record->stage]);
    if (!has_result)
        (void)fputs("null", out);
    else if (record->result < 0)
        (void)fprintf(out, "\"%s\"", tp_errno_name(record->result));
    else
        (void)fprintf(out, "\"%d\"", record->result);
}

static void write_fact(const struct engine_fact *fact, uint64_t number, FILE *out)
{
    const struct tp_record *record = &fact->record;
    char words[320];

    (void)fprintf(out, "{\"n\":%" PRIu64 ",\"at_ns\":%" PRIu64 ",\"event\":%" PRIu64,
                  number, record->at_ns, fact->event);
    if (record->node == 0)
        (void)fputs(",\"node\":null", out);
    else
        (void)fprintf(out, ",\"node\":%u", record->node - 1);
    (void)fprintf(out, ",\"kind\":\"%s\",\"text\":", kind_of(record));
    if (record->kind == TP_FACT_OPERATION)
        tp_text_json(tp_record_operation(record, words, sizeof words), out);
    else if (record->kind == TP_FACT_EVENT)
        tp_text_json(record->text, out);
    else
        tp_text_json(tp_record_fact(record, words, sizeof words), out);
    if (record->kind == TP_FACT_OPERATION)
        write_operation(record, out);
    else
        (void)fputs(",\"stage\":\"\",\"result\":null", out);
    (void)fprintf(out, ",\"fault\":%s}", is_fault(record) ? "true" : "false");
}

void engine_facts_write(const struct engine_ring *ring, uint64_t from, FILE *out)
{
    uint64_t oldest = ring->next > ring->capacity ? ring->next - ring->capacity : 0;
    uint64_t first = from < oldest ? oldest : from;
    uint64_t end;

    first = first < ring->next ? first : ring->next;
    end =
        ring->next - first > ENGINE_FACTS_A_CALL ? first + ENGINE_FACTS_A_CALL : ring->next;
    (void)fprintf(out, "{\"first\":%" PRIu64 ",\"next\":%" PRIu64 ",\"facts\":[", first,
                  end);
    for (uint64_t i = first; i < end; i++) {
        (void)fputs(i == first ? "" : ",", out);
        write_fact(&ring->facts[i % ring->capacity], i, out);
    }
    (void)fputs("]}", out);
}
