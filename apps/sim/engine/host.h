/** apps/sim/engine/host.h - what a module's exports share: strings and bytes in and out.
 *
 * The host writes what a call takes where engine_input() says, and reads what it gives
 * where engine_output() is. A call's result is a number from 0 on, or an error, and then
 * the output is a sentence.
 */
#ifndef TEMPEST_APPS_SIM_ENGINE_HOST_H
#define TEMPEST_APPS_SIM_ENGINE_HOST_H

#include <stdint.h>
#include <stdio.h>

/* Declares a function under the name that the host calls it by, and begins its definition.
 */
#define EXPORT_AS(exported, type, name, ...)                               \
    __attribute__((__export_name__(#exported), __visibility__("default"))) \
    type name(__VA_ARGS__);                                                \
    type name(__VA_ARGS__)
#define EXPORT(type, name, ...) EXPORT_AS(name, type, name, __VA_ARGS__)

/** What the host has put there last; NULL: there was no memory, or nothing. */
uint8_t *engine_input_bytes(void);

/** Where the output of this call goes; it begins empty. */
FILE *engine_open_output(void);

/** How long it is. */
int32_t engine_close_output(FILE *out);

/** Bytes of the heap become the output. */
int32_t engine_give(void *bytes, size_t len_bytes);

/** The sentence is the output; the error's number is that of Linux. */
int32_t engine_fail(int32_t error, const char *sentence);

#endif
