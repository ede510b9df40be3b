/* Histories as text: writing, and reading what may be anything. */
#include "history_internal.h"

#include <inttypes.h>
#include <string.h>

#include "model.h"

#define HEAD "tempest-history 1"

/* ------------------------------------------------------------------ writing */

void tp_value_print(struct tp_value value, FILE *stream)
{
    if (!value.is_some) {
        (void)fputs("nil", stream);
        return;
    }
    (void)fputc('"', stream);
    for (uint32_t i = 0; i < value.len_bytes; i++) {
        uint8_t byte = value.bytes[i];

        if (byte == '"' || byte == '\\')
            (void)fprintf(stream, "\\%c", byte);
        else if (byte >= ' ' && byte < 0x7f)
            (void)fputc(byte, stream);
        else
            (void)fprintf(stream, "\\x%02x", (unsigned)byte);
    }
    (void)fputc('"', stream);
}

static void write_call(const struct tp_history_call *call, FILE *stream)
{
    (void)fprintf(stream, "invoke %s ", tp_history_kind_name(call->kind));
    tp_value_print(call->key, stream);
    if (call->kind == TP_HISTORY_CAS) {
        (void)fputc(' ', stream);
        tp_value_print(call->expected, stream);
    }
    if (call->kind != TP_HISTORY_GET) {
        (void)fputc(' ', stream);
        tp_value_print(call->value, stream);
    }
}

static void write_return(const struct tp_history_op *op, FILE *stream)
{
    if (op->outcome != TP_HISTORY_OK) {
        (void)fputs(op->outcome == TP_HISTORY_FAILED ? "failed" : "unknown", stream);
        return;
    }
    (void)fputs("ok", stream);
    if (op->call.kind == TP_HISTORY_CAS) {
        (void)fputs(op->result.is_some ? " true" : " false", stream);
    } else if (op->call.kind == TP_HISTORY_GET) {
        (void)fputc(' ', stream);
        tp_value_print(op->result, stream);
    }
}

int tp_history_write(const struct tp_history *history, FILE *stream)
{
    (void)fputs(HEAD "\ninitial ", stream);
    tp_value_print(history->initial, stream);
    (void)fputc('\n', stream);
    for (uint32_t i = 0; i < history->event_count; i++) {
        struct tp_history_event event = history->events[i];
        const struct tp_history_op *op = &history->ops[event.op];

        (void)fprintf(stream, "%" PRIu64 " %" PRIu32 " ",
                      event.is_return ? op->return_ns : op->invoke_ns, op->client);
        if (event.is_return)
            write_return(op, stream);
        else
            write_call(&op->call, stream);
        (void)fputc('\n', stream);
    }
    return fflush(stream) == 0 && ferror(stream) == 0 ? 0 : -EIO;
}

/* ------------------------------------------------------------------ reading */

/* A line being read; `what` is what is wrong with it. */
struct reader {
    const uint8_t *at, *end;
    uint8_t *values[3]; /* room for unescaped values, each as long as the longest line */
    const char *what;
};

static bool wrong(struct reader *reader, const char *what)
{
    reader->what = what;
    return false;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
        reader->at++;
}

/* Takes `word` if it is what comes next, as a word of its own. */
static bool take_word(struct reader *reader, const char *word)
{
    size_t len = strlen(word);
    const uint8_t *at = reader->at;

    if ((size_t)(reader->end - at) < len || memcmp(at, word, len) != 0)
        return false;
    at += len;
    if (at < reader->end && *at != ' ' && *at != '\t')
        return false;
    reader->at = at;
    skip_blanks(reader);
    return true;
}

static bool take_number(struct reader *reader, uint64_t *ret_number)
{
    const uint8_t *from = reader->at;
    uint64_t number = 0;

    for (; reader->at < reader->end; reader->at++) {
        uint64_t digit = (uint64_t)*reader->at - '0';

        if (*reader->at < '0' || *reader->at > '9')
            break;
        if (number > (UINT64_MAX - digit) / 10)
            return wrong(reader, "a number is too large");
        number = number * 10 + digit;
    }
    if (reader->at == from)
        return wrong(reader, "a number is missing");
    *ret_number = number;
    skip_blanks(reader);
    return true;
}

