#include "apps/kv/decimal.h"

enum {
    EXPONENT_MAX = 100000, /* larger ones are too large, whatever the digits are */
    LOWEST_KEPT = -(KV_DECIMAL_PLACES + 1), /* weight of the digit that rounding looks at */
};

/* Where a number of 80 bits becomes infinite: halfway behind the largest, which has the
 * weight 4932; and up to where it becomes zero: half the smallest. */
static const char infinite_from[] =
    "1189731495357231765053511589829488667966254004695567218956";
static const char nothing_until[] = "18225997659412373012642029668097099";
enum { INFINITE_WEIGHT = 4932, NOTHING_WEIGHT = -4951 };

/* ------------------------------------------------------------------ reading */

static bool is_digit(struct kv_slice text, uint32_t at)
{
    return at < text.len && text.bytes[at] >= '0' && text.bytes[at] <= '9';
}

static struct kv_slice take_digits(struct kv_slice text, uint32_t *at)
{
    uint32_t begin = *at;

    while (is_digit(text, *at))
        ++*at;
    return kv_slice_of(text.bytes + begin, *at - begin);
}

static bool take_sign(struct kv_slice text, uint32_t *at)
{
    bool negative = *at < text.len && text.bytes[*at] == '-';

    if (negative || (*at < text.len && text.bytes[*at] == '+'))
        ++*at;
    return negative;
}

/* The exponent, if there is one; false when what is there is none. */
static bool take_exponent(struct kv_slice text, uint32_t *at, int32_t *exponent)
{
    bool negative;

    if (*at == text.len || (text.bytes[*at] | 0x20) != 'e')
        return true;
    ++*at;
    negative = take_sign(text, at);
    if (!is_digit(text, *at))
        return false;
    for (; is_digit(text, *at); ++*at) {
        if (*exponent < EXPONENT_MAX)
            *exponent = *exponent * 10 + (text.bytes[*at] - '0');
    }
    if (negative)
        *exponent = -*exponent;
    return true;
}

/* The digit of a weight. */
static uint32_t digit(const struct kv_decimal *decimal, int32_t weight)
{
    int32_t index = (int32_t)decimal->whole.len - 1 + decimal->exponent - weight;

    if (index < 0)
        return 0;
    if ((uint32_t)index < decimal->whole.len)
        return (uint32_t)decimal->whole.bytes[index] - '0';
    index -= (int32_t)decimal->whole.len;
    return (uint32_t)index < decimal->fraction.len
               ? (uint32_t)decimal->fraction.bytes[index] - '0'
               : 0;
}

static void find_ends(struct kv_decimal *decimal)
{
    int32_t top = (int32_t)decimal->whole.len - 1 + decimal->exponent;
    int32_t bottom = decimal->exponent - (int32_t)decimal->fraction.len;

    while (top >= bottom && digit(decimal, top) == 0)
        top--;
    decimal->zero = top < bottom;
    while (!decimal->zero && digit(decimal, bottom) == 0)
        bottom++;
    decimal->top = decimal->zero ? 0 : top;
    decimal->bottom = decimal->zero ? 0 : bottom;
}

/* Its magnitude beside a constant whose first digit has the weight `top`: -1, 0 or 1. */
static int32_t compare_to(const struct kv_decimal *decimal, const char *digits, int32_t top)
{
    int32_t len = (int32_t)strlen(digits);

    if (decimal->zero || decimal->top != top)
        return decimal->zero || decimal->top < top ? -1 : 1;
    for (int32_t i = 0; i < len; i++) {
        uint32_t mine = digit(decimal, top - i), its = (uint32_t)digits[i] - '0';

        if (mine != its)
            return mine < its ? -1 : 1;
    }
    return decimal->bottom <= top - len ? 1 : 0;
}

bool kv_decimal_parse(struct kv_slice text, struct kv_decimal *ret_decimal)
{
    struct kv_decimal decimal = {.zero = true};
    uint32_t at = 0;

    if (text.len == 0 || text.len > KV_DECIMAL_INPUT_MAX)
        return false;
    decimal.negative = take_sign(text, &at);
    if (kv_slice_is(kv_slice_of(text.bytes + at, text.len - at), "inf") ||
        kv_slice_is(kv_slice_of(text.bytes + at, text.len - at), "infinity")) {
        decimal.infinite = true;
        *ret_decimal = decimal;
        return true;
    }
    decimal.whole = take_digits(text, &at);
    if (at < text.len && text.bytes[at] == '.') {
        at++;
        decimal.fraction = take_digits(text, &at);
    }
    if (decimal.whole.len + decimal.fraction.len == 0 ||
        !take_exponent(text, &at, &decimal.exponent) || at != text.len)
        return false;
    find_ends(&decimal);
    if (!decimal.zero && (compare_to(&decimal, infinite_from, INFINITE_WEIGHT) >= 0 ||
                          compare_to(&decimal, nothing_until, NOTHING_WEIGHT) <= 0))
        return false;
    *ret_decimal = decimal;
    return true;
}

