/** apps/sim/engine/attempt.h - a trial for the module that looks for why: run here, as a
 * child process would run it natively.
 *
 * When the program stops itself in there, the module has trapped: what it was asked for and
 * what it has noted is still there, and engine_attempt_end() may be called once; nothing
 * else may. The next one is run in another instance.
 */
#ifndef TEMPEST_APPS_SIM_ENGINE_ATTEMPT_H
#define TEMPEST_APPS_SIM_ENGINE_ATTEMPT_H

#include "apps/sim/engine/parcel.h"
#include "apps/sim/moments.h"
#include "apps/sim/record.h"

/** All zero at first. */
struct engine_attempt {
    struct engine_order order;
    struct tp_ghost *ghosts;
    struct tp_tape *tape; /* NULL: there is none */
    struct tp_sim_options options;
    struct tp_sim *sim; /* NULL: it is over */
    struct tp_sim_outcome outcome;
    struct tp_recorder recorder;
    struct tp_moments moments;
    void *moments_memory;
};

/** Begins what an order says, in the manner of `options`; the scenario must stay. False: it
 * is none, or there is no memory. */
bool engine_attempt_begin(struct engine_attempt *attempt,
                          const struct tp_scenario *scenario,
                          const struct tp_sim_options *options,
                          struct engine_parcel *order);

/** So many events more. False: the run has come to its end, or to as many as it may have.
 */
bool engine_attempt_go(struct engine_attempt *attempt, uint32_t events);

/** The answer, whose bytes are the caller's to free(). If it is not over it was ended by
 * the host: `said` is what it said last, if it had trapped; NULL: it took too long. */
void engine_attempt_end(struct engine_attempt *attempt, const char *said,
                        struct engine_parcel *ret_answer);

/** Gives back what an answered one has. */
void engine_attempt_forget(struct engine_attempt *attempt);

#endif
