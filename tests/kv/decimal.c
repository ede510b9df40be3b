/** tests/kv/decimal.c - decimal numbers beside whole ones, and at their edges. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "apps/kv/decimal.h"

/* The sum as a text; "infinite", or "wrong" when one of the two cannot be read. */
static const char *sum_of(const char *a, const char *b)
{
    static char text[KV_DECIMAL_BYTES + 1];
    struct kv_decimal first, second;
    uint32_t len;

    if (!kv_decimal_parse(kv_slice_text(a), &first) ||
        !kv_decimal_parse(kv_slice_text(b), &second))
        return "wrong";
    if (!kv_decimal_add(&first, &second, text, &len))
        return "infinite";
    text[len] = '\0';
    return text;
}

#define expect_sum(a, b, sum) cr_assert_str_eq(sum_of(a, b), sum, "%s + %s", a, b)

Test(decimal, all_forms_are_read)
{
    expect_sum("0", "5", "5");
    expect_sum("0", "+5", "5");
    expect_sum("0", "-5", "-5");
    expect_sum("0", "005.500", "5.5");
    expect_sum("0", ".5", "0.5");
    expect_sum("0", "5.", "5");
    expect_sum("0", "-.5e1", "-5");
    expect_sum("0", "1e3", "1000");
    expect_sum("0", "1E+3", "1000");
    expect_sum("0", "12.5e-3", "0.0125");
    expect_sum("0", "0.00125e3", "1.25");
    expect_sum("0", "1e003", "1000");
    expect_sum("0", "-0", "0");
    expect_sum("-0", "-0.0", "0");
    expect_sum("0", "0e99999999999", "0");
    expect_sum("0", "0e-99999999999", "0");
}

