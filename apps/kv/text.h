/** apps/kv/text.h - a text in the making, for a person to read.
 */
#ifndef TEMPEST_APPS_KV_TEXT_H
#define TEMPEST_APPS_KV_TEXT_H

#include "apps/kv/slice.h"

/** Zero is an empty one. */
struct kv_text {
    char *bytes;
    uint32_t len, capacity;
};

/** Gives the memory back. */
void kv_text_deinit(struct kv_text *text);

/** Adds to it, in the manner of printf(); at most 4 KiB at once. */
TP_PRINTF(2, 3) void kv_text_add(struct kv_text *text, const char *format, ...);

/** Adds bytes as they are. */
void kv_text_add_slice(struct kv_text *text, struct kv_slice slice);

static inline struct kv_slice kv_text_slice(const struct kv_text *text)
{
    return kv_slice_of(text->bytes, text->len);
}

#endif
