/** apps/sim/trial.h - one run at a time, each in a child process, with its tape in sight.
 *
 * The tape lies in memory that both processes share, so that what was drawn until a crash
 * is there after it. A shrinker tries thousands of tapes this way.
 */
#ifndef TEMPEST_APPS_SIM_TRIAL_H
#define TEMPEST_APPS_SIM_TRIAL_H

#include "apps/sim/batch.h"
#include "apps/sim/moments.h"
#include "apps/sim/record.h"

/** Memory that is given out piece by piece and taken back all at once. */
struct tp_arena {
    uint8_t *memory;
    size_t size_bytes, used_bytes;
    struct tp_allocator allocator;
};

/** What a child has to say of its run. */
struct tp_trial_end {
    struct tp_sim_outcome outcome;
    bool is_there; /* the run has come to its end */
};

struct tp_trial {
    struct tp_batch_job job;
    struct tp_arena arena;            /* shared */
    struct tp_trial_end *end;         /* shared */
    struct tp_recorder *recorder;     /* shared; what the last run did, if `records` */
    uint32_t records;                 /* how many facts to keep; 0: none */
    bool all_stages;                  /* of operations; else effects */
    bool compares;                    /* what is read with what was written */
    bool looks;                       /* the recorder also looks at disks and messages */
    struct tp_moments *moments;       /* shared; of the last run, if `notes_moments` */
    bool notes_moments;               /* instead of records */
    const struct tp_sim_watch *watch; /* else this is told, in the child; NULL: nobody */
    bool realigns;                    /* replays of edited tapes; see tp_tape_realign() */
    uint64_t events_max; /* a run of more is ended there, and has passed; 0: none is */
    int said_fd;
    uint64_t hang_ns; /* for one run; 0: 10 s */
    uint64_t runs;
};

/** 0, or -errno. */
int tp_trial_open(struct tp_trial *trial, const struct tp_batch_job *job);
void tp_trial_close(struct tp_trial *trial);

/** Runs a seed. `*ret_tape` is what it drew, as a record to be replayed; the caller's. 0,
 * -EINTR if a signal came that the program takes (apps/common/signals.h), or -errno if
 * there is no process to be had. */
int tp_trial_seed(struct tp_trial *trial, uint64_t seed, struct tp_sim_outcome *ret_outcome,
                  struct tp_tape **ret_tape);

/** Replays a record; it becomes what was asked for: trimmed, and, where a stream goes on
 * past its end, longer. */
int tp_trial_replay(struct tp_trial *trial, struct tp_tape *tape,
                    struct tp_sim_outcome *ret_outcome);

/** What all that run one share; trial_tape.c. A tape that was replayed becomes what was
 * asked for of it. */
void tp_trial_trim(struct tp_tape *tape);
/** `tape` becomes what a replay of it has drawn. 0, or -ENOMEM. */
int tp_trial_take(const struct tp_trial *trial, struct tp_tape *tape,
                  const struct tp_tape *drawn);

#endif
