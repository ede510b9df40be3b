/** apps/sim/manner.h - in which manner seeds are run, as somebody writes it: profile,
 * faults; and as a tape has it that was saved.
 */
#ifndef TEMPEST_APPS_SIM_MANNER_H
#define TEMPEST_APPS_SIM_MANNER_H

#include "apps/sim/sim.h"

enum { TP_MANNER_BYTES = 384 };

/** "ext4". False: there is none of that name. */
bool tp_manner_profile(const char *text, struct tp_sim_options *run);

/** What a profile (enum tp_disk_profile) promises, in a few words. */
const char *tp_manner_profile_summary(uint32_t profile);

/** "+kill,-all": families always on, or never; what comes later counts. NULL, or where in
 * the text it is wrong. */
const char *tp_manner_faults(const char *text, struct tp_sim_options *run);

/** Writes what tp_manner_faults() reads again as the same, "" if nothing is asked for.
 * Returns `ret_text`, of TP_MANNER_BYTES. */
const char *tp_manner_faults_text(const struct tp_sim_options *run, char *ret_text);

/** Labels a tape with the scenario and the manner of its run, so that it replays as the
 * same. A name that is too long for a label leaves it without. */
void tp_manner_label(struct tp_tape *tape, const struct tp_scenario *scenario,
                     const struct tp_sim_options *run);

/** The same of a tape that has what the seed of `run` drew, and acts; nothing else was
 * changed. */
void tp_manner_label_seed(struct tp_tape *tape, const struct tp_scenario *scenario,
                          const struct tp_sim_options *run);

/** What a label says. False: it is none of these, or names what is not known here.
 * `ret_name`, of TP_TAPE_LABEL_BYTES, is "" where the tape has no label; `*ret_is_of_seed`:
 * whether it is what the seed drew. */
bool tp_manner_read_label(const struct tp_tape *tape, char *ret_name,
                          struct tp_sim_options *ret_run, bool *ret_is_of_seed);

#endif
