/** tests/differential/differential.h - the same random program on the kernel and on
 * VirtualIo.
 *
 * A program is a list of steps in the language of tests/conformance/script.h, made from a
 * seed. It runs one step at a time on both; values, what was read, and in the end the whole
 * tree must be the same. A program that differs is made shorter as long as it differs, and
 * printed as a list and as a row for the conformance suite.
 */
#ifndef TEMPEST_TESTS_DIFFERENTIAL_DIFFERENTIAL_H
#define TEMPEST_TESTS_DIFFERENTIAL_DIFFERENTIAL_H

#include "tests/conformance/script.h"

enum { LINE_BYTES = 128, OPS_MAX = 10000, RECORD_MAX = 256 };

struct program {
    uint64_t seed;
    uint32_t count;
    char lines[OPS_MAX][LINE_BYTES]; /* a step each */
};

/** Makes the program of `seed`: about `ops` steps. */
void program_generate(struct program *program, uint64_t seed, uint32_t ops);

/* ------------------------------------------------------------------ running */

/** One of the two: the kernel, or the virtual disk. */
struct side {
    struct conformance c;
    struct script script;
    struct outcome outcome;
};

/** Where the two differ. */
struct difference {
    bool found;
    uint32_t step;       /* of the program; or its count: in the tree that it left */
    char line[STEP_MAX]; /* the step */
    char sides[2][1024]; /* what came on either */
};

/** A block in which a file was made to end. */
struct end {
    uint64_t inode, block;
};

struct pair {
    struct side *linux_side, *virtual_side;
    const char *root;          /* scratch directory of the real one */
    uint64_t runs;             /* so far; each in a directory of its own */
    uint64_t steps, successes; /* so far, those of the comparison of the trees included */
    struct end ends[OPS_MAX];  /* in this run */
    uint32_t end_count;
    bool wrong;                 /* the virtual disk lies, always alike: a self-test */
    const char *refusal;        /* why the real one cannot run here; or NULL */
    char (*record)[RECORD_MAX]; /* if given: what Linux said to each step */
};

/** Sets up the real side. False with `refusal` if there is none here. */
bool pair_init(struct pair *pair, const char *root, bool wrong);
void pair_deinit(struct pair *pair);

/** Runs the program on both and compares. -EINVAL: it is not a program that makes sense. */
int32_t pair_run(struct pair *pair, const struct program *program,
                 struct difference *ret_difference);

/** Makes `program`, which differs, shorter; `difference` is that of the shortest. */
void pair_shrink(struct pair *pair, struct program *program, struct difference *difference);

/** Prints the steps, the difference, and the row for the conformance suite. */
void pair_report(struct pair *pair, const struct program *program,
                 const struct difference *difference);

#endif
