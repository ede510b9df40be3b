/** apps/sim/engine/parcel.h - a trial that one module wants, and what another one says of
 * it.
 *
 * The module that looks for why (why.c) has trials run elsewhere, since one in which the
 * program stops itself takes its module with it. Both are of one build, so a parcel holds
 * structs as they are; but for pointers, which mean nothing elsewhere.
 *
 *     order:   struct engine_order, the ghosts, the tape
 *     answer:  struct engine_answer, the tape as it was drawn, records, the files that they
 *              are of, moments
 */
#ifndef TEMPEST_APPS_SIM_ENGINE_PARCEL_H
#define TEMPEST_APPS_SIM_ENGINE_PARCEL_H

#include "apps/sim/sim.h"

struct engine_order {
    uint64_t events_max; /* as in struct tp_trial */
    uint32_t records;
    uint32_t ghost_count;
    bool all_stages, compares, realigns, notes_moments, ends_uncut;
};

struct engine_answer {
    struct tp_sim_outcome outcome;
    uint64_t dropped; /* records */
    uint32_t record_count, file_count, moment_count, streams;
};

/** The name of a file that records are of; so many bytes of its text follow. */
struct engine_file {
    uint64_t address;
    uint32_t len_bytes;
};

struct engine_parcel {
    uint8_t *bytes;
    size_t len_bytes, capacity;
    size_t at; /* what is taken next */
};

/** Adds to it; it grows. */
void engine_parcel_put(struct engine_parcel *parcel, const void *bytes, size_t len_bytes);
void engine_parcel_put_tape(struct engine_parcel *parcel, const struct tp_tape *tape);

/** Takes from it, in the order of the puts. False: there is less; or no memory. */
bool engine_parcel_take(struct engine_parcel *parcel, void *ret_bytes, size_t len_bytes);
bool engine_parcel_take_tape(struct engine_parcel *parcel, struct tp_tape **ret_tape);

#endif
