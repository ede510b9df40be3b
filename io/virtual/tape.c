#include "tape.h"

#include <errno.h>
#include <string.h>

#include "io/virtual/tape_internal.h"

const struct tp_draw_info tp_draw_info[TP_DRAWS] = {
#define TP_DRAW_INFO(kind, name, mapping) [kind] = {name, mapping},
    TP_DRAW_TABLE(TP_DRAW_INFO)
#undef TP_DRAW_INFO
};

int tp_tape_make(enum tp_tape_source source, uint64_t seed,
                 const struct tp_allocator *allocator, struct tp_tape **ret_tape)
{
    struct tp_tape *tape = tp_alloc(allocator, sizeof *tape, _Alignof(struct tp_tape));

    if (tape == NULL)
        return -ENOMEM;
    tape->source = source;
    tape->seed = seed;
    tape->allocator = allocator;
    *ret_tape = tape;
    return 0;
}

int tp_tape_from_seed(uint64_t seed, bool record, const struct tp_allocator *allocator,
                      struct tp_tape **ret_tape)
{
    int error = tp_tape_make(TP_TAPE_SEED, seed, allocator, ret_tape);

    if (error == 0)
        (*ret_tape)->record = record;
    return error;
}

int tp_tape_from_bytes(const void *bytes, size_t len_bytes,
                       const struct tp_allocator *allocator, struct tp_tape **ret_tape)
{
    struct tp_tape *tape;
    int error = tp_tape_make(TP_TAPE_BYTES, 0, allocator, &tape);

    if (error < 0)
        return error;
    tape->record = true;
    if (len_bytes > 0) {
        tape->bytes = tp_alloc(allocator, len_bytes, 1);
        if (tape->bytes == NULL) {
            tp_tape_destroy(tape);
            return -ENOMEM;
        }
        memcpy(tape->bytes, bytes, len_bytes);
        tape->bytes_len = len_bytes;
    }
    *ret_tape = tape;
    return 0;
}

int tp_tape_empty(const struct tp_allocator *allocator, struct tp_tape **ret_tape)
{
    return tp_tape_make(TP_TAPE_RECORD, 0, allocator, ret_tape);
}

int tp_tape_replay(const struct tp_tape *tape, struct tp_tape **ret_tape)
{
    return tp_tape_copy(tape, tape->allocator, ret_tape);
}

int tp_tape_copy(const struct tp_tape *tape, const struct tp_allocator *allocator,
                 struct tp_tape **ret_tape)
{
    struct tp_tape *replay;
    int error = tp_tape_make(TP_TAPE_RECORD, tape->seed, allocator, &replay);

    tp_assert(tape->record || tape->source == TP_TAPE_RECORD);
    if (error < 0)
        return error;
    for (uint32_t i = 0; i < tape->stream_count && error == 0; i++) {
        struct tp_tape_stream *stream = tp_tape_stream_at(replay, i);

        error = stream == NULL ? -ENOMEM : 0;
        if (error == 0) {
            stream->goes_on = tape->streams[i].goes_on;
            stream->rng = tape->streams[i].rng;
        }
        for (uint64_t at = 0; at < tape->streams[i].count && error == 0; at++)
            error = tp_tape_append(replay, stream, tape->streams[i].entries[at]);
    }
    if (error < 0) {
        tp_tape_destroy(replay);
        return error;
    }
    *ret_tape = replay;
    return 0;
}

void tp_tape_destroy(struct tp_tape *tape)
{
    if (tape == NULL)
        return;
    for (uint32_t i = 0; i < tape->stream_count; i++)
        tp_free(tape->allocator, tape->streams[i].entries,
                (size_t)tape->streams[i].capacity * sizeof(struct tp_draw_entry), 16);
    tp_free(tape->allocator, tape->streams, tape->stream_capacity * sizeof *tape->streams,
            16);
    tp_free(tape->allocator, tape->bytes, tape->bytes_len, 1);
    tp_free(tape->allocator, tape, sizeof *tape, _Alignof(struct tp_tape));
}

struct tp_tape_stream *tp_tape_stream_at(struct tp_tape *tape, uint32_t stream)
{
    uint32_t capacity = tape->stream_capacity;
    struct tp_tape_stream *streams;

    tp_assert(stream < TP_TAPE_NODES_MAX * TP_CONCERNS);
    while (capacity <= stream)
        capacity = capacity == 0 ? 8 : capacity * 2;
    if (capacity > tape->stream_capacity) {
        streams = tp_alloc(tape->allocator, capacity * sizeof *streams, 16);
        if (streams == NULL)
            return NULL;
        if (tape->stream_count > 0)
            memcpy(streams, tape->streams, tape->stream_count * sizeof *streams);
        tp_free(tape->allocator, tape->streams, tape->stream_capacity * sizeof *streams,
                16);
        tape->streams = streams;
        tape->stream_capacity = capacity;
    }
    for (; tape->stream_count <= stream; tape->stream_count++)
        tape->streams[tape->stream_count].rng = tp_rng_make(tape->seed, tape->stream_count);
    return &tape->streams[stream];
}

