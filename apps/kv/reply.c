#include "apps/kv/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "apps/kv/grow.h"
#include "apps/kv/number.h"

enum {
    HEADER_BYTES = 1 + KV_NUMBER_BYTES + 2,
    COUNT_DIGITS = 10, /* of an array whose length comes later */
    ERROR_BYTES = 1024,
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

void kv_reply_ok(struct kv_reply *reply)
{
    kv_reply_status(reply, "OK");
}

/* ------------------------------------------------------------------ errors */

static bool is_line_end(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

void kv_reply_error_slice(struct kv_reply *reply, struct kv_slice text)
{
    uint32_t begin = reply->len;

    while (text.len > 0 && is_line_end(text.bytes[text.len - 1]))
        text.len--;
    add_line(reply, '-', text);
    for (uint32_t i = begin; !reply->overflown && i < reply->len - 2; i++) {
        if (is_line_end(reply->bytes[i]))
            reply->bytes[i] = ' ';
    }
}

void kv_reply_error(struct kv_reply *reply, const char *text)
{
    kv_reply_error_slice(reply, kv_slice_text(text));
}

void kv_reply_errorf(struct kv_reply *reply, const char *format, ...)
{
    char text[ERROR_BYTES];
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

uint32_t kv_reply_array_later(struct kv_reply *reply)
{
    uint32_t place = reply->len;

    (void)add(reply, 1 + COUNT_DIGITS + 2);
    return place;
}

/* The values move up to the length, which has fewer digits than there was room for. */
void kv_reply_array_known(struct kv_reply *reply, uint32_t place, uint32_t count)
{
    uint32_t end = reply->len, values = place + 1 + COUNT_DIGITS + 2;

    if (reply->overflown)
        return;
    tp_assert(values <= end);
    reply->len = place;
    kv_reply_array(reply, count);
    memmove(reply->bytes + reply->len, reply->bytes + values, end - values);
    reply->len += end - values;
}
