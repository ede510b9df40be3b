/** apps/sim/json.h - texts of a run in JSON that we write. */
#ifndef TEMPEST_APPS_SIM_JSON_H
#define TEMPEST_APPS_SIM_JSON_H

#include <stdio.h>

/** Writes `text` as a string between quotes. Whatever its bytes are, the result is ASCII,
 * is valid, and ends neither a script nor a comment of a page that it stands in: bytes
 * above 126 become \u0080 to \u00ff, of which a reader can make UTF-8 again. */
void tp_json_text(const char *text, FILE *out);

#endif
