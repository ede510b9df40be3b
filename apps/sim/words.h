/** apps/sim/words.h - a tape in words, and as a C test. */
#ifndef TEMPEST_APPS_SIM_WORDS_H
#define TEMPEST_APPS_SIM_WORDS_H

#include <stdio.h>

#include "apps/sim/sim.h"

/** A line for each choice that is not 0. */
void tp_words_print(const struct tp_tape *tape, FILE *out);

/** A function of C that runs the tape and expects the outcome. */
void tp_words_test(const struct tp_tape *tape, const struct tp_scenario *scenario,
                   const struct tp_sim_options *options,
                   const struct tp_sim_outcome *outcome, FILE *out);

#endif
