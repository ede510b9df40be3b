#include "apps/kv/coding.h"

#include "io/hash.h"

bool kv_read_byte(struct kv_reader *reader, uint32_t below, uint32_t *ret_byte)
{
    if (reader->at == reader->end || *reader->at >= below)
        return false;
    *ret_byte = *reader->at++;
    return true;
}

bool kv_read_number(struct kv_reader *reader, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;

    tp_assert(max <= KV_NUMBER_MAX);
    for (uint32_t i = 0; i < KV_NUMBER_SIZE && reader->at < reader->end; i++) {
        uint8_t byte = *reader->at++;

        number |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte >= 0x80)
            continue;
        if ((byte == 0 && i > 0) || number > max)
            return false;
        *ret_number = number;
        return true;
    }
    return false;
}

bool kv_read_slice(struct kv_reader *reader, struct kv_slice *slice)
{
    if ((size_t)(reader->end - reader->at) < slice->len)
        return false;
    slice->bytes = reader->at;
    reader->at += slice->len;
    return true;
}

uint8_t *kv_put_number(uint8_t *at, uint64_t number)
{
    tp_assert(number <= KV_NUMBER_MAX);
    while (number >= 0x80) {
        *at++ = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    *at++ = (uint8_t)number;
    return at;
}

uint8_t *kv_put_slice(uint8_t *at, struct kv_slice slice)
{
    if (slice.len > 0)
        memcpy(at, slice.bytes, slice.len);
    return at + slice.len;
}

void kv_put_u32(uint8_t *at, uint32_t number)
{
    tp_put_le(at, number, 4);
}

void kv_put_u64(uint8_t *at, uint64_t number)
{
    tp_put_le(at, number, 8);
}

uint32_t kv_get_u32(const uint8_t *at)
{
    return (uint32_t)tp_get_le(at, 4);
}

uint64_t kv_get_u64(const uint8_t *at)
{
    return tp_get_le(at, 8);
}
