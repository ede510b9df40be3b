/* The same hash for processors that have AVX2: this file alone is compiled for them. */
#include "hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t tp_hash_avx2(const void *bytes, size_t len_bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, len_bytes, seed);
}
