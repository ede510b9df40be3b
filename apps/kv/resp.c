#include "apps/kv/resp.h"

#include <stdio.h>

#include "apps/kv/grow.h"
#include "apps/kv/number.h"
#include "apps/kv/words.h"

enum {
    STRANGER_ARGS_MAX = 10,
    STRANGER_ARGUMENT_MAX = 16 << 10,
    LINE_END_BYTES = 2,
    ARGS_KEPT = 256, /* room that a request leaves to the next */
    WORDS_KEPT = 4 << 10,
};

void kv_resp_init(struct kv_resp *resp, const struct kv_resp_limits *limits)
{
    *resp = (struct kv_resp){.limits = *limits};
}

void kv_resp_deinit(struct kv_resp *resp)
{
    free(resp->argv);
    free(resp->spans);
    free(resp->words);
    *resp = (struct kv_resp){0};
}

void kv_resp_next(struct kv_resp *resp)
{
    tp_assert(resp->error[0] == '\0');
    if (resp->argv_capacity > ARGS_KEPT) {
        free(resp->argv);
        free(resp->spans);
        resp->argv = NULL;
        resp->spans = NULL;
        resp->argv_capacity = resp->span_capacity = 0;
    }
    if (resp->words_capacity > WORDS_KEPT) {
        free(resp->words);
        resp->words = NULL;
        resp->words_capacity = 0;
    }
    resp->state = KV_RESP_BEGIN;
    resp->argc = resp->used = resp->seen = resp->at = resp->scanned = resp->missing = 0;
}

static enum kv_resp_status wrong(struct kv_resp *resp, const char *what)
{
    (void)snprintf(resp->error, sizeof resp->error, "Protocol error: %s", what);
    return KV_RESP_WRONG;
}

/* ------------------------------------------------------------------ lines */

enum line { LINE_FOUND, LINE_MORE, LINE_TOO_LONG };

/* Looks for `end` in the line that begins at `at`. A NUL hides what is behind it, so a line
 * with one never ends; as in Redis, whose clients may rely on neither. */
static enum line find_end(struct kv_resp *resp, const uint8_t *bytes, uint32_t len,
                          uint8_t end)
{
    uint32_t stop =
        len - resp->at > KV_RESP_LINE_MAX ? resp->at + KV_RESP_LINE_MAX + 1 : len;
    uint32_t at = resp->scanned < resp->at ? resp->at : resp->scanned;

    while (at < stop && bytes[at] != end && bytes[at] != '\0')
        at++;
    resp->scanned = at;
    if (at < stop && bytes[at] == end)
        return LINE_FOUND;
    return len - resp->at > KV_RESP_LINE_MAX ? LINE_TOO_LONG : LINE_MORE;
}

/* The number of a header: behind its type byte, before its CR, and the LF must have come.
 */
static enum line read_header(struct kv_resp *resp, const uint8_t *bytes, uint32_t len,
                             struct kv_slice *ret_text)
{
    enum line line = find_end(resp, bytes, len, '\r');

    if (line != LINE_FOUND)
        return line;
    if (len - resp->scanned < LINE_END_BYTES)
        return LINE_MORE;
    /* The type byte of an argument may be the CR itself; whoever asks looks at that first.
     */
    *ret_text = resp->scanned == resp->at
                    ? kv_slice_of(NULL, 0)
                    : kv_slice_of(bytes + resp->at + 1, resp->scanned - resp->at - 1);
    return LINE_FOUND;
}

static void pass_header(struct kv_resp *resp)
{
    resp->at = resp->scanned + LINE_END_BYTES;
    resp->scanned = resp->at;
}

/* ------------------------------------------------------------------ an array */

/* All arguments are there: where they lie becomes what they are. */
static enum kv_resp_status finish_array(struct kv_resp *resp, const uint8_t *bytes)
{
    resp->argv = kv_grow(resp->argv, &resp->argv_capacity, resp->argc, sizeof *resp->argv);
    for (uint32_t i = 0; i < resp->argc; i++)
        resp->argv[i] = kv_slice_of(bytes + resp->spans[i].offset, resp->spans[i].len);
    resp->used = resp->at;
    return KV_RESP_REQUEST;
}

static enum kv_resp_status read_count(struct kv_resp *resp, const uint8_t *bytes,
                                      uint32_t len)
{
    struct kv_slice text;
    int64_t count;

    switch (read_header(resp, bytes, len, &text)) {
    case LINE_MORE:
        return KV_RESP_MORE;
    case LINE_TOO_LONG:
        return wrong(resp, "too big mbulk count string");
    case LINE_FOUND:
        break;
    }
    if (!kv_number_parse(text, &count) || count > resp->limits.args_max ||
        count > KV_RESP_ARGS_MAX)
        return wrong(resp, "invalid multibulk length");
    if (resp->limits.stranger && count > STRANGER_ARGS_MAX)
        return wrong(resp, "unauthenticated multibulk length");
    pass_header(resp);
    resp->missing = count < 0 ? 0 : (uint32_t)count;
    resp->state = KV_RESP_LENGTH;
    return KV_RESP_MORE;
}

