#include "apps/kv/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "apps/kv/grow.h"
#include "apps/kv/number.h"

enum {
    HEADER_BYTES = 1 + KV_NUMBER_BYTES + 2,
    TEXT_BYTES = 1024, /* of a line with a format */
};

void kv_reply_deinit(struct kv_reply *reply)
{
    free(reply->bytes);
    reply->bytes = NULL;
    reply->len = reply->capacity = 0;
    reply->overflown = false;
}

/* Room for `len` bytes more; NULL when the reply is too long for them. */
static uint8_t *add(struct kv_reply *reply, uint64_t len)
{
    uint8_t *place;

    tp_assert(reply->version == KV_RESP2 || reply->version == KV_RESP3);
    if (reply->overflown || reply->len + len > reply->limit) {
        reply->overflown = true;
        return NULL;
    }
    reply->bytes = kv_grow(reply->bytes, &reply->capacity, reply->len + len, 1);
    place = reply->bytes + reply->len;
    reply->len += (uint32_t)len;
    return place;
}

static uint8_t *put(uint8_t *place, const void *bytes, uint32_t len)
{
    if (len > 0)
        memcpy(place, bytes, len);
    return place + len;
}

/* One line: `type`, the text, the end. */
static void add_line(struct kv_reply *reply, char type, struct kv_slice text)
{
    uint8_t *place = add(reply, (uint64_t)text.len + 3);

    if (place == NULL)
        return;
    *place++ = (uint8_t)type;
    place = put(place, text.bytes, text.len);
    (void)put(place, "\r\n", 2);
}

static void add_number(struct kv_reply *reply, char type, int64_t number)
{
    char digits[KV_NUMBER_BYTES];

    add_line(reply, type, kv_slice_of(digits, kv_number_print(number, digits)));
}

void kv_reply_status(struct kv_reply *reply, const char *text)
{
    add_line(reply, '+', kv_slice_text(text));
}

void kv_reply_statusf(struct kv_reply *reply, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    kv_reply_status(reply, text);
}

void kv_reply_ok(struct kv_reply *reply)
{
    kv_reply_status(reply, "OK");
}

/* ------------------------------------------------------------------ errors */

static bool is_line_end(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

void kv_reply_error_about(struct kv_reply *reply, const char *before, struct kv_slice word,
                          const char *after)
{
    const uint8_t *nul = word.len == 0 ? NULL : memchr(word.bytes, '\0', word.len);
    uint32_t word_len = nul == NULL ? word.len : (uint32_t)(nul - word.bytes);
    uint32_t before_len = (uint32_t)strlen(before), after_len = (uint32_t)strlen(after);
    uint8_t *place = add(reply, (uint64_t)before_len + word_len + after_len + 3);
    uint8_t *begin = place, *end;

    if (place == NULL)
        return;
    *place++ = '-';
    place = put(place, before, before_len);
    place = put(place, word.bytes, word_len);
    place = put(place, after, after_len);
    end = place;
    while (end > begin && is_line_end(end[-1]))
        end--;
    for (uint8_t *at = begin; at < end; at++) {
        if (is_line_end(*at))
            *at = ' ';
    }
    reply->len -= (uint32_t)(place - end);
    (void)put(end, "\r\n", 2);
}

void kv_reply_error(struct kv_reply *reply, const char *text)
{
    kv_reply_error_about(reply, text, kv_slice_of(NULL, 0), "");
}

void kv_reply_errorf(struct kv_reply *reply, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    kv_reply_error(reply, text);
}

/* ------------------------------------------------------------------ values */

void kv_reply_integer(struct kv_reply *reply, int64_t number)
{
    add_number(reply, ':', number);
}

/* A length, then so many bytes; `prefix` is the first of them. */
static void add_counted(struct kv_reply *reply, char type, const char *prefix,
                        struct kv_slice bytes)
{
    uint32_t prefix_len = (uint32_t)strlen(prefix);
    uint64_t len = (uint64_t)prefix_len + bytes.len;
    char header[HEADER_BYTES];
    uint32_t header_len = 1 + kv_number_print((int64_t)len, header + 1);
    uint8_t *place = add(reply, header_len + len + 4);

    if (place == NULL)
        return;
    header[0] = type;
    place = put(place, header, header_len);
    place = put(place, "\r\n", 2);
    place = put(place, prefix, prefix_len);
    place = put(place, bytes.bytes, bytes.len);
    (void)put(place, "\r\n", 2);
}

void kv_reply_bulk(struct kv_reply *reply, struct kv_slice bytes)
{
    add_counted(reply, '$', "", bytes);
}

void kv_reply_text(struct kv_reply *reply, const char *text)
{
    kv_reply_bulk(reply, kv_slice_text(text));
}

void kv_reply_bulk_integer(struct kv_reply *reply, int64_t number)
{
    char digits[KV_NUMBER_BYTES];

    kv_reply_bulk(reply, kv_slice_of(digits, kv_number_print(number, digits)));
}

void kv_reply_verbatim(struct kv_reply *reply, struct kv_slice text)
{
    if (reply->version == KV_RESP3)
        add_counted(reply, '=', "txt:", text);
    else
        kv_reply_bulk(reply, text);
}

void kv_reply_null(struct kv_reply *reply)
{
    if (reply->version == KV_RESP3)
        add_line(reply, '_', kv_slice_text(""));
    else
        add_number(reply, '$', -1);
}

void kv_reply_null_array(struct kv_reply *reply)
{
    if (reply->version == KV_RESP3)
        add_line(reply, '_', kv_slice_text(""));
    else
        add_number(reply, '*', -1);
}

/* ------------------------------------------------------------------ several values */

void kv_reply_array(struct kv_reply *reply, uint32_t count)
{
    add_number(reply, '*', count);
}

void kv_reply_map(struct kv_reply *reply, uint32_t count)
{
    if (reply->version == KV_RESP3)
        add_number(reply, '%', count);
    else
        add_number(reply, '*', 2 * (int64_t)count);
}

void kv_reply_set(struct kv_reply *reply, uint32_t count)
{
    add_number(reply, reply->version == KV_RESP3 ? '~' : '*', count);
}

void kv_reply_bring_forward(struct kv_reply *reply, uint32_t begin, uint32_t from)
{
    uint8_t moved[KV_REPLY_FORWARD_MAX];
    uint32_t len = reply->len - from;

    if (reply->overflown)
        return;
    tp_assert(begin <= from && from < reply->len && len <= sizeof moved);
    memcpy(moved, reply->bytes + from, len);
    memmove(reply->bytes + begin + len, reply->bytes + begin, from - begin);
    memcpy(reply->bytes + begin, moved, len);
}
