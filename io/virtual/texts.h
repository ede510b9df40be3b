/** io/virtual/texts.h - names and paths, kept in pools by length, so that none is ever
 * malloced.
 *
 * A text is named by a number that holds its size class and its index; 0 is no text.
 */
#ifndef TEMPEST_IO_VIRTUAL_TEXTS_H
#define TEMPEST_IO_VIRTUAL_TEXTS_H

#include "pool.h"

enum { TP_TEXT_CLASSES = 5 };

struct tp_texts {
    struct tp_pool pools[TP_TEXT_CLASSES];
};

void tp_texts_init(struct tp_texts *texts);
void tp_texts_deinit(struct tp_texts *texts, const struct tp_allocator *allocator);

/** 0, or -ENOMEM. */
int tp_texts_clone(struct tp_texts *texts, const struct tp_texts *source,
                   const struct tp_allocator *allocator);

/** Copies `len_bytes` of `bytes` and a NUL; fewer than 4096 bytes. */
uint32_t tp_texts_add(struct tp_texts *texts, const char *bytes, uint32_t len_bytes,
                      const struct tp_allocator *allocator);

/** Forgets a text; 0 is fine. */
void tp_texts_remove(struct tp_texts *texts, uint32_t text);

/** The bytes of a text, NUL-terminated; good until the next tp_texts_add(). */
const char *tp_texts_at(const struct tp_texts *texts, uint32_t text);

#endif
