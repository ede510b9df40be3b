/** tests/sim/try.h - ticks whose operations have to succeed. */
#ifndef TESTS_SIM_TRY_H
#define TESTS_SIM_TRY_H

#include "runtime/await.h"

/** Awaits an operation; where it fails the machine ends with its error. In a tick that has
 * `machine`, `cx` and `result`. */
#define TRY(operation)                            \
    do {                                          \
        TP_AWAIT(cx, (operation), &result);       \
        if (result.value < 0)                     \
            return tp_end(machine, result.value); \
    } while (0)

#endif
