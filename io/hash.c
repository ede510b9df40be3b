#include "hash.h"

#include <string.h>

/* Compiled in, so that a platform without the library has it too. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#define LONG_BYTES 240 /* longer than that is hashed in blocks, where AVX2 gains */

uint64_t tp_hash(const void *bytes, size_t len_bytes, uint64_t seed)
{
#ifdef TP_HASH_AVX2
    if (len_bytes > LONG_BYTES && __builtin_cpu_supports("avx2"))
        return tp_hash_avx2(bytes, len_bytes, seed);
#endif
    return XXH3_64bits_withSeed(bytes, len_bytes, seed);
}

uint64_t tp_hash_words(const uint64_t *words, uint32_t count, uint64_t seed)
{
    uint8_t bytes[8 * TP_HASH_WORDS_MAX];

    tp_assert(count <= TP_HASH_WORDS_MAX);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(bytes, words, (size_t)8 * count); /* they lie so already */
#else
    for (uint32_t i = 0; i < count; i++)
        tp_put_le(bytes + (size_t)8 * i, words[i], 8);
#endif
    return tp_hash(bytes, (size_t)8 * count, seed);
}
