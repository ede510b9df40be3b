/* Where a byte is, and where a string ends: sixteen bytes at a time, where wasi-libc goes
 * four at a time and, up to a multiple of that, one by one. A piece at a multiple of its
 * size lies within a page of memory, so what is read around a string is there. */
#include <stdint.h>
#include <string.h>
#include <wasm_simd128.h>

enum { LANES = 16 };

/* wasi-libc's, behind strchr() and strcspn(). */
char *__strchrnul(const char *string, int value);

/* A bit for each byte of a piece that is one or the other. */
static uint32_t hits_in(const uint8_t *piece, v128_t one, v128_t other)
{
    const v128_t bytes = wasm_v128_load(piece);

    return wasm_i8x16_bitmask(
        wasm_v128_or(wasm_i8x16_eq(bytes, one), wasm_i8x16_eq(bytes, other)));
}

/* The first byte that is one or the other; `len`: none of so many. */
static size_t find(const uint8_t *from, v128_t one, v128_t other, size_t len)
{
    const uint32_t before = (uint32_t)((uintptr_t)from % LANES);
    const uint8_t *piece = from - before;
    uint32_t hits;
    size_t at;

    if (len == 0)
        return 0; /* there need not be anything */
    hits = hits_in(piece, one, other) >> before << before;
    while (hits == 0) {
        piece += LANES;
        if ((size_t)(piece - from) >= len)
            return len;
        hits = hits_in(piece, one, other);
    }
    at = (uintptr_t)piece + (uint32_t)__builtin_ctz(hits) - (uintptr_t)from;
    return at < len ? at : len;
}

void *memchr(const void *from, int value, size_t len)
{
    const v128_t wanted = wasm_u8x16_splat((uint8_t)value);
    const size_t at = find(from, wanted, wanted, len);

    return at == len ? NULL : (uint8_t *)(uintptr_t)from + at;
}

size_t strlen(const char *string)
{
    const v128_t zero = wasm_u8x16_splat(0);

    return find((const uint8_t *)string, zero, zero, SIZE_MAX);
}

char *__strchrnul(const char *string, int value)
{
    const v128_t wanted = wasm_u8x16_splat((uint8_t)value);

    return (char *)(uintptr_t)string +
           find((const uint8_t *)string, wanted, wasm_u8x16_splat(0), SIZE_MAX);
}
