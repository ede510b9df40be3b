/** apps/sim/html.h - a run as one page that a browser shows: show/ has the page, this puts
 * the facts into it, as JSON. It needs no network and no other file.
 */
#ifndef TEMPEST_APPS_SIM_HTML_H
#define TEMPEST_APPS_SIM_HTML_H

#include "apps/sim/explain.h"

/** Facts of one run that a page holds: the latest. Some 130 bytes each, so a page has at
 * most about 10 MB. */
enum { TP_HTML_FACTS_MAX = 40000 };

/** A run in it. */
struct tp_html_run {
    const char *title;
    const struct tp_recorder *recorder; /* it looked, with all stages */
    struct tp_sim_outcome outcome;
};

struct tp_html {
    const char *program, *scenario, *summary;
    const char *origin; /* "seed 7", or a tape's name */
    const char *replay; /* the command that runs the first run again; NULL: none */
    const struct tp_explain *explain; /* of the first run; NULL: none */
    struct tp_html_run runs[2];
    uint32_t run_count;
};

/** Writes it. False: `out` has an error, or there is no memory. */
bool tp_html_write(const struct tp_html *html, FILE *out);

/** The page, NUL-terminated, with TP_HTML_MARK where the data belong; made by the build
 * from show/. */
extern const char tp_html_page[];
#define TP_HTML_MARK "@DATA@"

#endif
