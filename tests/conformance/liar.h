/** tests/conformance/liar.h - a backend that wraps another and lies once.
 *
 * It shows that the suite notices: a wrong errno, a wrong count, a completion that never
 * comes, one that comes twice, a byte that was not read so.
 */
#ifndef TEMPEST_TESTS_CONFORMANCE_LIAR_H
#define TEMPEST_TESTS_CONFORMANCE_LIAR_H

#include "io/io.h"

enum lie {
    LIE_NONE,
    LIE_ERRNO,   /* another errno than came */
    LIE_FAILURE, /* -EIO in place of a success */
    LIE_SUCCESS, /* 0 in place of an errno */
    LIE_COUNT,   /* one byte more than came (one fewer would be a short count, which may be)
                  */
    LIE_LOST,    /* no completion */
    LIE_DOUBLED, /* the same completion once more */
    LIE_DATA,    /* one bit of what was read is another */
    LIES
};

extern const char *const lie_names[LIES];

/** Wraps `inner`, which it destroys with itself. It lies at the `nth` occasion (from 0), of
 * which every completion of the right sort is one. NULL when there is no memory. */
struct tp_io *liar_create(struct tp_io *inner, enum lie lie_to_tell, uint32_t nth);

/** The occasions for a lie that there were so far, whether it tells it or not. */
uint32_t liar_occasions(const struct tp_io *io, enum lie lie);

#endif
