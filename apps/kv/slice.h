/** apps/kv/slice.h - bytes that belong to somebody else: a key, a value, an argument.
 *
 * Any bytes, NULs included, and none at all: with a length of 0 the address does not
 * matter. Whoever hands one out says how long it stays.
 */
#ifndef TEMPEST_APPS_KV_SLICE_H
#define TEMPEST_APPS_KV_SLICE_H

#include <string.h>

#include "io/base.h"

struct kv_slice {
    const uint8_t *bytes;
    uint32_t len;
};

/** The slice of `len` bytes at `bytes`. */
static inline struct kv_slice kv_slice_of(const void *bytes, uint32_t len)
{
    struct kv_slice slice = {(const uint8_t *)bytes, len};
    return slice;
}

/** The slice of a text, without its NUL; for texts of the program's own. */
static inline struct kv_slice kv_slice_text(const char *text)
{
    return kv_slice_of(text, (uint32_t)strlen(text));
}

/** Whether two hold the same bytes. */
static inline bool kv_slice_equal(struct kv_slice a, struct kv_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

/** Whether it spells `word`, a word in small letters, in letters of either case. ASCII's
 * only: no locale changes what a command is called. */
static inline bool kv_slice_is(struct kv_slice slice, const char *word)
{
    for (uint32_t i = 0; i < slice.len; i++) {
        uint8_t byte = slice.bytes[i];

        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte + ('a' - 'A'));
        if (byte == '\0' || byte != (uint8_t)word[i])
            return false;
    }
    return word[slice.len] == '\0';
}

#endif
