/** io/arguments.h - what is wrong with a request, seen once for all backends.
 */
#ifndef TEMPEST_IO_ARGUMENTS_H
#define TEMPEST_IO_ARGUMENTS_H

#include "io.h"

/** The error with which it completes; 0: nothing is wrong that can be seen before the
 * backend looks. `traits` are its kind's. */
int32_t tp_io_arguments_error(const struct tp_io *io, const struct tp_request *request,
                              uint32_t traits);

#endif
