/** apps/sim/zoo/command.h - `tempest-sim zoo`: hunts every bug, and prints the table. */
#ifndef TEMPEST_APPS_SIM_ZOO_COMMAND_H
#define TEMPEST_APPS_SIM_ZOO_COMMAND_H

/** The command, with argv[0] the word "zoo". Result: the exit status; 0 when every bug was
 * found and no twin was blamed. */
int zoo_command(int argc, char **argv);

#endif
