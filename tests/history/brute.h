/** tests/history/brute.h - a checker that is too simple to be wrong: every order is tried.
 */
#ifndef TESTS_HISTORY_BRUTE_H
#define TESTS_HISTORY_BRUTE_H

#include "apps/sim/history.h"

/** Whether some order of the operations explains the history; at most 10 operations, all of
 * one key. `event_count`: how many events are looked at; a return behind them has not
 * happened. */
bool brute_is_linearizable(const struct tp_history *history, uint32_t event_count);

#endif
