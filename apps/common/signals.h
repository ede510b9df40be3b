/** apps/common/signals.h - SIGINT, SIGTERM, SIGHUP become a question that a machine asks.
 *
 * The first signal is noted, and wakes a machine that looks at app_signals_caught() and
 * does what has to be done. A second one ends the process at once, as signals do.
 */
#ifndef TEMPEST_APPS_COMMON_SIGNALS_H
#define TEMPEST_APPS_COMMON_SIGNALS_H

#include "runtime/scheduler.h"

/** Takes SIGINT, SIGTERM and SIGHUP; the machine `machine_id` of `scheduler` is woken when
 * one comes. Without a scheduler (NULL) nobody is: it is to be asked. A signal that was
 * ignored when the program started (nohup) stays ignored. */
void app_signals_take(struct tp_scheduler *scheduler, uint64_t machine_id);

/** Nobody is woken any more; to be called before the scheduler is destroyed. */
void app_signals_forget(void);

/** The number of the signal that came; 0: none has. */
int app_signals_caught(void);

/** "SIGINT". */
const char *app_signals_name(int number);

#endif
