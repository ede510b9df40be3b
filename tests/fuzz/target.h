/** tests/fuzz/target.h - what a fuzz target is: one function.
 */
#ifndef TEMPEST_TESTS_FUZZ_TARGET_H
#define TEMPEST_TESTS_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Handles one input of any bytes, and stops the program when something is wrong. It keeps
 * nothing from one input to the next. Gives 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