static int32_t hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

/* What follows a backslash. */
static bool take_escape(struct reader *reader, uint8_t *ret_byte)
{
    int32_t high, low;

    if (reader->at < reader->end && (*reader->at == '"' || *reader->at == '\\')) {
        *ret_byte = *reader->at++;
        return true;
    }
    if (reader->end - reader->at < 3 || *reader->at != 'x')
        return wrong(reader, "an escape other than \\\", \\\\ and \\xHH");
    high = hex_digit(reader->at[1]);
    low = hex_digit(reader->at[2]);
    if (high < 0 || low < 0)
        return wrong(reader, "an escape other than \\\", \\\\ and \\xHH");
    reader->at += 3;
    *ret_byte = (uint8_t)(high << 4 | low);
    return true;
}

/* A value in quotes, or nil. `index` says which of the buffers holds it. */
static bool take_value(struct reader *reader, uint32_t index, struct tp_value *ret_value)
{
    uint8_t *bytes = reader->values[index];
    uint32_t len = 0;

    *ret_value = (struct tp_value){NULL, 0, false};
    if (take_word(reader, "nil"))
        return true;
    if (reader->at == reader->end || *reader->at != '"')
        return wrong(reader, "a value in quotes, or nil, is missing");
    for (reader->at++; reader->at < reader->end && *reader->at != '"'; len++) {
        bytes[len] = *reader->at++;
        if (bytes[len] == '\\' && !take_escape(reader, &bytes[len]))
            return false;
    }
    if (reader->at == reader->end)
        return wrong(reader, "a value does not end with a quote");
    reader->at++;
    skip_blanks(reader);
    *ret_value = tp_value_bytes(bytes, len);
    return true;
}

static bool take_call(struct reader *reader, struct tp_history_call *ret_call)
{
    uint32_t kind = 0;

    *ret_call = (struct tp_history_call){.kind = TP_HISTORY_GET};
    while (kind < TP_HISTORY_KINDS &&
           !take_word(reader, tp_history_kind_name((enum tp_history_kind)kind)))
        kind++;
    if (kind == TP_HISTORY_KINDS)
        return wrong(reader, "an operation other than get, put, append and cas");
    ret_call->kind = (enum tp_history_kind)kind;
    if (!take_value(reader, 0, &ret_call->key))
        return false;
    if (kind == TP_HISTORY_CAS && !take_value(reader, 1, &ret_call->expected))
        return false;
    return kind == TP_HISTORY_GET || take_value(reader, 2, &ret_call->value);
}

static bool take_result(struct reader *reader, enum tp_history_kind kind,
                        struct tp_value *ret_result)
{
    bool is_true;

    *ret_result = (struct tp_value){NULL, 0, false};
    if (kind == TP_HISTORY_GET)
        return take_value(reader, 0, ret_result);
    if (kind != TP_HISTORY_CAS)
        return true;
    is_true = take_word(reader, "true");
    if (!is_true && !take_word(reader, "false"))
        return wrong(reader, "the result of cas is true or false");
    *ret_result = tp_value_bool(is_true);
    return true;
}

/* What invoke and return say, in words where the line is at fault. */
static int said(struct reader *reader, int error)
{
    if (error == -ENOMEM)
        return error;
    if (error == -EBUSY)
        reader->what = "the client's last operation has not returned";
    else if (error == -ENOSPC)
        reader->what = "there are more operations than may be";
    else if (error == -EINVAL)
        reader->what = "the client's number is too large";
    return error < 0 ? -EINVAL : 0;
}