/* ------------------------------------------------------------------ adding */

static int32_t lower(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t higher(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* The magnitudes beside each other. */
static bool is_less(const struct kv_decimal *a, const struct kv_decimal *b)
{
    int32_t top = higher(a->top, b->top), bottom = lower(a->bottom, b->bottom);

    for (int32_t weight = top; weight >= bottom; weight--) {
        if (digit(a, weight) != digit(b, weight))
            return digit(a, weight) < digit(b, weight);
    }
    return false;
}

/* The digits of a sum, one a byte, from the weight `top` down to LOWEST_KEPT. */
struct sum {
    uint8_t digits[KV_DECIMAL_DIGITS_MAX + 1 + KV_DECIMAL_PLACES + 1];
    int32_t top;
    bool more; /* below them there is something but zeros */
};

static uint8_t *sum_digit(struct sum *sum, int32_t weight)
{
    tp_assert(weight <= sum->top && weight >= LOWEST_KEPT);
    return &sum->digits[sum->top - weight];
}

/* a + b, or, with a at least b, a - b. */
static void combine(const struct kv_decimal *a, const struct kv_decimal *b, bool subtract,
                    struct sum *sum)
{
    int32_t bottom = lower(lower(a->bottom, b->bottom), LOWEST_KEPT);
    uint32_t carry = 0;

    sum->top = higher(higher(a->top, b->top), 0) + 1;
    tp_assert(sum->top <= KV_DECIMAL_DIGITS_MAX);
    for (int32_t weight = bottom; weight <= sum->top; weight++) {
        uint32_t mine = digit(a, weight), its = digit(b, weight) + carry, out;

        if (subtract) {
            carry = mine < its;
            out = mine + 10 * carry - its;
        } else {
            carry = mine + its > 9;
            out = mine + its - 10 * carry;
        }
        if (weight >= LOWEST_KEPT)
            *sum_digit(sum, weight) = (uint8_t)out;
        else
            sum->more |= out != 0;
    }
    tp_assert(carry == 0);
}

/* Drops the lowest digit. The top one has room for a carry. */
static void round_off(struct sum *sum)
{
    uint32_t last = *sum_digit(sum, LOWEST_KEPT);
    int32_t weight = LOWEST_KEPT + 1;
    bool odd = *sum_digit(sum, weight) % 2 == 1;

    *sum_digit(sum, LOWEST_KEPT) = 0;
    if (last < 5 || (last == 5 && !sum->more && !odd))
        return;
    while (*sum_digit(sum, weight) == 9)
        *sum_digit(sum, weight++) = 0;
    ++*sum_digit(sum, weight);
}

static uint32_t print(struct sum *sum, bool negative, char *ret_text)
{
    int32_t top = sum->top, bottom = LOWEST_KEPT;
    uint32_t len = 0;

    while (top > 0 && *sum_digit(sum, top) == 0)
        top--;
    while (bottom < 0 && *sum_digit(sum, bottom) == 0)
        bottom++;
    if (negative && (top > 0 || bottom < 0 || *sum_digit(sum, 0) > 0))
        ret_text[len++] = '-';
    for (int32_t weight = top; weight >= bottom; weight--) {
        if (weight == -1)
            ret_text[len++] = '.';
        ret_text[len++] = (char)('0' + *sum_digit(sum, weight));
    }
    tp_assert(len <= KV_DECIMAL_BYTES);
    return len;
}

bool kv_decimal_add(const struct kv_decimal *a, const struct kv_decimal *b,
                    char ret_text[KV_DECIMAL_BYTES], uint32_t *ret_len)
{
    struct sum sum = {.more = false};
    struct kv_decimal printed;

    if (a->infinite || b->infinite)
        return false;
    if (is_less(a, b)) {
        const struct kv_decimal *larger = b;

        b = a;
        a = larger;
    }
    combine(a, b, a->negative != b->negative, &sum);
    round_off(&sum);
    *ret_len = print(&sum, a->negative, ret_text);
    return kv_decimal_parse(kv_slice_of(ret_text, *ret_len), &printed);
}

uint64_t kv_decimal_scaled(const struct kv_decimal *decimal, uint32_t places, uint64_t max)
{
    int32_t lowest = -(int32_t)places;
    uint64_t scaled = 0;

    if (decimal->negative)
        return 0;
    if (decimal->infinite)
        return max;
    for (int32_t weight = decimal->top; weight >= lowest; weight--) {
        scaled = scaled * 10 + digit(decimal, weight);
        if (scaled > max)
            return max;
    }
    return scaled;
}
