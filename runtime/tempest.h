/** tempest.h - all of the runtime and the Io interface: what a machine needs.
 *
 * A main() adds the header of the backend it chooses (io/linux/linux.h,
 * io/virtual/virtual.h); ready-made machines have their own headers in sm/.
 */
#ifndef TEMPEST_TEMPEST_H
#define TEMPEST_TEMPEST_H

#include "../io/io.h"
#include "machine.h"
#include "op.h"
#include "operations.h"
#include "scheduler.h"
#ifndef __cplusplus
#include "await.h"
#endif

#endif
