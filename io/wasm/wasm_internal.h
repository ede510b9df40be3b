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

/** Reads that a poll submits: one more, and they go one by one. */
#define TP_WASM_READS 64

struct tp_wasm_io {
    struct tp_io io;
    uint64_t epoch_ns, now_ns;
    uint64_t violations;
    uint32_t unseen; /* submitted since the last poll */
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
    /* Of what is unseen, reads of which the host is told by the next poll. */
    uint32_t reads_count;
    struct tp_wasm_request reads[TP_WASM_READS];
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

/* ------------------------------------------------------------------ results.c */

/** What the operation completes with: `value`, or -EPROTO if that cannot be, or what was
 * written into the lent memory cannot. */
int32_t tp_wasm_result(struct tp_wasm_io *self, const struct tp_wasm_slot *slot,
                       uint64_t id, int32_t value);

#endif
