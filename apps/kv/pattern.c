#include "apps/kv/pattern.h"

/* A walk over a pattern. */
struct walk {
    struct kv_slice pattern;
    uint32_t at;
    bool any_case;
};

/* Bytes are compared as signed ones, which matters for ranges. */
static int32_t folded(const struct walk *walk, uint8_t byte)
{
    if (walk->any_case && byte >= 'A' && byte <= 'Z')
        byte = (uint8_t)(byte + ('a' - 'A'));
    return (int8_t)byte;
}

static uint32_t left(const struct walk *walk)
{
    return walk->pattern.len - walk->at;
}

static uint8_t peek(const struct walk *walk, uint32_t ahead)
{
    return ahead < left(walk) ? walk->pattern.bytes[walk->at + ahead] : '\0';
}

static bool same(const struct walk *walk, uint8_t a, uint8_t b)
{
    return folded(walk, a) == folded(walk, b);
}

static bool in_range(const struct walk *walk, uint8_t first, uint8_t last, uint8_t byte)
{
    bool turned = (int8_t)first > (int8_t)last;
    int32_t low = folded(walk, turned ? last : first);
    int32_t high = folded(walk, turned ? first : last);

    return folded(walk, byte) >= low && folded(walk, byte) <= high;
}

/* From behind the opening bracket to behind the closing one. */
static bool match_set(struct walk *walk, uint8_t byte)
{
    bool others = peek(walk, 0) == '^', found = false;

    if (others)
        walk->at++;
    while (left(walk) > 0 && peek(walk, 0) != ']') {
        if (left(walk) >= 2 && peek(walk, 0) == '\\') {
            walk->at++;
            found |= peek(walk, 0) == byte;
        } else if (left(walk) >= 3 && peek(walk, 1) == '-') {
            found |= in_range(walk, peek(walk, 0), peek(walk, 2), byte);
            walk->at += 2;
        } else {
            found |= same(walk, peek(walk, 0), byte);
        }
        walk->at++;
    }
    if (left(walk) > 0)
        walk->at++;
    return found != others;
}

/* One byte of the text beside what stands for one byte. */
static bool match_one(struct walk *walk, uint8_t byte)
{
    uint8_t first = peek(walk, 0);

    tp_assert(left(walk) > 0 && first != '*');
    walk->at++;
    if (first == '?')
        return true;
    if (first == '[')
        return match_set(walk, byte);
    if (first == '\\' && left(walk) > 0)
        first = walk->pattern.bytes[walk->at++];
    return same(walk, first, byte);
}

static bool skip_stars(struct walk *walk)
{
    bool any = false;

    for (; peek(walk, 0) == '*'; walk->at++)
        any = true;
    return any;
}

/* When something does not match, the last `*` takes one byte more: a `*` before it need
 * not, since what is between them was found as early as possible. */
bool kv_pattern_matches(struct kv_slice pattern, struct kv_slice text, bool any_case)
{
    struct walk walk = {.pattern = pattern, .any_case = any_case};
    uint32_t at = 0, retry_at = 0, behind_star = 0;
    bool starred = false;

    if (text.len == 0)
        return pattern.len == 0;
    while (at < text.len) {
        if (skip_stars(&walk)) {
            starred = true;
            behind_star = walk.at;
            retry_at = at;
            if (left(&walk) == 0)
                return true;
        }
        if (left(&walk) > 0 && match_one(&walk, text.bytes[at])) {
            at++;
            continue;
        }
        if (!starred)
            return false;
        walk.at = behind_star;
        at = ++retry_at;
    }
    (void)skip_stars(&walk);
    return left(&walk) == 0;
}
