/** io/virtual/tape_internal.h - how a tape is kept: for tape.c, tape_file.c and boot.c. */
#ifndef TEMPEST_IO_VIRTUAL_TAPE_INTERNAL_H
#define TEMPEST_IO_VIRTUAL_TAPE_INTERNAL_H

#include "random.h"
#include "tape.h"

enum tp_tape_source { TP_TAPE_SEED, TP_TAPE_RECORD, TP_TAPE_BYTES };

/** How far ahead a choice of the same kind is looked for. */
enum { TP_TAPE_REALIGN_MAX = 4096 };

struct tp_tape_stream {
    struct tp_rng rng;             /* source: seed */
    struct tp_draw_entry *entries; /* recorded */
    uint64_t count, capacity;
    bool goes_on;  /* source: record; from `rng`, past its end */
    uint64_t next; /* source: record; the entry that the next draw gives */
};

struct tp_tape {
    enum tp_tape_source source;
    bool record;
    bool harsh;    /* a power cut leaves the least */
    bool realigns; /* source: record */
    uint64_t seed;
    char label[TP_TAPE_LABEL_BYTES];
    struct tp_tape_stream *streams;
    uint32_t stream_count, stream_capacity;
    uint8_t *bytes; /* source: bytes */
    size_t bytes_len, bytes_next;
    struct tp_tape_stats stats;
    const struct tp_allocator *allocator;
};

/** An empty tape. 0, or -ENOMEM. */
int tp_tape_make(enum tp_tape_source source, uint64_t seed,
                 const struct tp_allocator *allocator, struct tp_tape **ret_tape);

/** The stream, made if it is missing; NULL when there is no memory. */
struct tp_tape_stream *tp_tape_stream_at(struct tp_tape *tape, uint32_t stream);

/** Appends to a stream's record. 0, or -ENOMEM. */
int tp_tape_append(struct tp_tape *tape, struct tp_tape_stream *stream,
                   struct tp_draw_entry entry);

#endif
