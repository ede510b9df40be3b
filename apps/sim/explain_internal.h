/** apps/sim/explain_internal.h - how an explanation is looked for, one trial a step.
 *
 *     explain.c         the run as it was; what to try, in which order
 *     explain_losses.c  what takes changes away, and whether the run fails by that
 *     explain_set.c     ghosts one by one, and those that heal only together
 *     explain_heals.c   whether the run passes with ghosts
 *     explain_ahead.c   the same, on several processors
 *     explain_found.c   what ghosts that heal say
 *     explain_told.c    whether others had been told of what was lost, by a cut or a sync
 *     explain_choices.c choices that are made mildest
 *     explain_early.c   messages that came too early
 *     explain_where.c   where that is, in the run with all stages of its operations
 *     explain_overtaken.c  whether order alone would have healed
 *     explain_after.c   what the program did with it, and what its nodes wait for
 *     explain_read.c    what it has read that is not what was written
 *     explain_mute.c    whether it takes what a node says that is cut off
 *     explain_words.c   what was found, in words
 *     explain_words_after.c  and what the program did with it
 */
#ifndef TEMPEST_APPS_SIM_EXPLAIN_INTERNAL_H
#define TEMPEST_APPS_SIM_EXPLAIN_INTERNAL_H

#include "apps/sim/explain.h"

enum {
    TP_EXPLAIN_RECORDS = 65536,
    TP_EXPLAIN_NODES = 64,
    TP_EXPLAIN_CANDIDATES = 512,
    TP_EXPLAIN_EARLY = 64,
    TP_EXPLAIN_LOSSES = 64,
    TP_EXPLAIN_TIMES = 16,   /* ways in which things take another time */
    TP_EXPLAIN_FAIL_MIN = 4, /* of which so many fail alike, at least, if it is no chance */
};

/* A barrier that could be missing, and the change after which it would be. */
struct tp_candidate {
    struct tp_ghost ghost;
    uint32_t record;
    uint32_t loss; /* the fact that takes it away */
    enum tp_explained_before before;
};

/* What takes changes away: a power cut, or a sync that fails. */
struct tp_loss {
    uint32_t record;
    uint32_t tried, failed; /* runs in which all is otherwise from then on */
};

/* A choice without which the run passes, and what that comes to. */
struct tp_remedy {
    enum tp_explained how;
    struct tp_draw_entry choice;
    uint32_t stream;
    uint64_t index;
    struct tp_record failed, event;
    struct tp_record from; /* the fact that it decides; node 0: none, or of no node */
};

/* A message that may have been sent too early, and the change that comes all the same. */
struct tp_early {
    struct tp_record told, change;
    uint64_t until_ns;               /* from then on it would not have been */
    bool goes_on;                    /* the machine that sends it does, to the change */
    uint64_t faults_from, faults_to; /* of the node's, those that made the change fail */
};

/* What is tried, one trial a step. */
enum tp_explain_stage {
    TP_STAGE_RECORDS, /* the run once more, with its facts */
    TP_STAGE_STOP, /* the same with all stages of operations, if the program stopped itself
                    */
    TP_STAGE_IDLE, /* the run with no work after its last cuts, in which ghosts are tried */
    TP_STAGE_LOSSES,   /* whether the run fails by what they are to keep */
    TP_STAGE_ONE,      /* ghosts, one by one */
    TP_STAGE_SET,      /* all at once, then fewer */
    TP_STAGE_EARLIEST, /* one that heals, as early as it does */
    TP_STAGE_TOLD,     /* where nothing comes behind it: without messages that do */
    TP_STAGE_UNHEARD,  /* of a sync that failed unheard: without messages before it */
    TP_STAGE_FAULTS,   /* choices made mildest: whether there is a fault */
    TP_STAGE_CUTS,     /* what a cut leaves */
    TP_STAGE_EVENTS,   /* whether something befalls a node, or the links */
    TP_STAGE_CHOICES,  /* all other ones, but for */
    TP_STAGE_SWARM,    /* families and their rates */
    TP_STAGE_RESTART,  /* no cut at the end, then one that takes nothing */
    TP_STAGE_WHERE,    /* the run once more, with all stages of operations */
    TP_STAGE_EARLY,    /* messages that never arrive */
    TP_STAGE_MUTE,     /* the same, of a node that is cut off */
    TP_STAGE_OVER,
};

