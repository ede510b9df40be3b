/** apps/sim/commands.h - what can be done with a scenario; each gives an exit status. */
#ifndef TEMPEST_APPS_SIM_COMMANDS_H
#define TEMPEST_APPS_SIM_COMMANDS_H

#include "apps/common/args.h"
#include "apps/sim/explain.h"
#include "apps/sim/options.h"
#include "apps/sim/output.h"
#include "apps/sim/trial.h"

/** Many seeds, or one. */
int tp_command_run(const struct tp_sim_arguments *arguments, struct tp_mark_list marks);

/** One seed or tape, and what came of it. */
int tp_command_replay(const struct tp_sim_arguments *arguments);

/** The smallest run that fails like a seed or a tape. */
int tp_command_shrink(const struct tp_sim_arguments *arguments);

/** Why a seed or a tape fails. */
int tp_command_explain(const struct tp_sim_arguments *arguments);

/** The power cut at every operation of a seed, and again in its recovery. */
int tp_command_sweep(const struct tp_sim_arguments *arguments);

/** A run for Chrome and Perfetto. */
int tp_command_trace(const struct tp_sim_arguments *arguments);

/** A run as a page for a browser. */
int tp_command_show(const struct tp_sim_arguments *arguments);

/** Shrinks a tape that fails, then looks for what was missing: `*tape` becomes the smaller
 * one. `explain` has its trial and outcome, and is good while `*tape` is. On a terminal
 * it shows a bar. 0, or -errno: it ended early. */
int tp_command_find_why(const struct tp_sim_arguments *arguments,
                        struct tp_explain *explain, struct tp_tape **tape);

/** Runs what the arguments name, a seed or a tape's file: its outcome, and the tape of it,
 * the caller's. A tape is run as its label says, as far as the arguments do not say
 * otherwise; one of another scenario is refused. APP_EXIT_DONE, and the trial is open; or
 * what to exit with: what went wrong was said. */
int tp_command_try(const struct tp_sim_arguments *arguments, struct tp_trial *ret_trial,
                   struct tp_sim_outcome *ret_outcome, struct tp_tape **ret_tape);

/** Writes a tape of a trial to a file, with a label that says of what it is; false: what
 * went wrong was said. */
bool tp_command_save(const struct tp_trial *trial, const struct tp_tape *tape,
                     const struct tp_output *output);

/** The options that a command needs to repeat the same run, but for seed or tape. Returns
 * `ret_text`. */
const char *tp_command_manner(const struct tp_sim_arguments *arguments, char *ret_text,
                              size_t size_bytes);

#endif
