/** io/wasm/wasm_internal.h - how a WasmIo is kept.
 *
 * Read in this order: wasm.c (life, poll, clocks), flight.c (an operation from its request
 * to its completion), results.c (what the host wrote into lent memory, looked at).
 */
#ifndef TEMPEST_IO_WASM_WASM_INTERNAL_H
#define TEMPEST_IO_WASM_WASM_INTERNAL_H

#include "io/wasm/abi.h"

/** An operation in flight. Its id is generation << 32 | 1 + index, so a completion that
 * comes twice, or was made up, finds another generation or nothing. */
struct tp_wasm_slot {
    uint64_t handle;     /* 0: free */
    uint32_t generation; /* of its id now, or when it is next used */
    uint32_t kind;       /* enum tp_kind */
    uint32_t len;        /* bytes lent */
    uint32_t fd;         /* open: the number it gets; close: the one it gives back */
    void *memory;        /* lent; or NULL */
    uint32_t next_free;
    uint32_t reserved;
};

struct tp_wasm_io {
    struct tp_io io;
    uint64_t epoch_ns, now_ns;
    uint64_t violations;
    uint32_t unseen; /* submitted since the last poll, but for what is on the board */
    uint32_t flying; /* slots in use */
    uint32_t fresh;  /* slots ever used: those from here on are zero */
    uint32_t free;   /* 1 + the first of the free ones that were used before; 0: none */
    uint32_t fds_max, fds_free;
    uint32_t completions_max;
    uint32_t bufs_bytes;
    uint32_t *fds; /* the numbers that no file has, a stack */
    struct tp_wasm_slot *slots;
    struct tp_wasm_completion *arrived; /* what a poll brings */
    void *bufs;
    uint32_t reads, reads_seen; /* on the board; of these, whose values were taken */
    struct tp_wasm_board board;
};

static inline struct tp_wasm_io *tp_wasm_of(struct tp_io *io)
{
    return tp_container_of(io, struct tp_wasm_io, io);
}

/** Counts a breach of the rules by the host and says it to the log. */
void tp_wasm_violation(struct tp_wasm_io *self, const char *what, uint64_t id,
                       int32_t value);

/* ------------------------------------------------------------------ flight.c */

/** The number of an operation at the host; 0: it never sees the kind. */
uint32_t tp_wasm_op_of(uint32_t kind);

/** The backend's submit. */
void tp_wasm_submit(struct tp_io *io, const struct tp_request *request);

/** Takes what the host said, which may be anything. */
void tp_wasm_arrive(struct tp_wasm_io *self, const struct tp_wasm_completion *completion);

/** Reads on the board that the host has not done, as far as it can be believed. */
uint32_t tp_wasm_reads_waiting(const struct tp_wasm_io *self);

/** Takes what it said on the board; as many completions as there is room for. */
void tp_wasm_take_reads(struct tp_wasm_io *self);

/* ------------------------------------------------------------------ results.c */

/** What the operation completes with: `value`, or -EPROTO if that cannot be, or what was
 * written into the lent memory cannot. */
int32_t tp_wasm_result(struct tp_wasm_io *self, const struct tp_wasm_slot *slot,
                       uint64_t id, int32_t value);

#endif
