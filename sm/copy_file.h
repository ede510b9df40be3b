/** sm/copy_file.h - copies one file: a ring of blocks, each read and then written.
 *
 *     struct tp_copy_options options = {.size = sizeof options, .depth = 8};
 *     TP_AWAIT(cx, tp_copy_file_start(cx, &m->copy, tp_place_path("a"), tp_place_path("b"),
 *                                     &options), &result);
 *
 * Source: a place, read from its beginning to the size that it had when the copy began; one
 * that shrinks meanwhile is copied as far as it goes, one that grows as far as it went. A
 * file that claims to be empty is read all the same, until its end (as those of /proc need
 * it).
 *
 * Destination: by name, it is made as a temporary beside it and renamed over it at the end,
 * so the name never names half a copy; on an error or cancel the temporary is removed and
 * the old file is as it was. (After an error of the last sync, the name may be the new
 * file's already.) By fd, it is written in place: it must be empty, open for writing, and
 * what to do with half a copy is up to the caller, as is its name: TP_DURABLE is then
 * TP_DURABLE_CONTENT.
 *
 * Holes stay holes where the source says that it has some. The permission bits are kept.
 * Short transfers are gone on with; after one that was direct, from the aligned offset
 * below.
 *
 * Memory: each block is a registered buffer as long as there are some, then a piece of
 * `options->memory`; no more are taken than the file has blocks. All are given back before
 * the end. With not even one block the copy ends with -ENOBUFS, having touched nothing.
 *
 * Durable when: see enum tp_durability; with TP_DURABLE, when the start's operation
 * completes with 0, data, size, mode and name would survive a power cut.
 */
#ifndef TEMPEST_SM_COPY_FILE_H
#define TEMPEST_SM_COPY_FILE_H

#include "durability.h"
#include "staged.h"

enum { TP_COPY_DEPTH_MAX = 64 };

/** All zero is a working default but for `memory`, where the Io has no registered buffers.
 */
struct tp_copy_options {
    uint32_t size;        /* of this struct; 0: as in version 0.1 */
    uint32_t depth;       /* blocks in flight, at most TP_COPY_DEPTH_MAX; 0: 8 */
    uint32_t block_bytes; /* of one block at most, a multiple of 4096; 0: 256 KiB */
    uint32_t durability;  /* enum tp_durability */
    uint64_t memory_bytes;
    void *memory; /* for blocks beyond the registered buffers, lent to the machine; or NULL.
                     Aligned to tp_io_block_size() where a side is direct */
    const struct tp_statx
        *source_statx;       /* what the caller knows of the source; NULL: asked */
    bool source_direct;      /* a fd: it was opened direct; else: open it so, if possible */
    bool destination_direct; /* likewise */
    bool fill_holes;         /* write zeros where the source has holes */
    bool forget_mode;        /* leave the mode that the destination was made with */
};

/** One block of the ring; internal. */
struct tp_copy_block {
    struct tp_buf *buf; /* what it moves through: registered, or &plain */
    struct tp_buf plain;
    struct tp_buf part;       /* of *buf: what is lent now */
    struct tp_op op;          /* its read or write in flight; none: idle */
    uint64_t offset, end;     /* what is left to move: [offset, end) of the file */
    uint32_t filled, written; /* bytes in buf; of these, bytes in the destination */
    uint32_t stalls;          /* transfers in a row that brought nothing forward */
    bool writing;
    bool reserved[3];
};

/** Read `bytes` at any time, the others after the end. */
struct tp_copy_file {
    struct tp_machine machine;
    uint64_t bytes;       /* of data written so far, holes not counted */
    uint64_t length;      /* of the destination */
    uint32_t failed_kind; /* enum tp_kind of the operation that failed, with a result < 0 */
    bool failed_source;   /* it was on the source, not on the destination */
    bool found_shrunk;    /* the source ended before the size that it had at first */
    /* The rest is internal. */
    bool source_direct, destination_direct;
    bool open_ended; /* the source claims to be empty: read until its end */
    bool holes;      /* the source may have some: search for data */
    bool reserved[2];
    int32_t error;
    uint32_t align;  /* of direct transfers; 1: neither side is direct */
    uint32_t depth;  /* blocks taken */
    uint32_t flying; /* operations of the ring */
    uint32_t reserved2;
    struct tp_place source_place, destination_place;
    struct tp_copy_options options;
    struct tp_fd source, destination;
    struct tp_statx statx; /* of the source */
    struct tp_op search;   /* find_data in flight */
    struct tp_extent extent, found;
    uint64_t next;    /* where the next block begins */
    uint64_t limit;   /* where the source ends */
    uint64_t reached; /* the end of the destination, by the writes so far */
    struct tp_staged staged;
    struct tp_copy_block blocks[TP_COPY_DEPTH_MAX];
};

TP_BEGIN_DECLS

/** Starts the copy as a child; its operation completes with 0 or a negative errno.
 * `options` is copied and may be NULL; what it points to is lent until the end. -ENOBUFS:
 * no block could be had. -EISDIR: the source is a directory; -EINVAL: it is no regular
 * file. The rest as the operations have it, see `failed_kind`. */
TP_EXPORT struct tp_op tp_copy_file_start(struct tp_ctx *cx, struct tp_copy_file *copy,
                                          struct tp_place source,
                                          struct tp_place destination,
                                          const struct tp_copy_options *options);

TP_END_DECLS

#define tp_copy_file_start(cx, ...) tp_copy_file_start(TP_HERE(cx), __VA_ARGS__)

#endif
