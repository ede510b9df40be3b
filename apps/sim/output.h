/** apps/sim/output.h - the file that a command writes at its end.
 *
 * It is tried before the work begins, which may take half a minute: a directory that is not
 * there is said at once. What is there already stays as it is until then.
 */
#ifndef TEMPEST_APPS_SIM_OUTPUT_H
#define TEMPEST_APPS_SIM_OUTPUT_H

#include <stdio.h>

#include "apps/sim/options.h"

struct tp_output {
    char path[4096];
    bool is_stdout; /* "-": then what is said about it goes to standard error */
};

/** The file of --output, else one called SCENARIO and `ending`. "-" is standard output
 * where `may_be_stdout`. False: it cannot be written, which was said. */
bool tp_output_choose(const struct tp_sim_arguments *arguments, const char *ending,
                      bool may_be_stdout, struct tp_output *ret_output);

/** Opens it, and empties it. NULL: `errno` says why; tp_output_close() is to be called all
 * the same. */
FILE *tp_output_open(const struct tp_output *output);

/** Closes it. `good`: all was written. False: it is not there, which was said. */
bool tp_output_close(const struct tp_output *output, FILE *file, bool good);

/** Where a command says what it has written. */
FILE *tp_output_words(const struct tp_output *output);

#endif
