/** apps/sim/shadow.h - what programs have written, byte by byte, to be compared with what
 * they read later.
 *
 * A write counts as soon as it is begun, whole, whatever comes of it: what a program reads
 * after a crash, a fault or damage is held against what it meant to be there. A file goes
 * by its path, from the root, which must be the one there is: no ".", no "..", no "//" and
 * no symbolic link. So far as there is room: of 64 files and 128 pages, the first ones; of
 * what is not kept nothing is said.
 */
#ifndef TEMPEST_APPS_SIM_SHADOW_H
#define TEMPEST_APPS_SIM_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tp_shadow;

/** What the bytes are instead. */
enum tp_shadow_way {
    TP_SHADOW_OTHER,   /* something else */
    TP_SHADOW_MISSING, /* the file ends before them */
    TP_SHADOW_ZERO,
    TP_SHADOW_BEFORE, /* what was there when the write was begun */
};

/** How a read compares. Of several writes whose bytes are not there, the first in the file
 * counts. Zeroed, nothing has been compared. */
struct tp_shadow_found {
    uint64_t at;      /* the first byte that differs */
    uint32_t differs; /* bytes of one write that do, from there on; 0: none */
    uint32_t writer;  /* whose bytes these are */
    uint32_t latest;  /* the highest writer of bytes that were compared; 0: none were */
    bool missing;     /* the first of them is behind the end of the file */
    bool all_zero, all_before;
};

/** Memory for one, zeroed, aligned to 8 bytes. */
size_t tp_shadow_size_bytes(void);

/** Bytes of a file that are on one page of 4096 bytes. */
struct tp_shadow_part {
    uint32_t node, len;
    const char *path;
    uint64_t offset;
};

/** `writer`, above 0, writes these bytes, where `before` is. */
void tp_shadow_write(struct tp_shadow *shadow, const struct tp_shadow_part *part,
                     const uint8_t *bytes, const uint8_t *before, uint32_t writer);

/** What is behind a size is nobody's. */
void tp_shadow_cut(struct tp_shadow *shadow, uint32_t node, const char *path,
                   uint64_t size);

/** What writers below `writer` wrote to it is nobody's. */
void tp_shadow_forget(struct tp_shadow *shadow, uint32_t node, const char *path,
                      uint32_t writer);

/** A file, or all that is below a directory, is gone or has another name. What had that
 * name is what was there before. A path of "" is none that is kept. */
void tp_shadow_remove(struct tp_shadow *shadow, uint32_t node, const char *path);
void tp_shadow_rename(struct tp_shadow *shadow, uint32_t node, const char *path,
                      const char *to_path);

/** Nobody can say which file it was: of the node's, none is kept any more. */
void tp_shadow_remove_all(struct tp_shadow *shadow, uint32_t node);

/** These bytes have been read; or, where that is NULL, the file ends before the part. Adds
 * to what was found before. */
void tp_shadow_compare(const struct tp_shadow *shadow, const struct tp_shadow_part *part,
                       const uint8_t *bytes, struct tp_shadow_found *found);

/** Of what was found to differ. */
enum tp_shadow_way tp_shadow_way(const struct tp_shadow_found *found);

#endif
