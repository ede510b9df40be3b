/** tests/conformance/script_internal.h - between the files that run a script's steps. */
#ifndef TEMPEST_TESTS_CONFORMANCE_SCRIPT_INTERNAL_H
#define TEMPEST_TESTS_CONFORMANCE_SCRIPT_INTERNAL_H

#include "script.h"

/* Arguments. A word that makes no sense sets script->broken. */

const char *path_of(struct script *script, const char *word);

/** Room for `len` bytes, filled with what no program writes. */
struct tp_buf *room_of(struct script *script, uint8_t *memory, uint64_t len);
struct tp_buf *data_of(struct script *script, uint8_t *memory, const char *word);

/** The request of a step that is one operation; -EINVAL if it is none. */
int32_t verb_build(struct script *script, const struct step *step,
                   struct tp_request *ret_request);

#endif