static enum kv_resp_status wrong_type(struct kv_resp *resp, uint8_t type)
{
    char what[] = "expected '$', got ' '";

    /* An error is one line. */
    if (type != '\r' && type != '\n')
        what[sizeof what - 3] = (char)type;
    return wrong(resp, what);
}

static enum kv_resp_status read_length(struct kv_resp *resp, const uint8_t *bytes,
                                       uint32_t len)
{
    struct kv_slice text;
    int64_t length;

    switch (read_header(resp, bytes, len, &text)) {
    case LINE_MORE:
        return KV_RESP_MORE;
    case LINE_TOO_LONG:
        return wrong(resp, "too big bulk count string");
    case LINE_FOUND:
        break;
    }
    if (bytes[resp->at] != '$')
        return wrong_type(resp, bytes[resp->at]);
    if (!kv_number_parse(text, &length) || length < 0 || length > resp->limits.argument_max)
        return wrong(resp, "invalid bulk length");
    if (resp->limits.stranger && length > STRANGER_ARGUMENT_MAX)
        return wrong(resp, "unauthenticated bulk length");
    pass_header(resp);
    resp->spans = kv_grow(resp->spans, &resp->span_capacity, (uint64_t)resp->argc + 1,
                          sizeof *resp->spans);
    resp->spans[resp->argc] =
        (struct kv_resp_span){.offset = resp->at, .len = (uint32_t)length};
    resp->state = KV_RESP_ARGUMENT;
    return KV_RESP_MORE;
}

/* True when the argument is there. What its line ends with is not looked at, only skipped;
 * as in Redis. */
static bool read_argument(struct kv_resp *resp, uint32_t len)
{
    uint32_t length = resp->spans[resp->argc].len;

    if (len - resp->at < (uint64_t)length + LINE_END_BYTES)
        return false;
    resp->at += length + LINE_END_BYTES;
    resp->scanned = resp->at;
    resp->argc++;
    resp->missing--;
    resp->state = KV_RESP_LENGTH;
    return true;
}

/* ------------------------------------------------------------------ a line of words */

static enum kv_resp_status read_line(struct kv_resp *resp, const uint8_t *bytes,
                                     uint32_t len)
{
    uint32_t line_len;

    switch (find_end(resp, bytes, len, '\n')) {
    case LINE_MORE:
        return KV_RESP_MORE;
    case LINE_TOO_LONG:
        return wrong(resp, "too big inline request");
    case LINE_FOUND:
        break;
    }
    line_len = resp->scanned;
    resp->used = line_len + 1;
    if (line_len > 0 && bytes[line_len - 1] == '\r')
        line_len--;
    resp->words = kv_grow(resp->words, &resp->words_capacity, line_len, 1);
    /* Two words have a space between them. */
    resp->argv =
        kv_grow(resp->argv, &resp->argv_capacity, line_len / 2 + 1, sizeof *resp->argv);
    if (!kv_words_split(kv_slice_of(bytes, line_len), resp->words, resp->argv, &resp->argc))
        return wrong(resp, "unbalanced quotes in request");
    return KV_RESP_REQUEST;
}

/* ------------------------------------------------------------------ the whole */

enum kv_resp_status kv_resp_read(struct kv_resp *resp, const uint8_t *bytes, uint32_t len)
{
    enum kv_resp_status status = KV_RESP_MORE;

    tp_assert(resp->used == 0 && resp->error[0] == '\0');
    tp_assert(resp->at <= len);
    resp->seen = len;
    if (resp->state == KV_RESP_BEGIN && len > 0)
        resp->state = bytes[0] == '*' ? KV_RESP_COUNT : KV_RESP_LINE;
    if (resp->state == KV_RESP_LINE)
        return read_line(resp, bytes, len);
    if (resp->state == KV_RESP_COUNT) {
        status = read_count(resp, bytes, len);
        if (status != KV_RESP_MORE || resp->state == KV_RESP_COUNT)
            return status;
    }
    while (resp->state != KV_RESP_BEGIN && resp->missing > 0) {
        if (resp->state == KV_RESP_LENGTH) {
            status = read_length(resp, bytes, len);
            if (status != KV_RESP_MORE || resp->state == KV_RESP_LENGTH)
                return status;
        }
        if (!read_argument(resp, len))
            return KV_RESP_MORE;
    }
    return resp->state == KV_RESP_BEGIN ? KV_RESP_MORE : finish_array(resp, bytes);
}

uint64_t kv_resp_wanted(const struct kv_resp *resp)
{
    if (resp->state == KV_RESP_ARGUMENT)
        return (uint64_t)resp->at + resp->spans[resp->argc].len + LINE_END_BYTES;
    return (uint64_t)resp->seen + 1;
}
