/** apps/sim/explain.h - why a run failed: the barrier that was missing, and where.
 *
 * For what was lost in a power cut, ghosts are tried: barriers that take no time and that
 * the program does not see, at each boundary between two changes of a file's data or of a
 * directory's names, latest before a promise first. The run up to the next cut must be the
 * same one; what survives, and the recovery, are not. A ghost heals if the run passes with
 * the original survivors and with all others, or, where they are too many, with those of
 * which little is kept or lost and with many that are drawn. A ghost after the last change
 * before the cut says that what is left of that is not borne, or, if the run also passes
 * when nothing is heard of the node from there on, that others were told too early. Of one
 * that heals it is found out after which change at the earliest it does. Behind the last
 * cut of a node a failed sync of the file is what may have lost something, and it is that
 * only if others were not told of it before that. No ghost is
 * tried before a loss by which the run does not fail: that it does is seen in runs in
 * which things take other times from the loss on, and nothing else befalls the node. Where
 * none heals alone, all are tried at once that come before something, and, if that heals,
 * without some of them: of those that are left, none can be done without. Where no ghosts
 * heal, it is asked which one choice, made mildest, makes the run pass: whether there is a
 * fault, then what a cut leaves, whether something befalls a node or the links, then all
 * else, and last which families there are; and whether it also does if nothing arrives
 * that a node sent before what matters was done, or since it was cut off; and at last
 * whether it fails even if the cut at the end takes nothing, and only after that. Then it
 * is said what the program did with what was found: where it went on, what it promised,
 * where the run fails, what a node that does not get on waits for. It is tried as much as
 * there is time for: what is not found may be there.
 */
#ifndef TEMPEST_APPS_SIM_EXPLAIN_H
#define TEMPEST_APPS_SIM_EXPLAIN_H

#include "apps/sim/trial.h"

enum tp_explained {
    TP_EXPLAINED_NOT,
    TP_EXPLAINED_BARRIER, /* one that is missing, or some of which each is needed */
    TP_EXPLAINED_UNHEARD, /* one that is there, and has failed unheard */
    TP_EXPLAINED_WAIT,    /* one that is there, and was not waited for; or an operation that
                             was overtaken by one, or by a promise */
    TP_EXPLAINED_TORN,    /* what a cut leaves of a change is not borne */
    TP_EXPLAINED_EARLY,   /* others were told of what was not done yet */
    TP_EXPLAINED_ERROR,   /* a failed operation that is not borne */
    TP_EXPLAINED_CHOICE,  /* another choice */
    TP_EXPLAINED_RESTART, /* the restart after the cut at the end, which takes nothing */
};

/** What a missing barrier would have to come before. */
enum tp_explained_before {
    TP_BEFORE_NOTHING,
    TP_BEFORE_PROMISE,
    TP_BEFORE_SAME,  /* another change of the same file or directory */
    TP_BEFORE_OTHER, /* a change of another one */
    TP_BEFORE_TOLD,  /* a message to others, who rely on it */
};

/** Of a barrier that is missing, what the program's own one does. */
enum tp_explained_own {
    TP_OWN_NONE,      /* there is none */
    TP_OWN_FAILED,    /* unheard */
    TP_OWN_LATE,      /* it was not waited for */
    TP_OWN_OVERTAKES, /* it was begun while the operation was under way */
};

/** A barrier that is missing; of several at one place of the source, the first. */
struct tp_explained_barrier {
    struct tp_ghost ghost;
    uint32_t times;         /* so many are missing there */
    struct tp_record after; /* the operation after which it belongs */
    struct tp_record last;  /* and the last one of that object before `next` */
    enum tp_explained_before before;
    struct tp_record next; /* the promise, or the operation, before which */
    enum tp_explained_own own_how;
    struct tp_record own;
};

/** What a node waits for, or has, in vain; or why it is down. */
struct tp_explained_wait {
    struct tp_record
        record; /* an operation that has begun, or failed; or the process's end */
    struct tp_record last; /* an end: what had completed before it; file NULL: not known */
    uint32_t times;        /* so often, alike */
};

enum {
    TP_EXPLAIN_BARRIERS = 8,
    TP_EXPLAIN_WAITS = 4,
    TP_EXPLAIN_SOURCES = 4,
    TP_EXPLAIN_UNDONE = 4
};

/** What a process has read, and the write that had put it there, or the last of them. */
struct tp_explained_source {
    struct tp_record read, write;
};

/** So long `tempest-sim explain`, and whoever says the same, makes the run smaller first,
 * and then looks; of the host's time. */
#define TP_EXPLAIN_SHRINK_NS UINT64_C(30000000000)
#define TP_EXPLAIN_NS        UINT64_C(30000000000)

struct tp_explain_search; /* explain_internal.h */

