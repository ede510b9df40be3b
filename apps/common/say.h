/** apps/common/say.h - what a program says on standard error, a line at a time.
 *
 * Lines begin with the program's name. A progress bar that is on the screen (bar.h) is
 * wiped before, and drawn again by its next update.
 */
#ifndef TEMPEST_APPS_COMMON_SAY_H
#define TEMPEST_APPS_COMMON_SAY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "io/base.h"

/** The name that lines begin with from now on; it must live for ever. */
void app_say_as(const char *program);

/** Where lines go instead of standard error; NULL: nowhere. For tests. */
void app_say_to(FILE *stream);

/** "NAME: MESSAGE", with a printf format and without a newline at its end. */
TP_PRINTF(1, 2) void app_say(const char *format, ...);

/** Whether all that was printed on standard output has gone there. False: it has not, and
 * why was said, once. For the end of a program. */
bool app_printed(void);

/** "NAME: 'PATH': OPERATION: ENOENT (No such file or directory)"; `path` is quoted here. */
void app_say_error(const char *path, const char *operation, int32_t error);

/** A path as one line of printable text between quotes: control characters, invalid UTF-8,
 * quotes and backslashes become escapes ($'a\nb' as in a shell, when there are any). Cut
 * at `size_bytes`. Returns `ret_text`. */
const char *app_quote(const char *path, char *ret_text, size_t size_bytes);

/** How many bytes a quoted path may need. */
#define APP_QUOTED_BYTES(len) ((len)*4 + 4)

/** "1.5 MiB". Returns `ret_text`. */
const char *app_bytes(uint64_t bytes, char *ret_text, size_t size_bytes);

/** "1,234,567". Returns `ret_text`. */
const char *app_count(uint64_t count, char *ret_text, size_t size_bytes);

/** "1:02:03", "4:05", or below ten seconds "1.25 s", "12 ms". Returns `ret_text`. */
const char *app_duration(uint64_t duration_ns, char *ret_text, size_t size_bytes);

/** Room for any of the three above. */
enum { APP_TEXT_BYTES = 32 };

#endif
