/** io/hash.h - the 64-bit hash: the checksum of records, and of memory on loan, and what
 * traces, tapes and disk states are compared by. For your own bytes, too.
 *
 * It is XXH3: the same value for the same bytes and seed on every compiler, level and
 * machine, and in every version, since logs on disks and saved tapes hold such values. So
 * numbers are hashed as little-endian bytes, never a struct as it lies in memory. What is
 * damaged it tells but for one case in 2^64; it is no help against who damages on purpose.
 */
#ifndef TEMPEST_IO_HASH_H
#define TEMPEST_IO_HASH_H

#include "base.h"

/** The hash of `len_bytes` at `bytes`; `seed` is 0, or the hash of what came before. Pieces
 * that are chained so give another value than the whole. */
TP_EXPORT uint64_t tp_hash(const void *bytes, size_t len_bytes, uint64_t seed);

#ifdef TP_HASH_AVX2
/** The same value, on a processor that has AVX2: for tp_hash(), which asks. */
uint64_t tp_hash_avx2(const void *bytes, size_t len_bytes, uint64_t seed);
#endif

/** The hash of `count` numbers, as little-endian bytes; `count` is at most
 * TP_HASH_WORDS_MAX. */
#define TP_HASH_WORDS_MAX 16
TP_EXPORT uint64_t tp_hash_words(const uint64_t *words, uint32_t count, uint64_t seed);

/** Writes the `size_bytes` low bytes of `value`, least significant first. */
static inline void tp_put_le(uint8_t *ret_bytes, uint64_t value, uint32_t size_bytes)
{
    for (uint32_t i = 0; i < size_bytes; i++)
        ret_bytes[i] = (uint8_t)(value >> (8 * i));
}

/** Reads a number that tp_put_le() wrote. */
static inline uint64_t tp_get_le(const uint8_t *bytes, uint32_t size_bytes)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < size_bytes; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

#endif
