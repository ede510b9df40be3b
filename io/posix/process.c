#include "process_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "io/fd_table.h"

#define RANDOM_BYTES_MAX 256U /* that getentropy() gives at a time */

uint32_t tp_posix_fds_usual(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > TP_POSIX_FDS_LIMIT)
        return TP_POSIX_FDS_LIMIT;
    return (uint32_t)limit.rlim_cur;
}

uint64_t tp_posix_clock_ns(enum tp_clock clock)
{
    struct timespec now;

    tp_assert(clock_gettime(clock == TP_CLOCK_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME,
                            &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void tp_posix_random(struct tp_io *io, void *ret_bytes, size_t len_bytes)
{
    uint8_t *at = ret_bytes;

    (void)io;
    while (len_bytes > 0) {
        const size_t part = len_bytes < RANDOM_BYTES_MAX ? len_bytes : RANDOM_BYTES_MAX;

        tp_assert(getentropy(at, part) == 0);
        at += part;
        len_bytes -= part;
    }
}

void tp_posix_close_all(const struct tp_fd_table *fds)
{
    for (uint32_t number = 0; number < fds->numbers; number++) {
        if (fds->entries[number].open != 0)
            (void)close((int)number);
    }
}

void tp_posix_say(struct tp_posix_text *text, const char *format, ...)
{
    const size_t room = text->capacity - text->used;
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(text->bytes + text->used, room, format, arguments);
    va_end(arguments);
    if (len > 0)
        text->used += (size_t)len < room ? (size_t)len : room - 1;
}

static void say_limit(struct tp_posix_text *text, const char *name,
                      const struct rlimit *limit)
{
    if (limit->rlim_cur == RLIM_INFINITY)
        tp_posix_say(text, " %s unlimited", name);
    else
        tp_posix_say(text, " %s %llu", name, (unsigned long long)limit->rlim_cur);
}

void tp_posix_say_limits(struct tp_posix_text *text)
{
    struct rlimit limit;

    tp_posix_say(text, "limits:");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        say_limit(text, "open files", &limit);
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
        say_limit(text, "locked bytes", &limit);
    if (getrlimit(RLIMIT_NPROC, &limit) == 0)
        say_limit(text, "processes", &limit);
    tp_posix_say(text, "\n");
}
