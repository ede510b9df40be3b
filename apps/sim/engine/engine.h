/** apps/sim/engine/engine.h - the simulator for a host that drives it: a page, a test.
 *
 * One run at a time, event by event, with everything that can be looked at as JSON. What
 * exports.c offers to the host of a module is this, with the strings in between.
 *
 * Between two calls everything is in memory, so that a copy of it is a snapshot. A run
 * stops at its verdict: then nodes and disks are shown as they were at that moment, while
 * the run itself has been taken down, and its trace hash is the final one.
 */
#ifndef TEMPEST_APPS_SIM_ENGINE_ENGINE_H
#define TEMPEST_APPS_SIM_ENGINE_ENGINE_H

#include <stdio.h>

#include "apps/sim/engine/facts.h"
#include "apps/sim/scenarios/scenarios.h"
#include "apps/sim/sim_internal.h"

enum {
    ENGINE_ABI = 4,
    ENGINE_LIST_MAX = 64, /* of files, operations, machines, names: per node */
    ENGINE_MESSAGES = 256,
    ENGINE_PAGES = 256,
};

struct engine {
    const struct tp_scenario *scenario; /* NULL: no run */
    struct tp_sim_options options;
    struct tp_tape *tape;
    bool from_tape;
    struct tp_sim *sim;
    struct tp_sim_outcome outcome;
    uint32_t node_count, drawn; /* families */
    bool over;
    uint64_t steps;          /* events that have happened, with all that they led to */
    uint64_t events, now_ns; /* at the end */
    uint32_t phase;
    struct engine_facts facts;
    char *picture; /* at the verdict; NULL: look */
    size_t picture_bytes;
};

/** Opens a run of `scenario`, which must stay, in the manner of `options`; on `tape`, which
 * becomes the engine's, or on a new one from the seed; its label says so. An open one is
 * closed. 0, or -ENOMEM, and then the tape is destroyed. */
int engine_begin(struct engine *engine, const struct tp_scenario *scenario,
                 const struct tp_sim_options *options, struct tp_tape *tape);

/** Closes it; nothing happens when none is open. */
void engine_end(struct engine *engine);

/** Goes on for so many events, but for none later than `until_ns`. Result: how many there
 * were. */
uint32_t engine_go(struct engine *engine, uint32_t events, uint64_t until_ns);

/** The same until something is told of the node. */
uint32_t engine_go_to(struct engine *engine, uint32_t node, uint32_t events);

/** The program has stopped itself, and the module with it: this is a copy of its memory,
 * from the middle of an event. That is the verdict, with what it said; nothing is taken
 * down, the trace is what it was by then. Only looking may follow. */
void engine_stopped(struct engine *engine, const char *said);

/** An act, now; as tp_act_now(), which see. */
int32_t engine_act(struct engine *engine, const struct tp_act *act);

/* ------------------------------------------------------------------ as JSON */

/** The scenarios, and all that can be chosen. */
void engine_write_list(const struct tp_scenario *scenarios, uint32_t count, FILE *out);

/** Of which scenario, and in which manner; and of which seed, if it is of one. */
void engine_write_manner(const char *scenario, const struct tp_sim_options *options,
                         bool is_of_seed, FILE *out);

/** The run as it stands. */
void engine_write_state(struct engine *engine, FILE *out);

/** Parts of it: look.c, look_disk.c, look_net.c. */
void engine_write_picture(const struct tp_sim *sim, const struct engine_facts *facts,
                          FILE *out);
void engine_write_disk(const struct tp_node *node, FILE *out);
void engine_write_links(const struct tp_sim *sim, FILE *out);
void engine_write_messages(const struct tp_sim *sim, FILE *out);

#endif
