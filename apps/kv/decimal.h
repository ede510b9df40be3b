/** apps/kv/decimal.h - decimal numbers as text, and their exact sum: INCRBYFLOAT.
 *
 * Redis adds in the processor's long double, of which there are several kinds; here digits
 * are added, so that every machine and every replay comes to the same. What may be written,
 * and how large it may be, is as there: [+-] digits [. digits] [e [+-] digits], or
 * infinity. The sum is rounded to 17 decimals, a tie to the even one.
 */
#ifndef TEMPEST_APPS_KV_DECIMAL_H
#define TEMPEST_APPS_KV_DECIMAL_H

#include "apps/kv/slice.h"

enum {
    KV_DECIMAL_INPUT_MAX = 5119,  /* bytes of a number that is read */
    KV_DECIMAL_DIGITS_MAX = 4933, /* before the point, of the largest number */
    KV_DECIMAL_PLACES = 17,       /* behind the point, of one that is written */
    KV_DECIMAL_BYTES = KV_DECIMAL_DIGITS_MAX + KV_DECIMAL_PLACES + 3,
};

/** A number; its digits are in the text that it was read from. */
struct kv_decimal {
    struct kv_slice whole, fraction; /* digits before and behind the point */
    int32_t exponent;
    int32_t top, bottom; /* weights (powers of ten) of the first and last digit but zeros */
    bool negative;
    bool infinite;
    bool zero;
};

/** Reads a number. False: it is none, or too large, or so small that it is nothing. */
bool kv_decimal_parse(struct kv_slice text, struct kv_decimal *ret_decimal);

/** Writes a + b in its shortest form. False: the sum is infinite. */
bool kv_decimal_add(const struct kv_decimal *a, const struct kv_decimal *b,
                    char ret_text[KV_DECIMAL_BYTES], uint32_t *ret_len);

/** The number times ten to the power of `places`, rounded towards zero: at least 0, at most
 * `max`, which is below 10^18. */
uint64_t kv_decimal_scaled(const struct kv_decimal *decimal, uint32_t places, uint64_t max);

#endif
