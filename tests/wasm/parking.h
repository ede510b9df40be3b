/** tests/wasm/parking.h - a WasmIo that can park, for tests that run to their end in one
 * call.
 *
 * The module runs in a thread of its own and its host in another (remote.mjs); the import
 * tempest_test.wait blocks the module's until a completion has arrived at the host. So what
 * is written for any backend runs on this one, and the host is the one that is shipped.
 */
#ifndef TEMPEST_TESTS_WASM_PARKING_H
#define TEMPEST_TESTS_WASM_PARKING_H

#include "io/wasm/wasm.h"

/** NULL, if the Io could not be made. Destroying it destroys the WasmIo. */
struct tp_io *parking_create(const struct tp_wasm_io_config *config);

/** The WasmIo itself. */
struct tp_io *parking_inner(struct tp_io *io);

#endif
