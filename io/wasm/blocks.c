/* Blocks of memory, filled and copied by instructions. The loops of wasi-libc were compiled
 * for engines that did not have them, and take several times as long. The instructions for
 * whole blocks have a price of their own, so short ones are done in pieces of sixteen
 * bytes, the last of which may hold some of those before. An engine asks in every turn of a
 * loop whether it is to stop, so a turn does four. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wasm_simd128.h>

enum { LANES = 16, TURN = 4 * LANES, SHORT = 512, PAGE = 4096, LARGE = 16 * PAGE };

/* A number at an address that may be odd. */
typedef uint32_t four __attribute__((aligned(1), may_alias));
typedef uint64_t eight __attribute__((aligned(1), may_alias));

/* ------------------------------------------------------------------ filling */

static bool is_zero(const uint8_t *page)
{
    for (uint32_t at = 0; at < PAGE; at += 4 * LANES) {
        v128_t first =
            wasm_v128_or(wasm_v128_load(page + at), wasm_v128_load(page + at + LANES));
        v128_t second = wasm_v128_or(wasm_v128_load(page + at + 2 * LANES),
                                     wasm_v128_load(page + at + 3 * LANES));

        if (wasm_v128_any_true(wasm_v128_or(first, second)))
            return false;
    }
    return true;
}

/* Most of a large table is never touched, and a node that boots clears all of them. What is
 * zero is only looked at: that is sooner done than writing, and a page that nobody has
 * written costs its system no memory. */
static void clear(uint8_t *to, size_t len)
{
    size_t at = 0;

    for (; len - at >= PAGE; at += PAGE) {
        if (!is_zero(to + at))
            __builtin_memset(to + at, 0, PAGE);
    }
    __builtin_memset(to + at, 0, len - at);
}

static void fill_few(uint8_t *to, uint8_t value, size_t len)
{
    const uint64_t word = UINT64_C(0x0101010101010101) * value;

    if (len >= 8) {
        *(eight *)to = word;
        *(eight *)(to + len - 8) = word;
    } else if (len >= 4) {
        *(four *)to = (uint32_t)word;
        *(four *)(to + len - 4) = (uint32_t)word;
    } else if (len > 0) {
        to[0] = value;
        to[len / 2] = value;
        to[len - 1] = value;
    }
}

/* At least a piece. */
static void fill_pieces(uint8_t *to, uint8_t value, size_t len)
{
    const v128_t lanes = wasm_u8x16_splat(value);
    size_t at = 0;

    for (; len - at > TURN; at += TURN) {
        wasm_v128_store(to + at, lanes);
        wasm_v128_store(to + at + LANES, lanes);
        wasm_v128_store(to + at + 2 * LANES, lanes);
        wasm_v128_store(to + at + 3 * LANES, lanes);
    }
    for (; len - at > LANES; at += LANES)
        wasm_v128_store(to + at, lanes);
    wasm_v128_store(to + len - LANES, lanes);
}

void *memset(void *to, int value, size_t len)
{
    if (len < LANES)
        fill_few(to, (uint8_t)value, len);
    else if (len <= SHORT)
        fill_pieces(to, (uint8_t)value, len);
    else if (len >= LARGE && (uint8_t)value == 0)
        clear(to, len);
    else
        __builtin_memset(to, value, len);
    return to;
}

/* ------------------------------------------------------------------ copying */

/* All is read before anything is written, here and in each piece. */
static void copy_few(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len >= 8) {
        const uint64_t first = *(const eight *)from,
                       last = *(const eight *)(from + len - 8);

        *(eight *)to = first;
        *(eight *)(to + len - 8) = last;
    } else if (len >= 4) {
        const uint32_t first = *(const four *)from, last = *(const four *)(from + len - 4);

        *(four *)to = first;
        *(four *)(to + len - 4) = last;
    } else if (len > 0) {
        const uint8_t first = from[0], middle = from[len / 2], last = from[len - 1];

        to[0] = first;
        to[len / 2] = middle;
        to[len - 1] = last;
    }
}

/* At least a piece. */
static void copy_pieces(uint8_t *to, const uint8_t *from, size_t len)
{
    size_t at = 0;

    for (; len - at > TURN; at += TURN) {
        const v128_t first = wasm_v128_load(from + at);
        const v128_t second = wasm_v128_load(from + at + LANES);
        const v128_t third = wasm_v128_load(from + at + 2 * LANES);
        const v128_t fourth = wasm_v128_load(from + at + 3 * LANES);

        wasm_v128_store(to + at, first);
        wasm_v128_store(to + at + LANES, second);
        wasm_v128_store(to + at + 2 * LANES, third);
        wasm_v128_store(to + at + 3 * LANES, fourth);
    }
    for (; len - at > LANES; at += LANES)
        wasm_v128_store(to + at, wasm_v128_load(from + at));
    wasm_v128_store(to + len - LANES, wasm_v128_load(from + len - LANES));
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    if (len < LANES)
        copy_few(to, from, len);
    else if (len <= SHORT)
        copy_pieces(to, from, len);
    else
        __builtin_memcpy(to, from, len);
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    if (len < LANES)
        copy_few(to, from, len);
    else
        __builtin_memmove(to, from, len);
    return to;
}

/* ------------------------------------------------------------------ comparing */

static int compare_bytes(const uint8_t *one, const uint8_t *other, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        if (one[at] != other[at])
            return one[at] < other[at] ? -1 : 1;
    }
    return 0;
}

int memcmp(const void *one, const void *other, size_t len)
{
    const uint8_t *a = one, *b = other;
    size_t at = 0;

    for (; len - at >= LANES; at += LANES) {
        if (!wasm_i8x16_all_true(
                wasm_i8x16_eq(wasm_v128_load(a + at), wasm_v128_load(b + at))))
            return compare_bytes(a + at, b + at, LANES);
    }
    if (len - at >= 8 && *(const eight *)(a + at) == *(const eight *)(b + at))
        at += 8;
    return compare_bytes(a + at, b + at, len - at);
}
