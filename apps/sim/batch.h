/** apps/sim/batch.h - a few seeds, run in a child process into memory that the parent sees.
 *
 * A child runs many seeds, since a fork costs as much as some of them; when it dies, the
 * seed that it had begun is the one that killed it, and what it said on standard error is
 * why.
 */
#ifndef TEMPEST_APPS_SIM_BATCH_H
#define TEMPEST_APPS_SIM_BATCH_H

#include "apps/sim/sim.h"

enum { TP_BATCH_SEEDS = 64, TP_BATCH_MARKS = 512, TP_BATCH_SAID = 65536 };

/** What is run, in every child alike. */
struct tp_batch_job {
    const struct tp_scenario *scenario;
    struct tp_sim_options options; /* but for the seed */
    struct tp_mark_list marks;
};

struct tp_seed_result {
    uint64_t seed;
    uint64_t wall_ns;
    struct tp_sim_outcome outcome;
};

/** Shared by a child and its parent. */
struct tp_batch {
    uint64_t first;
    uint32_t count;
    _Atomic uint32_t begun, done;           /* seeds */
    _Atomic uint32_t quit;                  /* set by the parent: begin no other */
    _Atomic uint32_t marks[TP_BATCH_MARKS]; /* whether each has held */
    struct tp_seed_result results[TP_BATCH_SEEDS];
};

/** In a child that was just forked: it dies with its parent, leaves no core, and what it
 * says on either stream goes into `said_fd`; one that says too much dies of it. What a
 * terminal sends to all (SIGINT) is its parent's matter. Ends the process where that cannot
 * be had. */
void tp_batch_become_child(int said_fd);

/** In the child: runs the batch. `said_fd`, where standard output and error go, is emptied
 * before each seed. */
void tp_batch_run(const struct tp_batch_job *job, struct tp_batch *batch, int said_fd);

/** In the parent: the verdict on a seed whose child has died, from its status and from what
 * it had said; `hung_ns` if it was killed since it took longer, else 0. */
void tp_batch_judge(int status, uint64_t hung_ns, int said_fd,
                    struct tp_sim_outcome *ret_outcome);

/** How many marks there are, as far as there is room for them. */
uint32_t tp_batch_mark_count(const struct tp_mark_list *marks);

/** Nanoseconds of the host's monotonic clock. */
uint64_t tp_host_now_ns(void);

#endif