int tp_tape_append(struct tp_tape *tape, struct tp_tape_stream *stream,
                   struct tp_draw_entry entry)
{
    if (stream->count == stream->capacity) {
        uint64_t capacity = stream->capacity == 0 ? 64 : stream->capacity * 2;
        struct tp_draw_entry *entries;

        if (capacity > SIZE_MAX / sizeof *entries)
            return -ENOMEM;
        entries = tp_alloc(tape->allocator, (size_t)capacity * sizeof *entries, 16);
        if (entries == NULL)
            return -ENOMEM;
        if (stream->count > 0)
            memcpy(entries, stream->entries, (size_t)stream->count * sizeof *entries);
        tp_free(tape->allocator, stream->entries,
                (size_t)stream->capacity * sizeof *entries, 16);
        stream->entries = entries;
        stream->capacity = capacity;
    }
    stream->entries[stream->count++] = entry;
    return 0;
}

/* Recorded, so that it can be replayed without its seed. */
static uint64_t past_the_end(struct tp_tape *tape, struct tp_tape_stream *stream,
                             enum tp_draw kind, uint64_t bound)
{
    struct tp_draw_entry entry = {bound, 0, (uint32_t)kind, 0};

    tape->stats.past_end++;
    if (!stream->goes_on)
        return 0;
    entry.value = tp_rng_below(&stream->rng, bound);
    if (tp_tape_append(tape, stream, entry) < 0)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the record of the tape");
    stream->next++;
    return entry.value;
}

/* Brings the next choice of a kind to the place of the next draw, and those before it
 * behind it; a 0 if there is none. Only what is near is looked at: a stream may be long. */
static void realign(struct tp_tape *tape, struct tp_tape_stream *stream, enum tp_draw kind,
                    uint64_t bound)
{
    struct tp_draw_entry entry = {bound, 0, (uint32_t)kind, 0};
    uint64_t next = stream->next, at = next;

    if (next == stream->count || stream->entries[next].kind == (uint32_t)kind)
        return;
    while (at < stream->count && at - next < TP_TAPE_REALIGN_MAX &&
           stream->entries[at].kind != (uint32_t)kind)
        at++;
    if (at < stream->count && at - next < TP_TAPE_REALIGN_MAX) {
        entry = stream->entries[at];
    } else {
        at = stream->count;
        if (tp_tape_append(tape, stream, entry) < 0)
            tp_stop(__FILE__, __LINE__,
                    "the host has no memory for the record of the tape");
    }
    memmove(stream->entries + next + 1, stream->entries + next,
            (size_t)(at - next) * sizeof entry);
    stream->entries[next] = entry;
}

static uint64_t from_record(struct tp_tape *tape, struct tp_tape_stream *stream,
                            enum tp_draw kind, uint64_t bound)
{
    struct tp_draw_entry *entry;

    if (tape->realigns)
        realign(tape, stream, kind, bound);
    if (stream->next == stream->count)
        return past_the_end(tape, stream, kind, bound);
    entry = &stream->entries[stream->next++];
    if (tape->realigns)
        entry->bound = bound; /* it may have been another choice's */
    if (entry->kind != (uint32_t)kind)
        tape->stats.mismatched++;
    if (entry->value < bound)
        return entry->value;
    tape->stats.clamped++;
    return bound - 1;
}

/* As many bytes as the largest value has; modulo, so that a fuzzer's every byte counts. */
static uint64_t from_bytes(struct tp_tape *tape, uint64_t bound)
{
    uint64_t value = 0;
    uint32_t shift = 0;

    for (uint64_t largest = bound - 1; largest > 0; largest >>= 8) {
        if (tape->bytes_next == tape->bytes_len) {
            tape->stats.past_end++;
            return 0;
        }
        value |= (uint64_t)tape->bytes[tape->bytes_next++] << shift;
        shift += 8;
    }
    return value % bound;
}

/* What decides of all that a power cut could take. */
static bool is_cut(enum tp_draw kind)
{
    return kind == TP_DRAW_CUT_OP || kind == TP_DRAW_CUT_DATA ||
           kind == TP_DRAW_CUT_SIZES || kind == TP_DRAW_CUT_NAMES;
}

static __attribute__((noinline)) uint64_t draw_rare(struct tp_tape *tape, uint32_t stream,
                                                    enum tp_draw kind, uint64_t bound)
{
    struct tp_tape_stream *on = stream < tape->stream_count
                                    ? &tape->streams[stream]
                                    : tp_tape_stream_at(tape, stream);
    uint64_t value = 0;

