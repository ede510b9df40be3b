#include "apps/common/say.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "apps/common/bar.h"

static const char *name = "tempest";
static FILE *stream;
static bool redirected;

static FILE *out(void)
{
    return redirected ? stream : stderr;
}

void app_say_as(const char *program)
{
    name = program;
}

void app_say_to(FILE *new_stream)
{
    stream = new_stream;
    redirected = true;
}

void app_say(const char *format, ...)
{
    va_list arguments;

    if (out() == NULL)
        return;
    app_bar_wipe();
    (void)fprintf(out(), "%s: ", name);
    va_start(arguments, format);
    (void)vfprintf(out(), format, arguments);
    va_end(arguments);
    (void)fputc('\n', out());
}

/* Of what went wrong before the last bytes it is known only that it did. */
bool app_printed(void)
{
    static bool was_said;

    errno = EIO;
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return true;
    if (!was_said)
        app_say("standard output: %s", strerror(errno));
    was_said = true;
    return false;
}

void app_say_error(const char *path, const char *operation, int32_t error)
{
    char quoted[APP_QUOTED_BYTES(4096)];

    app_say("%s: %s: %s (%s)", app_quote(path, quoted, sizeof quoted), operation,
            tp_errno_name(error), strerror(error < 0 ? -error : error));
}

/* ------------------------------------------------------------------ quoting */

/* Bytes of the printable character at `at`; 0 if it must be escaped (RFC 3629). */
static size_t printable(const unsigned char *at)
{
    size_t len;

    if (at[0] < 0x80)
        return at[0] >= 0x20 && at[0] != 0x7f && at[0] != '\'' && at[0] != '\\' ? 1 : 0;
    if (at[0] == 0xc2 && at[1] < 0xa0)
        return 0; /* a control character in two bytes */
    len = at[0] >= 0xc2 && at[0] < 0xe0   ? 2
          : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
          : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                          : 0;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90))
        return 0;
    return len;
}

/* The escape of one byte, as $'' understands it. */
static size_t escape(unsigned char byte, char *ret_text)
{
    static const char letters[] = "\a\b\f\n\r\t\v\'\\";
    static const char names[] = "abfnrtv\'\\";
    const char *letter = strchr(letters, byte);

    tp_assert(byte != 0); /* the end of every path */
    ret_text[0] = '\\';
    if (letter != NULL) {
        ret_text[1] = names[letter - letters];
        return 2;
    }
    ret_text[1] = (char)('0' + (byte >> 6));
    ret_text[2] = (char)('0' + (byte >> 3 & 7));
    ret_text[3] = (char)('0' + (byte & 7));
    return 4;
}

static bool is_plain(const char *path)
{
    const unsigned char *at = (const unsigned char *)path;

    while (*at != '\0') {
        size_t len = printable(at);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

const char *app_quote(const char *path, char *ret_text, size_t size_bytes)
{
    const unsigned char *at = (const unsigned char *)path;
    bool plain = is_plain(path);
    size_t used = 0;

    tp_assert(size_bytes >= 8);
    if (!plain)
        ret_text[used++] = '$';
    ret_text[used++] = '\'';
    while (*at != '\0') {
        char piece[4];
        size_t taken = printable(at);
        size_t len = taken;

        if (taken > 0) {
            memcpy(piece, at, taken);
        } else {
            len = escape(*at, piece);
            taken = 1;
        }
        if (used + len + 2 > size_bytes)
            break;
        memcpy(ret_text + used, piece, len);
        used += len;
        at += taken;
    }
    ret_text[used++] = '\'';
    ret_text[used] = '\0';
    return ret_text;
}

/* ------------------------------------------------------------------ quantities */

const char *app_bytes(uint64_t bytes, char *ret_text, size_t size_bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint32_t unit = 0;
    uint64_t whole = bytes;
    uint64_t rest = 0; /* of the unit below, in 1024ths */

    if (bytes < 1024) {
        (void)snprintf(ret_text, size_bytes, "%" PRIu64 " B", bytes);
        return ret_text;
    }
    for (; whole >= 1024; unit++) {
        rest = whole % 1024;
        whole /= 1024;
    }
    if (whole < 100)
        (void)snprintf(ret_text, size_bytes, "%" PRIu64 ".%" PRIu64 " %s", whole,
                       rest * 10 / 1024, units[unit - 1]);
    else
        (void)snprintf(ret_text, size_bytes, "%" PRIu64 " %s", whole, units[unit - 1]);
    return ret_text;
}

const char *app_count(uint64_t count, char *ret_text, size_t size_bytes)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, count);
    size_t used = 0;

    tp_assert(size_bytes >= 28 && len > 0);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            ret_text[used++] = ',';
        ret_text[used++] = digits[i];
    }
    ret_text[used] = '\0';
    return ret_text;
}

const char *app_duration(uint64_t duration_ns, char *ret_text, size_t size_bytes)
{
    uint64_t seconds = duration_ns / 1000000000;
    uint64_t ms = duration_ns / 1000000;

    if (ms < 1000)
        (void)snprintf(ret_text, size_bytes, "%" PRIu64 " ms", ms);
    else if (seconds < 10)
        (void)snprintf(ret_text, size_bytes, "%" PRIu64 ".%02" PRIu64 " s", seconds,
                       ms % 1000 / 10);
    else if (seconds < 3600)
        (void)snprintf(ret_text, size_bytes, "%" PRIu64 ":%02" PRIu64, seconds / 60,
                       seconds % 60);
    else
        (void)snprintf(ret_text, size_bytes, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
                       seconds / 3600, seconds / 60 % 60, seconds % 60);
    return ret_text;
}
