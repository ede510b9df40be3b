/** apps/kv/number.h - whole numbers as text, as the protocol and the commands write them.
 */
#ifndef TEMPEST_APPS_KV_NUMBER_H
#define TEMPEST_APPS_KV_NUMBER_H

#include "apps/kv/slice.h"

/** Bytes that a printed number may need. */
enum { KV_NUMBER_BYTES = 20 };

/** Reads a number in the one form in which it is written: no sign but a minus, no leading
 * zero, no space, no "-0". False for everything else, and for what needs over 64 bits. */
bool kv_number_parse(struct kv_slice text, int64_t *ret_number);

/** Writes `number` to `ret_text`, which has room for KV_NUMBER_BYTES, without a terminator;
 * gives its length. */
uint32_t kv_number_print(int64_t number, char *ret_text);

/** a + b into `*ret_sum`; false when that needs over 64 bits. */
static inline bool kv_number_add(int64_t a, int64_t b, int64_t *ret_sum)
{
    return !__builtin_add_overflow(a, b, ret_sum);
}

/** a * b into `*ret_product`; false when that needs over 64 bits. */
static inline bool kv_number_multiply(int64_t a, int64_t b, int64_t *ret_product)
{
    return !__builtin_mul_overflow(a, b, ret_product);
}

#endif
