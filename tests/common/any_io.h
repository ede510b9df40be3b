/** tests/common/any_io.h - what LinuxIo and PosixIo must do alike, and no other backend
 * can.
 *
 * A program links any_wake.c or any_life.c, whose tests run on the Io that it makes.
 */
#ifndef TESTS_COMMON_ANY_IO_H
#define TESTS_COMMON_ANY_IO_H

#include "io/io.h"

/** The program's: an Io with the defaults. 0, or -errno. */
int any_io_create(struct tp_io **ret_io);

/** The same; the test fails if there is none. */
struct tp_io *any_io_make(void);

void sleep_ms(uint32_t ms);

/** A thread that wakes the Io which is its argument, a little later. */
void *wake_later(void *io);

#endif
