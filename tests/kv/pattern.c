/** tests/kv/pattern.c - patterns beside a matcher that tries everything. */
#include <criterion/criterion.h>

#include "apps/kv/pattern.h"

static bool matches(const char *pattern, const char *text)
{
    return kv_pattern_matches(kv_slice_text(pattern), kv_slice_text(text), false);
}

Test(pattern, spells)
{
    cr_assert(matches("h?llo", "hello"));
    cr_assert(matches("h*llo", "heeeello"));
    cr_assert(matches("h[ae]llo", "hallo"));
    cr_assert_not(matches("h[ae]llo", "hillo"));
    cr_assert(matches("h[^e]llo", "hallo"));
    cr_assert_not(matches("h[^e]llo", "hello"));
    cr_assert(matches("h[a-b]llo", "hbllo"));
    cr_assert(matches("h[b-a]llo", "hallo"));
    cr_assert(matches("h\\*llo", "h*llo"));
    cr_assert_not(matches("h\\*llo", "hello"));
    cr_assert(matches("[\\]]", "]"));
    cr_assert(matches("a\\", "a\\"));
    cr_assert(matches("[a", "a"));
    cr_assert_not(matches("[", "a"));
    cr_assert(matches("[^", "a"));
}

Test(pattern, nothing_is_matched_by_nothing)
{
    cr_assert(matches("", ""));
    cr_assert_not(matches("*", ""));
    cr_assert_not(matches("", "a"));
    cr_assert_not(matches("?", ""));
}

Test(pattern, case_matters_unless_it_is_said_not_to)
{
    static const char *const patterns[] = {"ABC",     "abc", "a[B-B]c",
                                           "A[a-c]C", "*B*", "[A]bc"};

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        cr_assert(
            kv_pattern_matches(kv_slice_text(patterns[i]), kv_slice_text("aBc"), true),
            "%s", patterns[i]);
    cr_assert_not(matches("ABC", "abc"));
}

Test(pattern, any_byte_is_one)
{
    cr_assert(kv_pattern_matches(kv_slice_of("a?\0*", 4), kv_slice_of("ab\0c", 4), false));
    cr_assert(
        kv_pattern_matches(kv_slice_of("[\x80-\xff]", 5), kv_slice_of("\xc0", 1), false));
    cr_assert_not(
        kv_pattern_matches(kv_slice_of("[\x80-\xff]", 5), kv_slice_of("a", 1), false));
    /* Bytes are signed: from 'a' to -1 is from -1 to 'a'. */
    cr_assert(kv_pattern_matches(kv_slice_of("[a-\xff]", 5), kv_slice_of("A", 1), false));
    cr_assert_not(
        kv_pattern_matches(kv_slice_of("[a-\xff]", 5), kv_slice_of("b", 1), false));
}

/* The obvious matcher, for patterns without sets: every `*` is tried with every length. */
static bool naive(const char *pattern, const char *text)
{
    if (*pattern == '*')
        return naive(pattern + 1, text) || (*text != '\0' && naive(pattern, text + 1));
    if (*pattern == '\0' || *text == '\0')
        return *pattern == *text;
    return (*pattern == '?' || *pattern == *text) && naive(pattern + 1, text + 1);
}

/* The words of `letters` up to a length, by number. */
static void word(uint32_t number, const char *letters, char text[16])
{
    uint32_t base = (uint32_t)strlen(letters), len = 0;

    for (; number > 0; number = (number - 1) / base)
        text[len++] = letters[(number - 1) % base];
    text[len] = '\0';
}

Test(pattern, all_short_ones_on_all_short_texts)
{
    char pattern[16], text[16];

    for (uint32_t i = 0; i < 5460; i++) { /* up to 6 of 4 letters */
        word(i, "ab*?", pattern);
        for (uint32_t j = 1; j < 126; j++) { /* up to 6 of 2 */
            word(j, "ab", text);
            cr_assert_eq(matches(pattern, text), naive(pattern, text), "%s on %s", pattern,
                         text);
        }
    }
}

/* Where every star is tried with every length this takes longer than anybody waits. */
Test(pattern, many_stars_take_no_time)
{
    char pattern[1001], text[10001];

    for (uint32_t i = 0; i < 1000; i++)
        pattern[i] = i % 2 == 0 ? '*' : 'a';
    pattern[999] = 'b';
    pattern[1000] = '\0';
    memset(text, 'a', 10000);
    text[10000] = '\0';
    cr_assert_not(matches(pattern, text));
    text[9999] = 'b';
    cr_assert(matches(pattern, text));
}
