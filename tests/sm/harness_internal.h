/** tests/sm/harness_internal.h - how faults get in: the backend's functions, replaced. */
#ifndef TESTS_SM_HARNESS_INTERNAL_H
#define TESTS_SM_HARNESS_INTERNAL_H

#include "tests/sm/harness.h"

void harness_patch(struct harness *h);
void harness_unpatch(struct harness *h);

/** Starts the machine that cancels the target when fault.cancel_at says so. */
void harness_spawn_canceller(struct harness *h);

#endif
