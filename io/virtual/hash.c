#include "hash.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t tp_hash(const void *bytes, size_t len_bytes, uint64_t seed)
{
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
