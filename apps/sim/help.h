/** apps/sim/help.h - what the command line says of itself, on standard output. */
#ifndef TEMPEST_APPS_SIM_HELP_H
#define TEMPEST_APPS_SIM_HELP_H

/** Commands, options, exit status; with a scenario to show what is typed. */
void tp_help_usage(const char *program, const char *scenario);

/** A line for each family of faults. */
void tp_help_families(void);

/** A line for each profile of disks. */
void tp_help_profiles(void);

#endif
