/** apps/kv/pattern.h - patterns of KEYS, SCAN and CONFIG GET.
 *
 * `*` stands for any bytes, `?` for one, [a-z] for one of a set, [^a-z] for one of all
 * others, and a backslash takes the meaning from what follows. An empty text is matched by
 * an empty pattern only, so a lone `*` for everything is the caller's to know. Sets that
 * are not closed end with the pattern. In all that as Redis does it.
 */
#ifndef TEMPEST_APPS_KV_PATTERN_H
#define TEMPEST_APPS_KV_PATTERN_H

#include "apps/kv/slice.h"

/** Whether the whole text is of that pattern; with `any_case` letters are the same in both
 * cases. Takes time for the lengths of both, multiplied, at worst. */
bool kv_pattern_matches(struct kv_slice pattern, struct kv_slice text, bool any_case);

/** Whether it stands for everything. */
static inline bool kv_pattern_is_all(struct kv_slice pattern)
{
    return pattern.len == 1 && pattern.bytes[0] == '*';
}

#endif