struct tp_explain_search {
    struct tp_explain *explain;
    enum tp_explain_stage stage;
    struct tp_ghost ghosts[TP_EXPLAIN_CANDIDATES]; /* of the next trial */
    uint32_t ghost_count;
    uint32_t until; /* the first loss behind one of them */
    uint32_t found; /* the candidate that heals */
    uint32_t tried; /* ghosts: of the candidates; or of the members, as ones to leave out */
    uint32_t
        members[TP_EXPLAIN_CANDIDATES]; /* set: candidates that are in it; earliest:
                                           those of its object, the last of which heals */
    uint32_t member_count;
    uint32_t left_out;      /* at a time; 0: the set is not known to heal yet */
    bool were_fewer;        /* since all members were tried, some could be left out */
    uint64_t runs_before;   /* that stage */
    uint64_t survivors;     /* sets of survivors that they have healed, drawn ones */
    uint32_t ways;          /* those before, one by one */
    struct tp_tape *way;    /* the next of them; NULL: none is under way */
    bool all_ways;          /* there are no more */
    uint32_t stream;        /* of the choices */
    bool passes_uncut;      /* restart */
    uint64_t left;          /* of the stream's choices, counted from its end */
    struct tp_tape *filled; /* the tape, with all that it gives as 0 */
    struct tp_tape *idle; /* the same with no work in the end; NULL: it has to have that */
    struct tp_record *records;
    uint32_t record_count;
    uint64_t
        cut_draws[TP_EXPLAIN_NODES]; /* on a node's crash stream, before its last cut */
    uint32_t cut_record[TP_EXPLAIN_NODES];
    bool was_cut[TP_EXPLAIN_NODES];
    uint32_t cut_nodes;
    struct tp_candidate candidates[TP_EXPLAIN_CANDIDATES];
    uint32_t candidate_count;
    struct tp_remedy remedy; /* the last of so many that were found; */
    uint32_t remedies;
    bool is_trying; /* whether that is no chance, in so many runs: */
    uint32_t times, failed_with;
    bool fails_alike; /* the last run with ghosts */
    uint32_t told_at; /* unheard: the next message, from the last before the sync */
    struct tp_loss losses[TP_EXPLAIN_LOSSES];
    uint32_t loss_count, loss_at;
    struct tp_early early[TP_EXPLAIN_EARLY];
    uint32_t early_count, early_at; /* the next one */
    uint32_t mute_low, mute_high; /* mute: messages from which on it passes, and does not */
    int error;
};

/** A choice that is never asked for in a stream of another concern. */
static const struct tp_draw_entry tp_explain_never = {.bound = 1, .kind = TP_DRAW_SEED};

/** The file that a change is of, or the directory. */
static inline uint32_t tp_explain_object(const struct tp_record *change)
{
    return change->dir != 0 ? change->dir : change->inode;
}

/** Whether a change is of the same file, or of the same directory, as another one; of one
 * that renames from one directory into another, it is one of them. */
static inline bool tp_explain_is_of_same(const struct tp_record *change,
                                         const struct tp_record *as)
{
    return change->node == as->node && (change->dir != 0) == (as->dir != 0) &&
           (tp_explain_object(change) == tp_explain_object(as) ||
            (as->dir != 0 && change->to_dir == as->dir));
}

/** Whether an operation is a barrier of what a change is of; a directory's may be on its
 * fd.
 */
static inline bool tp_explain_is_barrier(const struct tp_record *record,
                                         const struct tp_record *change)
{
    return record->kind == TP_FACT_OPERATION && record->node == change->node &&
           record->inode == tp_explain_object(change) &&
           (record->op == TP_FSYNC || (record->op == TP_SYNC_DIR && change->dir != 0));
}

/** Whether a fact of one run is that of another one, whatever its result. */
bool tp_explain_is_alike(const struct tp_record *here, const struct tp_record *there);

/** Where the change is taken away, from a fact behind it on: by the next cut of its node,
 * or, behind the last one, by the next failed sync of its file. The count: nowhere. */
uint32_t tp_explain_find_loss(const struct tp_explain_search *s, uint32_t index,
                              uint32_t from);

/** One more run in which all is otherwise from a loss on, after the call of begin, which
 * comes when there are candidates. */
void tp_explain_begin_losses(struct tp_explain_search *s);
void tp_explain_loss(struct tp_explain_search *s);

/** The change of a candidate: if that renames from one directory into another, as a change
 * of the one that the ghost is of. */
static inline struct tp_record tp_explain_change(const struct tp_explain_search *s,
                                                 const struct tp_candidate *candidate)
{
    struct tp_record change = s->records[candidate->record];

    change.dir = candidate->ghost.to ? change.to_dir : change.dir;
    return change;
}

/** What follows a candidate's change, before the last cut of its node if that is behind it:
 * what a barrier between would have to come before, and where that is. */
enum tp_explained_before tp_explain_follows(const struct tp_explain_search *s,
                                            const struct tp_candidate *candidate,
                                            uint32_t *ret_at);

/** One run with ghosts; with other survivors of the last cuts, unless `survivors` is 0. */
bool tp_explain_passes(struct tp_explain_search *s, const struct tp_ghost *ghosts,
                       uint32_t count, uint64_t survivors);

/** One run without ghosts in which, from a fact on, all that its node does takes another
 * time, one for each number from 1 on, and nothing befalls it: whether it fails alike. With
 * `remedy` that choice is the mildest, and it counts however it fails. */
