/* A verdict for people: the end of what cannot be ordered, as a time line. */
#include "linear.h"

#include <inttypes.h>

enum {
    ROWS_MAX = 12,  /* operations that are shown: the last ones */
    ORDER_MAX = 16, /* of the order that works: the last ones */
    VALUE_MAX = 24, /* bytes of a value, past which it is cut */
    EVENTS_MAX = 2 * ROWS_MAX,
};

/* The operations that are shown, by invocation, and the events that are columns. */
struct line {
    const struct tp_linear_report *report;
    const struct tp_history *history;
    uint32_t rows[ROWS_MAX];
    uint32_t row_count;
    uint32_t hidden;
    uint32_t columns[EVENTS_MAX];
    uint32_t column_count;
};

/* Whether the operation belongs to the prefix, and to the key that it is about. */
static bool is_part(const struct line *line, const struct tp_model *model,
                    const struct tp_history_op *op)
{
    if (op->invoked > line->report->event_last || op->outcome == TP_HISTORY_FAILED)
        return false;
    return !model->by_key || tp_value_equal(op->call.key, line->report->key);
}

static bool returns_within(const struct line *line, const struct tp_history_op *op)
{
    return op->outcome == TP_HISTORY_OK && op->returned <= line->report->event_last;
}

/* Puts `op` into the rows, which are in the order of invocation; the oldest return gives
 * way when there are too many. */
static void add_row(struct line *line, uint32_t op)
{
    uint32_t oldest = 0;

    if (line->row_count < ROWS_MAX) {
        line->rows[line->row_count++] = op;
        return;
    }
    for (uint32_t i = 1; i < ROWS_MAX; i++) {
        const struct tp_history_op *row = tp_history_op(line->history, line->rows[i]);
        const struct tp_history_op *first =
            tp_history_op(line->history, line->rows[oldest]);

        if (row->returned < first->returned)
            oldest = i;
    }
    for (uint32_t i = oldest; i + 1 < ROWS_MAX; i++)
        line->rows[i] = line->rows[i + 1];
    line->rows[ROWS_MAX - 1] = op;
    line->hidden++;
}

static void add_column(struct line *line, uint32_t event)
{
    uint32_t at = line->column_count++;

    tp_assert(at < EVENTS_MAX);
    for (; at > 0 && line->columns[at - 1] > event; at--)
        line->columns[at] = line->columns[at - 1];
    line->columns[at] = event;
}

static uint32_t column_of(const struct line *line, uint32_t event)
{
    uint32_t column = 0;

    while (column < line->column_count && line->columns[column] < event)
        column++;
    return column;
}

static void print_value(struct tp_value value, FILE *stream)
{
    if (value.len_bytes <= VALUE_MAX) {
        tp_value_print(value, stream);
        return;
    }
    (void)fputs("...", stream);
    value.bytes += value.len_bytes - VALUE_MAX;
    value.len_bytes = VALUE_MAX;
    tp_value_print(value, stream);
}

/* "get -> "1"", "cas "1" "2" -> true". */
static void print_op(const struct tp_history_op *op, bool with_result, FILE *stream)
{
    (void)fputs(tp_history_kind_name(op->call.kind), stream);
    if (op->call.kind == TP_HISTORY_CAS) {
        (void)fputc(' ', stream);
        print_value(op->call.expected, stream);
    }
    if (op->call.kind != TP_HISTORY_GET) {
        (void)fputc(' ', stream);
        print_value(op->call.value, stream);
    }
    if (!with_result) {
        (void)fputs(" -> ?", stream);
    } else if (op->call.kind == TP_HISTORY_CAS) {
        (void)fputs(op->result.is_some ? " -> true" : " -> false", stream);
    } else if (op->call.kind == TP_HISTORY_GET) {
        (void)fputs(" -> ", stream);
        print_value(op->result, stream);
    }
}

/* A bar from invocation to return; open to the right when it has not returned. */
static void print_row(const struct line *line, uint32_t number, FILE *stream)
{
    const struct tp_history_op *op = tp_history_op(line->history, number);
    bool returns = returns_within(line, op);
    uint32_t from = column_of(line, op->invoked);
    uint32_t to = returns ? column_of(line, op->returned) : line->column_count;

    (void)fprintf(stream, "  %7" PRIu32 " %6" PRIu32 "  ", number, op->client);
    for (uint32_t i = 0; i < from; i++)
        (void)fputs("  ", stream);
    (void)fputs("[", stream);
    for (uint32_t i = from; i < to; i++)
        (void)fputs("==", stream);
    (void)fputs(returns ? "]" : ">", stream);
    for (uint32_t i = to; i < line->column_count; i++)
        (void)fputs("  ", stream);
    (void)fputs("  ", stream);
    print_op(op, returns, stream);
    (void)fputs(number == line->report->blocked ? "   <- nothing explains this\n" : "\n",
                stream);
}

static void print_time_line(struct line *line, const struct tp_model *model, FILE *stream)
{
    for (uint32_t i = 0; i < tp_history_ops(line->history); i++) {
        if (is_part(line, model, tp_history_op(line->history, i)))
            add_row(line, i);
    }
    for (uint32_t i = 0; i < line->row_count; i++) {
        const struct tp_history_op *op = tp_history_op(line->history, line->rows[i]);

        add_column(line, op->invoked);
        if (returns_within(line, op))
            add_column(line, op->returned);
    }
    (void)fputs("  operation client  time, an event a column\n", stream);
    if (line->hidden > 0)
        (void)fprintf(stream, "  (%" PRIu32 " before these)\n", line->hidden);
    for (uint32_t i = 0; i < line->row_count; i++)
        print_row(line, line->rows[i], stream);
}

static void print_order(const struct tp_linear_report *report, const struct tp_model *model,
                        FILE *stream)
{
    uint32_t from = report->order_count > ORDER_MAX ? report->order_count - ORDER_MAX : 0;

    if (report->order == NULL || report->state == NULL)
        return;
    (void)fputs("  the longest order that works before it:", stream);
    (void)fputs(report->order_count == 0 ? " nothing" : from > 0 ? " ..." : "", stream);
    for (uint32_t i = from; i < report->order_count; i++)
        (void)fprintf(stream, " %" PRIu32, report->order[i]);
    (void)fputs("; the state is then ", stream);
    model->print(report->state, report->state_len_bytes, stream);
    (void)fputc('\n', stream);
}

void tp_linear_print(const struct tp_linear_report *report,
                     const struct tp_history *history, const struct tp_model *model,
                     FILE *stream)
{
    struct line line = {.report = report, .history = history};

    switch (report->verdict) {
    case TP_LINEAR_YES:
        (void)fputs("linearizable", stream);
        break;
    case TP_LINEAR_NO:
        (void)fputs("not linearizable", stream);
        break;
    case TP_LINEAR_UNDECIDED:
        (void)fprintf(stream, "not decided (%s)", report->bound);
        break;
    }
    (void)fprintf(stream, ": %" PRIu32 " operations, %" PRIu32 " keys, %" PRIu64 " steps\n",
                  tp_history_ops(history), report->keys, report->steps);
    if (report->verdict != TP_LINEAR_NO)
        return;
    (void)fputs("  key ", stream);
    print_value(report->key, stream);
    (void)fprintf(stream, ", up to event %" PRIu32 "%s:\n", report->event_last,
                  report->is_shortest ? ", the shortest prefix that fails" : "");
    print_time_line(&line, model, stream);
    print_order(report, model, stream);
}