static int read_return(struct reader *reader, struct tp_history *history, uint32_t client,
                       uint64_t time_ns)
{
    struct tp_value result = {NULL, 0, false};
    enum tp_history_outcome outcome = TP_HISTORY_UNKNOWN;

    if (!tp_history_is_busy(history, client)) {
        reader->what = "the client has no operation that could return";
        return -EINVAL;
    }
    if (take_word(reader, "ok")) {
        const struct tp_history_op *op = &history->ops[history->clients[client] - 1];

        outcome = TP_HISTORY_OK;
        if (!take_result(reader, op->call.kind, &result))
            return -EINVAL;
    } else if (take_word(reader, "failed")) {
        outcome = TP_HISTORY_FAILED;
    } else if (!take_word(reader, "unknown")) {
        reader->what = "an event other than invoke, ok, failed and unknown";
        return -EINVAL;
    }
    return said(reader, tp_history_return(history, client, time_ns, outcome, result));
}

static int read_event(struct reader *reader, struct tp_history *history)
{
    struct tp_history_call call;
    uint64_t time_ns, client;

    if (!take_number(reader, &time_ns) || !take_number(reader, &client))
        return -EINVAL;
    if (client >= history->clients_max) {
        reader->what = "the client's number is too large";
        return -EINVAL;
    }
    if (tp_history_goes_back(history, time_ns)) {
        reader->what = "time goes back (lines are merged with sort -sn)";
        return -EINVAL;
    }
    if (!take_word(reader, "invoke"))
        return read_return(reader, history, (uint32_t)client, time_ns);
    if (!take_call(reader, &call))
        return -EINVAL;
    return said(reader, tp_history_invoke(history, (uint32_t)client, time_ns, &call));
}

static int read_line(struct reader *reader, struct tp_history *history)
{
    struct tp_value initial;
    int error = 0;

    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at == '#' || take_word(reader, HEAD))
        return 0;
    if (take_word(reader, "initial"))
        error = take_value(reader, 0, &initial) ? tp_history_set_initial(history, initial)
                                                : -EINVAL;
    else
        error = read_event(reader, history);
    if (error == 0 && reader->at < reader->end) {
        reader->what = "there is more on the line than belongs there";
        return -EINVAL;
    }
    return error;
}

/* The length of the line at `at`, without its end. */
static uint64_t line_len(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;

    return (uint64_t)((newline != NULL ? newline : end) - at);
}

static int read_lines(struct reader *reader, struct tp_history *history, const uint8_t *at,
                      const uint8_t *end, struct tp_history_error *ret_error)
{
    size_t head_len = strlen(HEAD);

    if ((size_t)(end - at) < head_len || memcmp(at, HEAD, head_len) != 0) {
        *ret_error = (struct tp_history_error){1, "it does not begin with '" HEAD "'"};
        return -EINVAL;
    }
    for (uint32_t line = 1; at < end; line++) {
        uint64_t len = line_len(at, end);
        int error;

        reader->at = at;
        reader->end = at + len;
        error = read_line(reader, history);
        if (error < 0) {
            ret_error->line = line;
            if (error != -ENOMEM)
                ret_error->what = reader->what;
            return error;
        }
        at += len < (uint64_t)(end - at) ? len + 1 : len;
    }
    return 0;
}

int tp_history_read(const struct tp_history_config *config, const void *text,
                    uint64_t len_bytes, struct tp_history **ret_history,
                    struct tp_history_error *ret_error)
{
    const uint8_t *bytes = text;
    struct tp_history *history;
    struct reader reader = {.what = NULL};
    uint64_t longest = 1;
    uint8_t *room;
    int error = tp_history_create(config, &history);

    *ret_error = (struct tp_history_error){0, "there is no memory"};
    if (error < 0)
        return error;
    for (uint64_t at = 0; at < len_bytes;) {
        uint64_t len = line_len(bytes + at, bytes + len_bytes);

        longest = len > longest ? len : longest;
        at += len + 1;
    }
    room = longest < UINT32_MAX ? tp_budget_alloc(&history->budget, 3 * longest) : NULL;
    error = -ENOMEM;
    if (room != NULL) {
        for (uint32_t i = 0; i < 3; i++)
            reader.values[i] = room + i * longest;
        error = read_lines(&reader, history, bytes, bytes + len_bytes, ret_error);
    }
    tp_budget_free(&history->budget, room, 3 * longest);
    if (error < 0) {
        tp_history_destroy(history);
        return error;
    }
    *ret_history = history;
    return 0;
}
