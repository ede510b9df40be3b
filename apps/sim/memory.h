/** apps/sim/memory.h - memory of runs: a node that boots again gets what the last boot had,
 * and a run what the last run had.
 *
 * Large tables come from the system, page by page as they are touched, and go back to it;
 * small blocks are kept by size for whoever asks next, until the process ends. Everything
 * is given out zeroed, so nothing but time tells a run what came before it.
 */
#ifndef TEMPEST_APPS_SIM_MEMORY_H
#define TEMPEST_APPS_SIM_MEMORY_H

#include "io/base.h"

/** The memory of this process's runs: of one thread. */
extern const struct tp_allocator tp_memory;

#endif
