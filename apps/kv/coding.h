/** apps/kv/coding.h - numbers and strings as bytes, in records and snapshots.
 *
 * Fixed ones are little-endian. The others are LEB128: seven bits a byte, lowest first, the
 * top bit set in all but the last; only the shortest form of a number is one. Reading never
 * goes past the end, and says false for what is not there or out of range.
 */
#ifndef TEMPEST_APPS_KV_CODING_H
#define TEMPEST_APPS_KV_CODING_H

#include "apps/kv/slice.h"

#define KV_NUMBER_MAX                                                    \
    UINT64_C(0x7fffffffffffffff)   /* the largest number that is written \
                                    */
#define KV_NUMBER_SIZE UINT32_C(9) /* bytes that it takes */

/** What is left to be read. */
struct kv_reader {
    const uint8_t *at, *end;
};

static inline struct kv_reader kv_reader_of(const uint8_t *bytes, uint32_t len)
{
    struct kv_reader reader = {bytes, len == 0 ? bytes : bytes + len};
    return reader;
}

/** A byte below a bound. */
bool kv_read_byte(struct kv_reader *reader, uint32_t below, uint32_t *ret_byte);

/** A number up to `max`, which is at most KV_NUMBER_MAX. */
bool kv_read_number(struct kv_reader *reader, uint64_t max, uint64_t *ret_number);

/** The next slice->len bytes. */
bool kv_read_slice(struct kv_reader *reader, struct kv_slice *slice);

/** Writes a number; where the next byte goes. */
uint8_t *kv_put_number(uint8_t *at, uint64_t number);

/** Writes the bytes of a slice; likewise. */
uint8_t *kv_put_slice(uint8_t *at, struct kv_slice slice);

/** Fixed numbers of 32 and 64 bits. */
void kv_put_u32(uint8_t *at, uint32_t number);
void kv_put_u64(uint8_t *at, uint64_t number);
uint32_t kv_get_u32(const uint8_t *at);
uint64_t kv_get_u64(const uint8_t *at);

#endif
