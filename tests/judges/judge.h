/** tests/judges/judge.h - whether what a power cut left is allowed, by the rules alone.
 *
 * Rules R2 to R6, with the differences between profiles, written down a second time, from
 * their text and apart from the simulated disk: which operations on names survived, and of
 * each file, of which versions its size and its sectors are. That a sync was complete
 * before the cut is a promise; what had not begun before it is not there.
 */
#ifndef TEMPEST_TESTS_JUDGES_JUDGE_H
#define TEMPEST_TESTS_JUDGES_JUDGE_H

#include "history.h"
#include "seen.h"

/** What a profile adds to the rules that all hold to. */
struct judge_rules {
    const char *name;
    bool names_in_order; /* those that survive are the first ones */
    bool sync_all_names; /* a sync of a file commits all names up to its last change */
    bool sync_own_names; /* a sync of a file commits the file's own; of one that has none
                            any more, nothing, not even its data */
    bool both_names;     /* a file renamed into another directory may have its old name too,
                            once the new one is durable */
    bool replaces_in_two; /* what a rename replaced may be gone, and the rename lost, unless
                             the renamed one had been synced since the other got its name */
    bool passing_names; /* one that a new file had for a while, and no longer, need not have
                           been there: the next file of that name does not need it */
    bool at_once;       /* names are durable without a sync: wrong, for a self-test */
};

extern const struct judge_rules judge_rules[];
extern const uint32_t judge_rules_count;

/** How often what was seen, over all that was allowed. */
struct judge_tally {
    uint64_t cuts, programs;
    uint64_t names_promised, names_kept,
        names_lost;                      /* operations: kept without a promise */
    uint64_t names_both;                 /* old ones beside the new */
    uint64_t names_bare;                 /* lost, but for what they replaced */
    uint64_t names_before;               /* lost, and a write in place before a sync */
    uint64_t names_reordered;            /* kept, and an earlier one was not */
    uint64_t files;                      /* looked at */
    uint64_t files_newest, files_synced; /* as in memory; as synced last */
    uint64_t files_between;              /* anything else */
    uint64_t sizes_alone; /* larger than what was synced, and none of the bytes arrived */
    uint64_t sizes_past;  /* a size that was neither the synced nor the newest one */
    uint64_t sectors, sectors_old,
        sectors_past; /* could differ; synced; a version between */
    uint64_t mixed;   /* files with sectors of different versions */
};

/** Judges what was seen after a cut at a position. False: it is not allowed, and why. */
bool judge(const struct judge_rules *rules, const struct history *history,
           const struct seen *seen, uint32_t cut, struct judge_tally *tally,
           char ret_why[512]);

/** Whether what was seen is the least that may be: what was promised, and nothing more. */
bool judge_least(const struct judge_rules *rules, const struct history *history,
                 const struct seen *seen, uint32_t cut, char ret_why[512]);

#endif
