/** apps/sim/words.h - a tape in words, and as a C test. */
#ifndef TEMPEST_APPS_SIM_WORDS_H
#define TEMPEST_APPS_SIM_WORDS_H

#include <stdio.h>

#include "apps/sim/sim.h"

/** A choice: where it stands on a tape, and what it is. */
void tp_words_choice(uint32_t stream, uint64_t index, const struct tp_draw_entry *entry,
                     FILE *out);

/** The same of each that is not 0, seeds of generators left out; of those in a row that are
 * alike once. */
void tp_words_print(const struct tp_tape *tape, FILE *out);

/** A function of C that runs the tape and expects the outcome. */
void tp_words_test(const struct tp_tape *tape, const struct tp_scenario *scenario,
                   const struct tp_sim_options *options,
                   const struct tp_sim_outcome *outcome, FILE *out);

#endif