bool tp_explain_fails_later(struct tp_explain_search *s, const struct tp_remedy *remedy,
                            const struct tp_record *from, uint64_t number);

/** One run in which choices of a stream are made mildest, from one up to another. */
bool tp_explain_passes_mild(struct tp_explain_search *s, uint32_t stream, uint64_t from,
                            uint64_t to);

enum tp_explain_tried { TP_TRIED_HEALS, TP_TRIED_SO_FAR, TP_TRIED_FAILS };

/** One more run with the ghosts that are chosen: with the original survivors, then with
 * each set that there can be, then, if these are too many, with some that are drawn; or,
 * where a failed sync is what takes away, with other times. */
enum tp_explain_tried tp_explain_try(struct tp_explain_search *s);

/** Ghosts, when there are candidates. So many tries are to come, one of which heals or
 * none, until others are to be made of what they have come to. */
void tp_explain_begin_ghosts(struct tp_explain_search *s);
uint32_t tp_explain_tries(const struct tp_explain_search *s);

/** The ghosts of such a try, from 0. */
void tp_explain_choose_ghosts(struct tp_explain_search *s, uint32_t try);

/** What the next try has come to. True: the next one is what it was; else all are others.
 */
bool tp_explain_tried(struct tp_explain_search *s, bool heals);

/** It was ended before all had been tried: what is known by then. */
void tp_explain_end_ghosts(struct tp_explain_search *s);

/** Notes what a candidate says that has healed, and what comes behind another one; or what
 * candidates do that have healed together. */
void tp_explain_found_one(struct tp_explain_search *s, const struct tp_candidate *candidate,
                          const struct tp_candidate *last);
void tp_explain_found_all(struct tp_explain_search *s, const uint32_t *candidates,
                          uint32_t count);

/** What the first barrier comes to, by what it would have to come before. */
void tp_explain_say_how(struct tp_explain_search *s);

/** Of a candidate that heals, behind which nothing changes: whether the run also passes if
 * the node, which comes to the same cut, tells nobody of the change. */
void tp_explain_told(struct tp_explain_search *s);

/** Of a sync that failed unheard: whether it is what the node told others before that the
 * run fails by, a message a step. Then the sync is not what to name. */
void tp_explain_told_before(struct tp_explain_search *s);

/** One more choice made mildest; one more message that never arrives, after the first call
 * of begin, which is told of the run with all stages of its operations. */
void tp_explain_choice(struct tp_explain_search *s);
void tp_explain_begin_early(struct tp_explain_search *s,
                            const struct tp_recorder *recorder);
void tp_explain_early(struct tp_explain_search *s);

/** One more run without the cut at the end, then with one that takes nothing. */
void tp_explain_restart(struct tp_explain_search *s);

/** Where among so many records that befalls a node, or the links, which a choice says in
 * what way; the count: nowhere, or it says no such thing. */
uint32_t tp_explain_find_event(const struct tp_record *records, uint32_t count,
                               uint32_t stream, uint64_t index,
                               const struct tp_draw_entry *choice);

/** What a program that stopped itself was told last. */
void tp_explain_stop(struct tp_explain_search *s);

/** Whether what was found is that links were cut, and a node is named by that. */
bool tp_explain_is_cut_off(const struct tp_explain *explain);

/** Where among so many records that happens, to node `detail` + 1; the count: nowhere. */
uint32_t tp_explain_find_cut_off(const struct tp_explain *explain,
                                 const struct tp_record *records, uint32_t count);

/** Where among so many records the verdict is; the count: it is not there. */
uint32_t tp_explain_find_verdict(const struct tp_record *records, uint32_t count);

/** One more message of such a node from which on it is not heard, after the first call of
 * begin. */
void tp_explain_begin_mute(struct tp_explain_search *s);
void tp_explain_mute(struct tp_explain_search *s);

/** What the program did with what was found, where the run fails, what its nodes wait for.
 */
void tp_explain_after(struct tp_explain *explain, const struct tp_recorder *recorder);

/** What the process in which it fails, or that is down, has read, and who had written that.
 */
void tp_explain_read(struct tp_explain *explain, const struct tp_recorder *recorder);

/** Prints what both have found. */
void tp_explain_print_after(const struct tp_explain *explain, FILE *out);

/** The barrier of the program that overtook the operation which it should have covered;
 * NULL: there is none. */
const struct tp_record *
tp_explain_overtaking_barrier(const struct tp_explained_barrier *missing,
                              const struct tp_recorder *recorder);

/** Whether what was found is that an operation was overtaken by a promise. Then it is to be
 * waited for. */
bool tp_explain_overtaken_by_promise(struct tp_explain *explain,
                                     const struct tp_recorder *recorder);

/** Where the choice that was found befalls the run; or whether the barrier that is missing
 * is under way. */
void tp_explain_where(struct tp_explain_search *s);

#endif
