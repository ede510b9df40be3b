#include "io/wasm/system.h"

#include <unistd.h>
#include <wasi/api.h>

#include "io/base.h"

enum { LINE_BYTES = 1024, STDOUT = 1, STDERR = 2 };

__attribute__((__import_module__("tempest_host"), __import_name__("log"))) void
tp_wasm_log(uint32_t level, const char *text, uint32_t len_bytes);

/* ------------------------------------------------------------------ lines */

/* What was written since the last newline, of each stream. */
static struct line {
    char text[LINE_BYTES];
    uint32_t len;
} lines[2];

static void say(struct line *line, bool is_error)
{
    tp_wasm_log(is_error ? TP_LOG_ERROR : TP_LOG_INFO, line->text, line->len);
    line->len = 0;
}

/* A line that is too long for one goes out in pieces. */
static void write_bytes(bool is_error, const uint8_t *bytes, size_t len)
{
    struct line *line = &lines[is_error];

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n')
            line->text[line->len++] = (char)bytes[i];
        if (bytes[i] == '\n' || line->len == LINE_BYTES)
            say(line, is_error);
    }
}

/* ------------------------------------------------------------------ what wasi-libc calls
 *
 * Its own would be imports of wasi_snapshot_preview1. */

__wasi_errno_t __wasi_fd_write(__wasi_fd_t fd, const __wasi_ciovec_t *iovs, size_t count,
                               __wasi_size_t *ret_written)
{
    __wasi_size_t written = 0;

    if (fd != STDOUT && fd != STDERR)
        return __WASI_ERRNO_BADF;
    for (size_t i = 0; i < count; i++) {
        write_bytes(fd == STDERR, iovs[i].buf, iovs[i].buf_len);
        written += iovs[i].buf_len;
    }
    *ret_written = written;
    return __WASI_ERRNO_SUCCESS;
}

__wasi_errno_t __wasi_fd_close(__wasi_fd_t fd)
{
    (void)fd;
    return __WASI_ERRNO_BADF;
}

__wasi_errno_t __wasi_fd_seek(__wasi_fd_t fd, __wasi_filedelta_t offset,
                              __wasi_whence_t whence, __wasi_filesize_t *ret_at)
{
    (void)fd;
    (void)offset;
    (void)whence;
    (void)ret_at;
    return __WASI_ERRNO_SPIPE;
}

/* Whether standard output is a terminal: no. */
__wasi_errno_t __wasi_fd_fdstat_get(__wasi_fd_t fd, __wasi_fdstat_t *ret_stat)
{
    (void)fd;
    (void)ret_stat;
    return __WASI_ERRNO_BADF;
}

/* ------------------------------------------------------------------ the heap */

extern uint8_t __heap_base; /* the linker's: the end of static data */

static uintptr_t top;

static uintptr_t heap_top(void)
{
    return top == 0 ? ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15 : top;
}

uint32_t tp_wasm_memory_used(void)
{
    return heap_top();
}

/* wasi-libc's asks for pages past the end of memory, and there are none. */
void *sbrk(intptr_t bytes)
{
    uintptr_t end = __builtin_wasm_memory_size(0) * UINT32_C(65536);
    uintptr_t start = heap_top();

    if (bytes < 0 || (uintptr_t)bytes > end - start) {
        errno = ENOMEM;
        return (void *)-1;
    }
    top = start + (uintptr_t)bytes;
    return (void *)start;
}