    if (on == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the tape");
    if (tape->harsh && is_cut(kind))
        return bound > 1 ? 1 : 0;
    tape->stats.draws++;
    switch (tape->source) {
    case TP_TAPE_SEED:
        value = tp_rng_below(&on->rng, bound);
        break;
    case TP_TAPE_RECORD:
        value = from_record(tape, on, kind, bound);
        break;
    case TP_TAPE_BYTES:
        value = from_bytes(tape, bound);
        break;
    }
    if (tape->record) {
        struct tp_draw_entry entry = {bound, value, (uint32_t)kind, 0};

        if (tp_tape_append(tape, on, entry) < 0)
            tp_stop(__FILE__, __LINE__,
                    "the host has no memory for the record of the tape");
    }
    return value;
}

/* Nearly all draws are a seed's, and kept by nobody. */
uint64_t tp_tape_draw(struct tp_tape *tape, uint32_t stream, enum tp_draw kind,
                      uint64_t bound)
{
    tp_assert(bound > 0 && kind < TP_DRAWS);
    if (tape->source != TP_TAPE_SEED || tape->record || tape->harsh ||
        stream >= tape->stream_count)
        return draw_rare(tape, stream, kind, bound);
    tape->stats.draws++;
    return tp_rng_below(&tape->streams[stream].rng, bound);
}

uint64_t tp_tape_seed(struct tp_tape *tape, uint32_t node, uint64_t sequence)
{
    uint32_t stream = tp_stream(node, TP_CONCERN_SEED);
    uint64_t drawn = tp_tape_draw(tape, stream, TP_DRAW_SEED, UINT64_MAX);
    struct tp_rng rng = tp_rng_make(drawn, (uint64_t)node << 40 ^ sequence);

    return tp_rng_next(&rng);
}

const struct tp_tape_stats *tp_tape_stats(const struct tp_tape *tape)
{
    return &tape->stats;
}

uint32_t tp_tape_streams(const struct tp_tape *tape)
{
    return tape->stream_count;
}

uint64_t tp_tape_count(const struct tp_tape *tape, uint32_t stream)
{
    return stream < tape->stream_count ? tape->streams[stream].count : 0;
}

struct tp_draw_entry tp_tape_entry(const struct tp_tape *tape, uint32_t stream,
                                   uint64_t index)
{
    tp_assert(index < tp_tape_count(tape, stream));
    return tape->streams[stream].entries[index];
}

void tp_tape_set(struct tp_tape *tape, uint32_t stream, uint64_t index, uint64_t value)
{
    tp_assert(index < tp_tape_count(tape, stream));
    tape->streams[stream].entries[index].value = value;
}

void tp_tape_delete(struct tp_tape *tape, uint32_t stream, uint64_t index, uint64_t count)
{
    struct tp_tape_stream *on;

    tp_assert(index <= tp_tape_count(tape, stream));
    tp_assert(count <= tp_tape_count(tape, stream) - index);
    if (count == 0)
        return;
    on = &tape->streams[stream];
    memmove(on->entries + index, on->entries + index + count,
            (size_t)(on->count - index - count) * sizeof *on->entries);
    on->count -= count;
    if (on->next > on->count)
        on->next = on->count;
}

int tp_tape_put(struct tp_tape *tape, uint32_t stream, uint64_t index,
                struct tp_draw_entry entry)
{
    struct tp_tape_stream *on = tp_tape_stream_at(tape, stream);
    struct tp_draw_entry zero = {1, 0, entry.kind, 0};
    int error = on == NULL ? -ENOMEM : 0;

    tp_assert(entry.bound > 0 && entry.kind < TP_DRAWS);
    while (error == 0 && on->count <= index)
        error = tp_tape_append(tape, on, zero);
    if (error == 0)
        on->entries[index] = entry;
    return error;
}

int tp_tape_insert(struct tp_tape *tape, uint32_t stream, uint64_t before_next,
                   const struct tp_draw_entry *entries, uint32_t count)
{
    struct tp_tape_stream *on = tp_tape_stream_at(tape, stream);
    bool replays = tape->source == TP_TAPE_RECORD;
    int error = on == NULL ? -ENOMEM : 0;
    uint64_t at;

    tp_assert(tape->record || replays);
    for (uint32_t i = 0; i < count && error == 0; i++)
        error = tp_tape_append(tape, on, entries[i]);
    if (error < 0 || !replays)
        return error;
    tp_assert(before_next <= on->next);
    at = on->next - before_next;
    memmove(on->entries + at + count, on->entries + at,
            (size_t)(on->count - count - at) * sizeof *entries);
    memcpy(on->entries + at, entries, count * sizeof *entries);
    on->next += count;
    return 0;
}

bool tp_tape_replays(const struct tp_tape *tape)
{
    return tape->source == TP_TAPE_RECORD;
}

void tp_tape_set_harsh(struct tp_tape *tape, bool harsh)
{
    tape->harsh = harsh;
}

uint64_t tp_tape_asked(const struct tp_tape *tape, uint32_t stream)
{
    return stream < tape->stream_count ? tape->streams[stream].next : 0;
}

void tp_tape_realign(struct tp_tape *tape)
{
    tp_assert(tape->source == TP_TAPE_RECORD);
    tape->realigns = true;
}

int tp_tape_go_on(struct tp_tape *tape, uint32_t stream, uint64_t seed)
{
    struct tp_tape_stream *on = tp_tape_stream_at(tape, stream);

    tp_assert(tape->source == TP_TAPE_RECORD);
    if (on == NULL)
        return -ENOMEM;
    on->goes_on = true;
    on->rng = tp_rng_make(seed, stream);
    return 0;
}
