/** apps/sim/text.h - texts that are printed. */
#ifndef TEMPEST_APPS_SIM_TEXT_H
#define TEMPEST_APPS_SIM_TEXT_H

#include <stdio.h>

/** Writes `text` as a string of JSON, between quotes. Whatever its bytes are, the result is
 * ASCII, is valid, and ends neither a script nor a comment of a page that it stands in:
 * bytes above 126 become \u0080 to \u00ff, of which a reader can make UTF-8 again. */
void tp_text_json(const char *text, FILE *out);

/** The name of a file without its directories: where a program was built is no part of what
 * it says. */
const char *tp_text_base(const char *path);

#endif
