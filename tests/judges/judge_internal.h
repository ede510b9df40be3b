/** tests/judges/judge_internal.h - one trial: a guess at which operations on names
 * survived, held against what was seen. judge.c makes the guesses, judge_tree.c holds them
 * against the tree, judge_file.c a file against its versions. */
#ifndef TEMPEST_TESTS_JUDGES_JUDGE_INTERNAL_H
#define TEMPEST_TESTS_JUDGES_JUDGE_INTERNAL_H

#include "judge.h"

enum { WHY_BYTES = 512 };

struct trial {
    const struct judge_rules *rules;
    const struct history *history;
    const struct seen *seen;
    uint32_t cut;
    uint32_t op_count;           /* operations on names that had begun */
    bool least;                  /* nothing may be there but what was promised */
    bool promised[ACTS_MAX];     /* by operation */
    bool kept[ACTS_MAX];         /* the guess */
    bool bare[ACTS_MAX];         /* lost, but what it replaced is gone */
    uint32_t value[OBJECTS_MAX]; /* by place: what it names then; 0: nothing */
    bool blocked[OBJECTS_MAX];   /* by place: an operation on it was lost */
    uint32_t guesses;            /* so far */
    bool matched;                /* in one guess the names were right */
    char why[WHY_BYTES];         /* of the best guess */
    struct judge_tally files;    /* what the files of the current guess add */
};

/* The power goes at the last moment before the device hears more: what the programs did in
 * memory until then they did. */
static inline bool act_has_begun(const struct trial *trial, uint32_t act)
{
    return trial->history->acts[act].begun <= trial->cut;
}

static inline bool act_has_ended(const struct trial *trial, uint32_t act)
{
    return trial->history->acts[act].ended <= trial->cut;
}

/** What a place names: by the guess, or (both_names) by a rename that left the old name. */
uint32_t object_at(const struct trial *trial, uint32_t place);

/** Whether the tree of a program is what the guess says, files included. */
bool tree_is_allowed(struct trial *trial, uint32_t program);

/** Whether a file's size and bytes are made of versions that it may have. */
bool file_is_allowed(struct trial *trial, uint32_t object, const struct seen_entry *entry);

#endif
