/** apps/sim/history_check.h - the command that checks files with histories. */
#ifndef TEMPEST_APPS_SIM_HISTORY_CHECK_H
#define TEMPEST_APPS_SIM_HISTORY_CHECK_H

#include <stdio.h>

#include "../../io/base.h"

TP_BEGIN_DECLS

/** Reads each file (history.h), checks it (linear.h) against tp_model_kv, and prints its
 * verdict to `out`; what cannot be read is said on `err`. Result: how many were not found
 * linearizable, be it that they are not, that a bound was reached, or that they cannot be
 * read; `*ret_unread` is how many of these cannot be read, or hold no history. */
TP_EXPORT uint32_t tp_history_check_files(const char *const *paths, uint32_t count,
                                          FILE *out, FILE *err, uint32_t *ret_unread);

TP_END_DECLS

#endif
