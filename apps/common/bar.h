/** apps/common/bar.h - a progress bar on a terminal: how much of a total, rate, time left.
 *
 * One line of standard error, drawn over itself. There is one screen, so there is one bar;
 * whoever prints something else wipes it first (say.h does).
 */
#ifndef TEMPEST_APPS_COMMON_BAR_H
#define TEMPEST_APPS_COMMON_BAR_H

#include <stdbool.h>
#include <stdint.h>

/** What it shows. */
struct app_bar {
    uint64_t done_bytes, total_bytes;
    bool total_known;    /* else the total may still grow, and no time is given */
    uint64_t elapsed_ns; /* since the beginning */
    bool counts;         /* what is counted are things, not bytes */
    const char *what;    /* behind it: "1,234 files"; cut to the width of the terminal */
};

/** Whether standard error is a terminal that can show one. */
bool app_bar_possible(void);

/** Draws it. */
void app_bar_draw(const struct app_bar *bar);

/** Takes it off the screen. Nothing happens when none is there. */
void app_bar_wipe(void);

#endif
