/* Blocks of memory, filled and copied by instructions. The loops of wasi-libc were compiled
 * for engines that did not have them, and take several times as long. The instructions for
 * whole blocks have a price of their own, so short ones are done sixteen bytes at a time,
 * the last of which may be some of those before. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wasm_simd128.h>

enum { LANES = 16, SHORT = 256, PAGE = 4096, LARGE = 16 * PAGE };

static uint64_t word_at(const uint8_t *from)
{
    uint64_t word;

    __builtin_memcpy(&word, from, sizeof word);
    return word;
}

static void put_word(uint8_t *to, uint64_t word)
{
    __builtin_memcpy(to, &word, sizeof word);
}

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

    if (len >= sizeof word) {
        put_word(to, word);
        put_word(to + len - sizeof word, word);
        return;
    }
    for (size_t at = 0; at < len; at++)
        to[at] = value;
}

void *memset(void *to, int value, size_t len)
{
    const v128_t lanes = wasm_u8x16_splat((uint8_t)value);
    uint8_t *bytes = to;

    if (len < LANES) {
        fill_few(to, (uint8_t)value, len);
        return to;
    }
    if (len >= LARGE && (uint8_t)value == 0) {
        clear(to, len);
        return to;
    }
    if (len > SHORT)
        return __builtin_memset(to, value, len);
    for (size_t at = 0; at < len - LANES; at += LANES)
        wasm_v128_store(bytes + at, lanes);
    wasm_v128_store(bytes + len - LANES, lanes);
    return to;
}

/* ------------------------------------------------------------------ copying */

static void copy_few(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len >= sizeof(uint64_t)) {
        const uint64_t last = word_at(from + len - sizeof last);

        put_word(to, word_at(from));
        put_word(to + len - sizeof last, last);
        return;
    }
    for (size_t at = 0; at < len; at++)
        to[at] = from[at];
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    const uint8_t *source = from;
    uint8_t *bytes = to;

    if (len < LANES) {
        copy_few(to, from, len);
        return to;
    }
    if (len > SHORT)
        return __builtin_memcpy(to, from, len);
    for (size_t at = 0; at < len - LANES; at += LANES)
        wasm_v128_store(bytes + at, wasm_v128_load(source + at));
    wasm_v128_store(bytes + len - LANES, wasm_v128_load(source + len - LANES));
    return to;
}
