/* The bytes of a saved tape. Numbers are little-endian; a varint has seven bits a byte,
 * lowest first, the top bit set on all bytes but the last.
 *
 *     8   magic "TPTAPE\0\0"
 *     4   version: 2 if there is a label, else 1
 *     4   streams that follow
 *     8   seed that the run began from
 *     8   checksum: XXH3 of all bytes after it, chained to the seed
 *     in version 2 a varint length and as many bytes, none of them 0: the label
 *     then for each stream: varint number, varint count, and for each draw a byte kind, a
 *     varint bound and a varint value
 */
#include "tape.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"
#include "io/virtual/tape_internal.h"

#define TAPE_HEADER_BYTES 32
#define TAPE_PLAIN        1 /* versions */
#define TAPE_LABELLED     2
#define VARINT_BYTES_MAX  10
#define ENTRY_BYTES_MIN   3
#define STREAM_BYTES_MIN  2

static const uint8_t tape_magic[8] = {'T', 'P', 'T', 'A', 'P', 'E', 0, 0};

/* Counts what would be written, and writes what fits. */
struct sink {
    uint8_t *bytes;
    size_t size, at;
};

static void put_byte(struct sink *sink, uint8_t byte)
{
    if (sink->at < sink->size)
        sink->bytes[sink->at] = byte;
    sink->at++;
}

static void put_varint(struct sink *sink, uint64_t value)
{
    while (value >= 0x80) {
        put_byte(sink, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    put_byte(sink, (uint8_t)value);
}

void tp_tape_set_label(struct tp_tape *tape, const char *label)
{
    size_t len = strlen(label);

    tp_assert(len < sizeof tape->label);
    memcpy(tape->label, label, len + 1);
}

const char *tp_tape_label(const struct tp_tape *tape)
{
    return tape->label;
}

static void put_label(struct sink *sink, const char *label)
{
    put_varint(sink, strlen(label));
    for (; *label != '\0'; label++)
        put_byte(sink, (uint8_t)*label);
}

size_t tp_tape_save(const struct tp_tape *tape, void *ret_bytes, size_t size_bytes)
{
    struct sink sink = {ret_bytes, size_bytes, TAPE_HEADER_BYTES};
    uint32_t streams = 0;
    uint8_t *header = ret_bytes;
    bool is_labelled = tape->label[0] != '\0';

    if (is_labelled)
        put_label(&sink, tape->label);
    for (uint32_t i = 0; i < tape->stream_count; i++) {
        const struct tp_tape_stream *stream = &tape->streams[i];

        if (stream->count == 0)
            continue;
        streams++;
        put_varint(&sink, i);
        put_varint(&sink, stream->count);
        for (uint64_t at = 0; at < stream->count; at++) {
            put_byte(&sink, (uint8_t)stream->entries[at].kind);
            put_varint(&sink, stream->entries[at].bound);
            put_varint(&sink, stream->entries[at].value);
        }
    }
    if (sink.at > size_bytes)
        return sink.at;
    memcpy(header, tape_magic, sizeof tape_magic);
    tp_put_le(header + 8, is_labelled ? TAPE_LABELLED : TAPE_PLAIN, 4);
    tp_put_le(header + 12, streams, 4);
    tp_put_le(header + 16, tape->seed, 8);
    tp_put_le(header + 24,
              tp_hash(header + TAPE_HEADER_BYTES, sink.at - TAPE_HEADER_BYTES, tape->seed),
              8);
    return sink.at;
}

struct source {
    const uint8_t *bytes;
    size_t len, at;
};

static bool get_varint(struct source *source, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < VARINT_BYTES_MAX && source->at < source->len; i++) {
        uint8_t byte = source->bytes[source->at++];

        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            return false; /* more than 64 bits */
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static int load_label(struct tp_tape *tape, struct source *source)
{
    uint64_t len;

    if (!get_varint(source, &len) || len == 0 || len >= sizeof tape->label ||
        len > source->len - source->at ||
        memchr(source->bytes + source->at, '\0', (size_t)len) != NULL)
        return -EBADMSG;
    memcpy(tape->label, source->bytes + source->at, (size_t)len);
    tape->label[len] = '\0';
    source->at += (size_t)len;
    return 0;
}

static int load_entry(struct tp_tape *tape, struct tp_tape_stream *stream,
                      struct source *source)
{
    struct tp_draw_entry entry = {0, 0, 0, 0};

    if (source->at == source->len)
        return -EBADMSG;
    entry.kind = source->bytes[source->at++];
    if (entry.kind >= TP_DRAWS || !get_varint(source, &entry.bound) ||
        !get_varint(source, &entry.value))
        return -EBADMSG;
    if (entry.bound == 0)
        return -EBADMSG;
    return tp_tape_append(tape, stream, entry);
}

static int load_stream(struct tp_tape *tape, struct source *source)
{
    struct tp_tape_stream *stream;
    uint64_t number, count;
    int error = 0;

    if (!get_varint(source, &number) || !get_varint(source, &count))
        return -EBADMSG;
    if (number >= (uint64_t)TP_TAPE_NODES_MAX * TP_CONCERNS || count == 0 ||
        count > (source->len - source->at) / ENTRY_BYTES_MIN)
        return -EBADMSG;
    stream = tp_tape_stream_at(tape, (uint32_t)number);
    if (stream == NULL)
        return -ENOMEM;
    if (stream->count != 0)
        return -EBADMSG; /* twice the same stream */
    for (uint64_t i = 0; i < count && error == 0; i++)
        error = load_entry(tape, stream, source);
    return error;
}

static int check_header(const uint8_t *bytes, size_t len_bytes)
{
    uint64_t seed, checksum, version;

    if (len_bytes < TAPE_HEADER_BYTES || memcmp(bytes, tape_magic, sizeof tape_magic) != 0)
        return -EBADMSG;
    version = tp_get_le(bytes + 8, 4);
    if (version != TAPE_PLAIN && version != TAPE_LABELLED)
        return -EPROTO;
    seed = tp_get_le(bytes + 16, 8);
    checksum = tp_hash(bytes + TAPE_HEADER_BYTES, len_bytes - TAPE_HEADER_BYTES, seed);
    if (tp_get_le(bytes + 24, 8) != checksum)
        return -EBADMSG;
    if (tp_get_le(bytes + 12, 4) > (len_bytes - TAPE_HEADER_BYTES) / STREAM_BYTES_MIN)
        return -EBADMSG;
    return 0;
}

int tp_tape_load(const void *bytes, size_t len_bytes, const struct tp_allocator *allocator,
                 struct tp_tape **ret_tape)
{
    struct source source = {bytes, len_bytes, TAPE_HEADER_BYTES};
    struct tp_tape *tape;
    uint64_t streams;
    int error = check_header(bytes, len_bytes);

    if (error < 0)
        return error;
    error = tp_tape_make(TP_TAPE_RECORD, tp_get_le(source.bytes + 16, 8), allocator, &tape);
    if (error < 0)
        return error;
    streams = tp_get_le(source.bytes + 12, 4);
    if (tp_get_le(source.bytes + 8, 4) == TAPE_LABELLED)
        error = load_label(tape, &source);
    for (uint64_t i = 0; i < streams && error == 0; i++)
        error = load_stream(tape, &source);
    if (error == 0 && source.at != source.len)
        error = -EBADMSG;
    if (error < 0) {
        tp_tape_destroy(tape);
        return error;
    }
    *ret_tape = tape;
    return 0;
}
