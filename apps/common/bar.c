#include "apps/common/bar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/common/say.h"

enum { CELLS = 24, CELLS_LEAST = 4, WIDTH_DEFAULT = 80, WIDTH_MAX = 240 };

/* The state of the screen, of which there is one. */
static bool drawn;

bool app_bar_possible(void)
{
    const char *terminal = getenv("TERM");

    return isatty(STDERR_FILENO) != 0 && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

static int width_of_terminal(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

/* done * scale / total, without overflow. */
static uint64_t part(uint64_t done, uint64_t total, uint64_t scale)
{
    while (done > UINT64_MAX / scale) {
        done >>= 1;
        total >>= 1;
    }
    return total == 0 ? 0 : done * scale / total;
}

static uint64_t rate_per_s(const struct app_bar *bar)
{
    uint64_t ms = bar->elapsed_ns / 1000000;

    return ms == 0 ? 0 : part(bar->done_bytes, ms, 1000);
}

static void print_left(const struct app_bar *bar, uint64_t rate, char *ret_text,
                       size_t size_bytes)
{
    char time[APP_TEXT_BYTES];
    uint64_t left = bar->total_bytes - bar->done_bytes;

    ret_text[0] = '\0';
    if (!bar->total_known || rate == 0)
        return;
    (void)snprintf(ret_text, size_bytes, ", %s left",
                   app_duration((left / rate + (left % rate != 0)) * UINT64_C(1000000000),
                                time, sizeof time));
}

static const char *amount(const struct app_bar *bar, uint64_t number, char *ret_text,
                          size_t size_bytes)
{
    return bar->counts ? app_count(number, ret_text, size_bytes)
                       : app_bytes(number, ret_text, size_bytes);
}

/* "[====>    ] ", in what the words leave of the line; "" if that is too little. */
static void print_cells(const struct app_bar *bar, size_t room, char *ret_cells)
{
    size_t count = room < CELLS + 3 ? (room < 3 ? 0 : room - 3) : CELLS;
    size_t filled = bar->total_known && bar->total_bytes == 0 ? count : 0;

    ret_cells[0] = '\0';
    if (count < CELLS_LEAST)
        return;
    if (bar->total_bytes > 0)
        filled = (size_t)part(bar->done_bytes, bar->total_bytes, count);
    ret_cells[0] = '[';
    memset(ret_cells + 1, ' ', count);
    memset(ret_cells + 1, '=', filled);
    if (filled < count)
        ret_cells[1 + filled] = '>';
    memcpy(ret_cells + 1 + count, "] ", sizeof "] ");
}

void app_bar_draw(const struct app_bar *bar)
{
    struct app_bar shown = *bar;
    char cells[CELLS + 4], line[WIDTH_MAX + 1];
    char done[APP_TEXT_BYTES], total[APP_TEXT_BYTES], rate[APP_TEXT_BYTES], left[64];
    size_t width = (size_t)width_of_terminal() - 1, used;

    if (shown.total_bytes < shown.done_bytes)
        shown.total_bytes = shown.done_bytes;
    print_left(&shown, rate_per_s(&shown), left, sizeof left);
    (void)snprintf(line, sizeof line, "%s of %s%s, %s/s%s, %s",
                   amount(bar, shown.done_bytes, done, sizeof done),
                   shown.total_known ? "" : "at least ",
                   amount(bar, shown.total_bytes, total, sizeof total),
                   amount(bar, rate_per_s(&shown), rate, sizeof rate), left, shown.what);
    used = strlen(line);
    print_cells(&shown, used < width ? width - used : 0, cells);
    /* Back to the first column, the line, and nothing behind it. */
    (void)fprintf(stderr, "\r%s%.*s\033[K", cells, (int)width, line);
    (void)fflush(stderr);
    drawn = true;
}

void app_bar_wipe(void)
{
    if (!drawn)
        return;
    (void)fputs("\r\033[K", stderr);
    (void)fflush(stderr);
    drawn = false;
}
