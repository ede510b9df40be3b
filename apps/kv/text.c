#include "apps/kv/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "apps/kv/grow.h"

enum { ADDED_MAX = 4096 };

void kv_text_deinit(struct kv_text *text)
{
    free(text->bytes);
    *text = (struct kv_text){.bytes = NULL};
}

void kv_text_add_slice(struct kv_text *text, struct kv_slice slice)
{
    text->bytes = kv_grow(text->bytes, &text->capacity, (uint64_t)text->len + slice.len, 1);
    if (slice.len > 0)
        memcpy(text->bytes + text->len, slice.bytes, slice.len);
    text->len += slice.len;
}

void kv_text_add(struct kv_text *text, const char *format, ...)
{
    char added[ADDED_MAX];
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(added, sizeof added, format, arguments);
    va_end(arguments);
    tp_assert(len >= 0 && len < ADDED_MAX);
    kv_text_add_slice(text, kv_slice_of(added, (uint32_t)len));
}