Test(decimal, what_is_no_number_is_not_read)
{
    static const char *const wrong[] = {
        "",   "+",    "-",   ".",     "e5",   "1e",   "1e+",  "1e-", "--1",   "+-1",
        " 1", "1 ",   "1,5", "1.2.3", "0x10", "nan",  "1e5.", "in",  "inff",  "infinit",
        "-",  "1e5e", "1-",  "e",     "+.e1", "1e 5", "\n1",  "1\t", "nan()", "INFINITYx"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_sum("0", wrong[i], "wrong");
}

Test(decimal, infinity_is_a_number_but_no_sum)
{
    expect_sum("inf", "1", "infinite");
    expect_sum("1", "-Infinity", "infinite");
    expect_sum("+INF", "-inf", "infinite");
    expect_sum("1e4932", "1e4931", sum_of("1.1e4932", "0"));
    expect_sum("1e4932", "1e4932", "infinite");
    expect_sum("-1e4932", "-1e4932", "infinite");
    expect_sum("1e4932", "-1e4932", "0");
}

/* Where 80 bits end: the numbers are those of Redis. */
Test(decimal, too_large_and_too_small_are_no_numbers)
{
    expect_sum("0", "1e4933", "wrong");
    expect_sum("0", "1e99999999999", "wrong");
    expect_sum("0", "0.00001e4938", "wrong");
    expect_sum("0", "1.189731495357231765054e4932", "wrong");
    cr_assert_eq(strlen(sum_of("0", "1.189731495357231765053e4932")), 4933);
    cr_assert_eq(strlen(sum_of("0", "-1.189731495357231765053e4932")), 4934);
    expect_sum("0", "1.189731495357231765053511589829488667966254004695567218956e4932",
               "wrong");
    expect_sum("0", "1.1897314953572317650535115898294886679662540046955672189561e4932",
               "wrong");
    expect_sum("0", "1e-4952", "wrong");
    expect_sum("0", "1e-99999999999", "wrong");
    expect_sum("0", "1.82259976594123730126e-4951", "wrong");
    expect_sum("0", "1.82259976594123730127e-4951", "0");
}

Test(decimal, long_inputs_end_at_a_limit)
{
    char text[KV_DECIMAL_INPUT_MAX + 2];

    memset(text, '0', sizeof text);
    text[KV_DECIMAL_INPUT_MAX + 1] = '\0';
    text[1] = '.';
    expect_sum("0", text, "wrong");
    text[KV_DECIMAL_INPUT_MAX] = '\0';
    text[KV_DECIMAL_INPUT_MAX - 1] = '1';
    expect_sum("0", text, "wrong"); /* 10^-5117 */
    text[4000] = '1';
    expect_sum("5", text, "5");
}

Test(decimal, a_tie_goes_to_the_even_digit)
{
    expect_sum("0", "0.000000000000000005", "0");
    expect_sum("0", "0.000000000000000015", "0.00000000000000002");
    expect_sum("0", "0.000000000000000025", "0.00000000000000002");
    expect_sum("0", "0.0000000000000000050001", "0.00000000000000001");
    expect_sum("0", "0.0000000000000000149", "0.00000000000000001");
    expect_sum("0", "-0.000000000000000015", "-0.00000000000000002");
    expect_sum("0", "-0.000000000000000005", "0");
    expect_sum("0", "0.999999999999999995", "1");
    expect_sum("0", "-9.999999999999999995", "-10");
    expect_sum("0.999999999999999995", "-1e-30", "0.99999999999999999");
    expect_sum("0.999999999999999994", "1e-30", "0.99999999999999999");
    expect_sum("1", "-1e-4000", "1");
    expect_sum("-1", "1e-4000", "-1");
    expect_sum("1e-4000", "-1e-4000", "0");
}

Test(decimal, carries_and_borrows_go_all_the_way)
{
    expect_sum("99999999999999999999", "1", "100000000000000000000");
    expect_sum("100000000000000000000", "-1", "99999999999999999999");
    expect_sum("-100000000000000000000", "0.00000000000000001",
               "-99999999999999999999.99999999999999999");
    expect_sum("12345678901", "0.1", "12345678901.1");
    expect_sum("3", "-5.1", "-2.1");
    expect_sum("5.1", "-3", "2.1");
    expect_sum("-3", "5.1", "2.1");
    expect_sum("-5.1", "3", "-2.1");
    expect_sum("0.1", "0.2", "0.3");
}

/* ------------------------------------------------------------------ whole numbers */

/* millionths as a text with six decimals, in one of several forms. */
static void spell(int64_t millionths, uint32_t form, char text[64])
{
    uint64_t size = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    const char *sign = millionths < 0 ? "-" : (form & 4) ? "+" : "";

    if ((form & 3) == 0)
        (void)snprintf(text, 64, "%s%" PRIu64 "e-6", sign, size);
    else if ((form & 3) == 1)
        (void)snprintf(text, 64, "%s%" PRIu64 ".%06" PRIu64, sign, size / 1000000,
                       size % 1000000);
    else if ((form & 3) == 2)
        (void)snprintf(text, 64, "%s0.0%016" PRIu64 "E11", sign, size);
    else
        (void)snprintf(text, 64, "%s000%" PRIu64 "000e-09", sign, size);
}

/* The shortest form, as it is written. */
static void shorten(int64_t millionths, char text[64])
{
    uint64_t size = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    size_t len;

    (void)snprintf(text, 64, "%s%" PRIu64 ".%06" PRIu64, millionths < 0 ? "-" : "",
                   size / 1000000, size % 1000000);
    len = strlen(text);
    while (text[len - 1] == '0')
        text[--len] = '\0';
    if (text[len - 1] == '.')
        text[len - 1] = '\0';
}

Test(decimal, sums_are_those_of_whole_numbers)
{
    uint64_t random = 1;

    for (uint32_t i = 0; i < 20000; i++) {
        int64_t numbers[2];
        char a[64], b[64], expected[64];

        for (uint32_t j = 0; j < 2; j++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            numbers[j] = (int64_t)random >> (12 + (random >> 5) % 50);
        }
        spell(numbers[0], i, a);
        spell(numbers[1], i >> 3, b);
        shorten(numbers[0] + numbers[1], expected);
        expect_sum(a, b, expected);
    }
}

Test(decimal, is_scaled_within_bounds)
{
    static const struct {
        const char *text;
        uint64_t expected;
    } rows[] = {{"0", 0},          {"1.5", 1500},   {"0.0019", 1},
                {"-3", 0},         {"1e2", 100000}, {"9999", 999999},
                {"1e300", 999999}, {"1e-300", 0},   {"999.9999", 999999},
                {"inf", 999999},   {"-inf", 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kv_decimal decimal;

        cr_assert(kv_decimal_parse(kv_slice_text(rows[i].text), &decimal));
        cr_assert_eq(kv_decimal_scaled(&decimal, 3, 999999), rows[i].expected, "%s",
                     rows[i].text);
    }
}
