/** tests/judges/programs.h - random programs, and how an act of theirs is done.
 *
 * Few names, small files, offsets around the edges of sectors and pages, all draws from one
 * generator. An act is done as steps of tests/conformance/script.h, so that it is the same
 * operation on any backend.
 */
#ifndef TEMPEST_TESTS_JUDGES_PROGRAMS_H
#define TEMPEST_TESTS_JUDGES_PROGRAMS_H

#include "history.h"
#include "io/virtual/random.h"
#include "tests/conformance/script.h"

struct programs {
    struct tp_rng rng;
    uint32_t sync_percent; /* of the acts */
    uint32_t back_percent; /* write-back, as if by itself */
};

/** Programs of their own for each seed: some sync often, some hardly. */
struct programs programs_make(uint64_t seed);

/** The next act, of one of the programs. */
struct act programs_next(struct programs *programs);

/** Does an act but ACT_WRITE_BACK and ACT_COMMIT in `w0`, `w1`, ... of the script's
 * directory. Result: its value. */
int32_t act_do(struct script *script, const struct act *act);

/** Writes an act as a line of text. */
void act_print(const struct act *act, char *ret_text, size_t size_bytes);

#endif
