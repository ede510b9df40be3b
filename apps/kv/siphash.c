#include "apps/kv/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, uint32_t bits)
{
    return word << bits | word >> (64 - bits);
}

/* A word, its first byte lowest; spelled so that compilers make it one load. */
static inline uint64_t word_at(const uint8_t *bytes)
{
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

/* The same of less than 8 bytes. */
static inline uint64_t rest_at(const uint8_t *bytes, uint32_t len)
{
    uint64_t word = 0;

    for (uint32_t i = 0; i < len; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static inline void rounds(struct state *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static inline uint64_t hash_of(const uint8_t key[16], struct kv_slice bytes,
                               uint32_t c_rounds, uint32_t d_rounds)
{
    uint64_t k0 = word_at(key), k1 = word_at(key + 8);
    struct state s = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                      k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    uint32_t whole = bytes.len & ~UINT32_C(7);
    uint64_t word;

    for (uint32_t at = 0; at < whole; at += 8) {
        word = word_at(bytes.bytes + at);
        s.v3 ^= word;
        rounds(&s, c_rounds);
        s.v0 ^= word;
    }
    word = (uint64_t)bytes.len << 56;
    if (whole < bytes.len)
        word |= rest_at(bytes.bytes + whole, bytes.len - whole);
    s.v3 ^= word;
    rounds(&s, c_rounds);
    s.v0 ^= word;
    s.v2 ^= 0xff;
    rounds(&s, d_rounds);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t kv_siphash(const uint8_t key[16], struct kv_slice bytes, uint32_t c_rounds,
                    uint32_t d_rounds)
{
    return hash_of(key, bytes, c_rounds, d_rounds);
}

uint64_t kv_hash(const uint8_t key[16], struct kv_slice bytes)
{
    return hash_of(key, bytes, 1, 3);
}
