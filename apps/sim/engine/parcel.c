#include "apps/sim/engine/parcel.h"

#include <stdlib.h>
#include <string.h>

#include "io/virtual/tape_internal.h"

/* What goes before the choices of a stream. */
struct stream {
    uint64_t count;
    struct tp_rng rng;
    bool goes_on;
};

void engine_parcel_put(struct engine_parcel *parcel, const void *bytes, size_t len_bytes)
{
    size_t needed = parcel->len_bytes + len_bytes;

    if (needed > parcel->capacity) {
        parcel->capacity = needed < 4096 ? 4096 : needed * 2;
        parcel->bytes = realloc(parcel->bytes, parcel->capacity);
        if (parcel->bytes == NULL)
            tp_stop(__FILE__, __LINE__, "no memory for a trial");
    }
    if (len_bytes > 0)
        memcpy(parcel->bytes + parcel->len_bytes, bytes, len_bytes);
    parcel->len_bytes = needed;
}

bool engine_parcel_take(struct engine_parcel *parcel, void *ret_bytes, size_t len_bytes)
{
    if (len_bytes > parcel->len_bytes - parcel->at)
        return false;
    if (len_bytes > 0)
        memcpy(ret_bytes, parcel->bytes + parcel->at, len_bytes);
    parcel->at += len_bytes;
    return true;
}

void engine_parcel_put_tape(struct engine_parcel *parcel, const struct tp_tape *tape)
{
    uint32_t streams = tp_tape_streams(tape);

    engine_parcel_put(parcel, &streams, sizeof streams);
    for (uint32_t i = 0; i < streams; i++) {
        const struct tp_tape_stream *from = &tape->streams[i];
        struct stream stream;

        memset(&stream, 0, sizeof stream);
        stream.count = from->count;
        stream.rng = from->rng;
        stream.goes_on = from->goes_on;
        engine_parcel_put(parcel, &stream, sizeof stream);
        engine_parcel_put(parcel, from->entries,
                          (size_t)from->count * sizeof *from->entries);
    }
}

static bool take_stream(struct engine_parcel *parcel, struct tp_tape *tape, uint32_t number)
{
    struct tp_tape_stream *to = tp_tape_stream_at(tape, number);
    struct stream stream;
    struct tp_draw_entry entry;

    if (to == NULL || !engine_parcel_take(parcel, &stream, sizeof stream))
        return false;
    to->rng = stream.rng;
    to->goes_on = stream.goes_on;
    for (uint64_t i = 0; i < stream.count; i++) {
        if (!engine_parcel_take(parcel, &entry, sizeof entry) ||
            tp_tape_append(tape, to, entry) < 0)
            return false;
    }
    return true;
}

bool engine_parcel_take_tape(struct engine_parcel *parcel, struct tp_tape **ret_tape)
{
    struct tp_tape *tape = NULL;
    uint32_t streams;

    if (!engine_parcel_take(parcel, &streams, sizeof streams) ||
        tp_tape_empty(NULL, &tape) < 0)
        return false;
    for (uint32_t i = 0; i < streams; i++) {
        if (!take_stream(parcel, tape, i)) {
            tp_tape_destroy(tape);
            return false;
        }
    }
    *ret_tape = tape;
    return true;
}
