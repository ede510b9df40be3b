#include "apps/sim/judge.h"

#include <string.h>

#include "io/hash.h"

/* The line of `said` that begins where `needle` is found, or the line around it. */
static bool find_line(const char *said, const char *needle, char *ret_line,
                      size_t size_bytes)
{
    const char *at = strstr(said, needle);
    size_t len;

    if (at == NULL)
        return false;
    while (at > said && at[-1] != '\n')
        at--;
    len = strcspn(at, "\n");
    len = len < size_bytes ? len : size_bytes - 1;
    memcpy(ret_line, at, len);
    ret_line[len] = '\0';
    return true;
}

/* All from the line on that `line` begins with, which is the last that a process says when
 * it stops itself: a report names each operation in a line of its own. What finds no room
 * is cut between lines. */
static void find_report(const char *said, const char *needle, char *line, size_t size_bytes)
{
    const char *at = strstr(said, needle);
    size_t len;

    tp_assert(at != NULL);
    while (at > said && at[-1] != '\n')
        at--;
    len = strlen(at);
    if (len >= size_bytes) {
        len = size_bytes - 1;
        while (len > 0 && at[len] != '\n')
            len--;
        if (len == 0)
            return; /* one line that is longer than the room: it stays as it was cut */
    }
    while (len > 0 && at[len - 1] == '\n')
        len--;
    memcpy(line, at, len);
    line[len] = '\0';
}

bool tp_judge_said(const char *said, struct tp_sim_outcome *outcome)
{
    static const struct {
        const char *needle, *better; /* a line that says more, where there is one */
        bool is_report;              /* what follows the line belongs to it */
        enum tp_verdict verdict;
    } signs[] = {
        {"AddressSanitizer:", "SUMMARY: ", false, TP_VERDICT_SANITIZER},
        {"ThreadSanitizer:", "SUMMARY: ", false, TP_VERDICT_SANITIZER},
        {"MemorySanitizer:", "SUMMARY: ", false, TP_VERDICT_SANITIZER},
        {"runtime error:", NULL, false, TP_VERDICT_SANITIZER},
        {"tempest: ", NULL, true, TP_VERDICT_STOPPED},
        {"Assertion ", NULL, false, TP_VERDICT_STOPPED},
    };

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!find_line(said, signs[i].needle, outcome->message, sizeof outcome->message))
            continue;
        if (signs[i].better != NULL)
            (void)find_line(said, signs[i].better, outcome->message,
                            sizeof outcome->message);
        if (signs[i].is_report)
            find_report(said, signs[i].needle, outcome->message, sizeof outcome->message);
        outcome->verdict = (uint32_t)signs[i].verdict;
        return true;
    }
    return false;
}

/* Two reports are of one kind if their first lines differ in numbers only: addresses,
 * counts, ids. The line of the source that comes first in a stop is part of what it says.
 */
uint64_t tp_judge_kind(const struct tp_sim_outcome *outcome)
{
    char text[256];
    size_t len = 0;

    for (const char *at = outcome->message; *at != '\0' && *at != '\n' && len < sizeof text;
         at++) {
        bool is_digit = *at >= '0' && *at <= '9';
        bool is_hex = len > 0 && text[len - 1] == '#' && *at >= 'a' && *at <= 'f';

        if (is_digit || is_hex) {
            if (len == 0 || text[len - 1] != '#')
                text[len++] = '#';
        } else {
            text[len++] = *at;
        }
    }
    return tp_hash(text, len, outcome->verdict) | 1;
}
