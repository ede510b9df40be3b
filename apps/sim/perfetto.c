#include "apps/sim/perfetto.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/text.h"

enum { ROWS_MAX = 256, EVENTS_ROW = 0 };

/* An operation in flight holds a row of its node. */
struct row {
    uint32_t node;
    uint64_t handle; /* 0: free */
    uint64_t began_ns;
};

struct writer {
    FILE *out;
    bool any;
    struct row rows[ROWS_MAX];
};

/* Microseconds, as the format has them, without losing the nanoseconds. */
static void print_us(uint64_t ns, FILE *out)
{
    (void)fprintf(out, "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
}

static void begin(struct writer *w, const char *phase, uint32_t node, uint32_t row,
                  uint64_t at_ns, const char *name)
{
    (void)fprintf(w->out, "%s{\"ph\": \"%s\", \"pid\": %u, \"tid\": %u, \"ts\": ",
                  w->any ? ",\n" : "", phase, node, row);
    print_us(at_ns, w->out);
    (void)fputs(", \"name\": ", w->out);
    tp_text_json(name, w->out);
    w->any = true;
}

static void name_node(struct writer *w, uint32_t node)
{
    char name[32];

    begin(w, "M", node, EVENTS_ROW, 0, "process_name");
    if (node == 0)
        (void)snprintf(name, sizeof name, "the run");
    else
        (void)snprintf(name, sizeof name, "node %u", node - 1);
    (void)fputs(", \"args\": {\"name\": ", w->out);
    tp_text_json(name, w->out);
    (void)fputs("}}", w->out);
}

static struct row *find_row(struct writer *w, uint32_t node, uint64_t handle)
{
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        if (w->rows[i].handle == handle && (handle == 0 || w->rows[i].node == node))
            return &w->rows[i];
    }
    return NULL;
}

/* Rows are numbered from 1, past that of the events. */
static uint32_t number_of(const struct writer *w, const struct row *row)
{
    return (uint32_t)(row - w->rows) + 1;
}

static void write_operation(struct writer *w, const struct tp_record *record)
{
    struct row *row;
    char words[256];

    if (record->handle == 0)
        return;
    if (record->stage == TP_VIRTUAL_BEGUN) {
        row = find_row(w, record->node, 0);
        if (row != NULL)
            *row = (struct row){record->node, record->handle, record->at_ns};
        return;
    }
    row = find_row(w, record->node, record->handle);
    if (record->stage != TP_VIRTUAL_COMPLETED || row == NULL)
        return;
    begin(w, "X", record->node, number_of(w, row), row->began_ns,
          tp_kind_info[record->op].name);
    (void)fputs(", \"dur\": ", w->out);
    print_us(record->at_ns - row->began_ns, w->out);
    (void)fputs(", \"args\": {\"operation\": ", w->out);
    tp_text_json(tp_record_operation(record, words, sizeof words), w->out);
    (void)fputs(", \"result\": ", w->out);
    if (record->result < 0)
        tp_text_json(tp_errno_name(record->result), w->out);
    else
        (void)fprintf(w->out, "%d", record->result);
    (void)fputs("}}", w->out);
    row->handle = 0;
}

/* Whatever was in flight when a node came to its end never completes. */
static void end_operations(struct writer *w, const struct tp_record *record)
{
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        if (w->rows[i].handle != 0 && w->rows[i].node == record->node)
            w->rows[i].handle = 0;
    }
}

static void write_instant(struct writer *w, const struct tp_record *record)
{
    char name[160];

    if (record->kind == TP_FACT_END)
        end_operations(w, record);
    begin(w, "i", record->node, EVENTS_ROW, record->at_ns,
          tp_record_fact(record, name, sizeof name));
    (void)fprintf(w->out, ", \"s\": \"%s\"}", record->node == 0 ? "g" : "p");
}

bool tp_perfetto_write(const struct tp_recorder *recorder, FILE *out)
{
    struct writer *w = calloc(1, sizeof *w);
    uint32_t named = 0;

    if (w == NULL)
        return false;
    w->out = out;
    (void)fputs("{\"traceEvents\": [\n", out);
    name_node(w, 0);
    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct tp_record *record = &recorder->records[i];

        for (; named < record->node; named++)
            name_node(w, named + 1);
        if (record->kind == TP_FACT_OPERATION)
            write_operation(w, record);
        else
            write_instant(w, record);
    }
    (void)fputs("\n]}\n", out);
    free(w);
    return ferror(out) == 0;
}
