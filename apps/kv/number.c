#include "apps/kv/number.h"

#include "io/base.h"

bool kv_number_parse(struct kv_slice text, int64_t *ret_number)
{
    bool negative = text.len > 0 && text.bytes[0] == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t magnitude = 0;
    uint32_t at = negative ? 1 : 0;

    if (text.len == 1 && text.bytes[0] == '0') {
        *ret_number = 0;
        return true;
    }
    if (at == text.len || text.len > KV_NUMBER_BYTES || text.bytes[at] == '0')
        return false;
    for (; at < text.len; at++) {
        uint32_t digit = (uint32_t)text.bytes[at] - '0';

        if (digit > 9 || magnitude > (limit - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    *ret_number = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

uint32_t kv_number_print(int64_t number, char *ret_text)
{
    char reversed[KV_NUMBER_BYTES];
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    uint32_t digits = 0, len = 0;

    do {
        reversed[digits++] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (number < 0)
        ret_text[len++] = '-';
    while (digits > 0)
        ret_text[len++] = reversed[--digits];
    tp_assert(len <= KV_NUMBER_BYTES);
    return len;
}