struct tp_explain {
    struct tp_trial *trial;
    const struct tp_tape *tape;    /* fails; best if it was shrunk */
    struct tp_sim_outcome outcome; /* of it */
    uint64_t until_ns;             /* of the host's clock */
    uint32_t jobs;                 /* for tp_explain_ahead(); 0: 1 */
    /* Called a few times a second by tp_explain_ahead(); NULL: not. */
    void (*progress)(void *context, const struct tp_explain *explain);
    void *context;
    struct tp_explain_search *search;
    /* What was found. */
    enum tp_explained how;
    uint32_t barrier_count; /* missing ones, by place of the source */
    struct tp_explained_barrier barriers[TP_EXPLAIN_BARRIERS];
    uint32_t barriers_more;  /* for which there is no room */
    bool by_cut, by_sync;    /* barriers: what took away, power cuts, failed syncs, both */
    bool has_more;           /* barriers: some of them may not be needed */
    struct tp_record failed; /* the operation that did: unheard, or not borne; or that was
                                not waited for */
    struct tp_record overtakes; /* wait: what was begun, or promised, before `failed` had
                                   completed; at 0 ns: nothing, it is a barrier itself */
    struct tp_record read;  /* torn: what first looked at it after the cut; or no file */
    struct tp_record told;  /* early: what told it; `failed` is what it did not wait for. A
                               node that is cut off: the last message of it from which on, if
                               it is not heard, the run passes; error: the same, sent before
                               that has failed; or no file */
    struct tp_record event; /* what the choice comes to: text "" if that is not known */
    struct tp_record where; /* the operation that the choice befalls; of an event, the last
                               before it, in flight or not; file NULL: not known */
    struct tp_record next;  /* what the program did next with what failed, or was read: an
                               operation, or the process's end; node 0: not known */
    bool is_believed;       /* that is a second sync of the file whose first one failed */
    struct tp_record promise; /* what the process promised after that; text "": nothing */
    struct tp_record
        noticed; /* what had completed when a check failed; file NULL: not known */
    struct tp_explained_wait waits[TP_EXPLAIN_WAITS]; /* of nodes that do not get on */
    uint32_t wait_count;
    struct tp_record undone[TP_EXPLAIN_UNDONE]; /* a choice of what became of them: what was
                                     under way when a process ended */
    uint32_t undone_count;
    struct tp_record doubtful; /* a read that gave something else than ... */
    struct tp_record written;  /* ... this had been to write; node 0: none is known */
    struct tp_explained_source sources[TP_EXPLAIN_SOURCES]; /* a recovery that was not done,
                     or a restart: what the next one has read, where all is as written */
    uint32_t source_count;
    bool in_recovery;      /* error, choice: of a process that was started again, and that
                              has promised nothing yet */
    struct tp_record last; /* the last that a program was told that stopped itself, or died;
                              node 0: it did not, or that is not known */
    char unkept[1024];     /* what the barriers would have kept, in words */
    bool is_chance; /* error, choice: it passes without that, but that may be chance */
    struct tp_draw_entry choice;
    uint32_t choice_stream;
    uint64_t choice_index;
    uint64_t runs;
    bool is_whole; /* all was tried, or enough */
};

/** Looks for it. 0, or -errno. */
int tp_explain_run(struct tp_explain *explain);

/** The same in steps of a trial or two, for whoever does something in between. begin: 0, or
 * -ENOMEM. step: whether there is more to do. end: at any time; 0, or the -errno that ended
 * it early. */
int tp_explain_begin(struct tp_explain *explain);
bool tp_explain_step(struct tp_explain *explain);
int tp_explain_end(struct tp_explain *explain);

/** Between two steps: where ghosts come next, all of these at once, on `jobs` processors.
 * What is found, and the number of runs, are the same as without. */
void tp_explain_ahead(struct tp_explain *explain);

/** In a word: "fsync", "sync_dir", "wait", "torn", "early", "error", "choice", "restart",
 * or "none". */
const char *tp_explain_kind(const struct tp_explain *explain);

/** How many barriers are missing. */
uint32_t tp_explain_missing(const struct tp_explain *explain);

/** Of a barrier in whose place there is another one, that and what it does, in words; else
 * "". Returns `ret_text`. */
const char *tp_explain_own(const struct tp_explained_barrier *barrier, char *ret_text,
                           size_t size_bytes);

/** The operation after which the first barrier is missing, or that failed; all zero: none.
 */
const struct tp_record *tp_explain_site(const struct tp_explain *explain);

/** Prints it. */
void tp_explain_print(const struct tp_explain *explain, FILE *out);

/** The same as a string of JSON. False: there is no memory. */
bool tp_explain_json(const struct tp_explain *explain, FILE *out);

#endif
