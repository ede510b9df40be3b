#include "base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t tp_version(void)
{
    return TP_VERSION_NUMBER;
}

void tp_stop(const char *file, int line, const char *what)
{
    tp_stopf(file, line, "%s", what);
}

void tp_stopf(const char *file, int line, const char *format, ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "tempest: %s:%d: %s\n", file, line, text);
    (void)fflush(stderr);
    abort();
}

/* clang-format off */
/* Names, and the numbers that Linux has for them on most machines. */
#define ERRNO_TABLE(X)                                                                   \
    X(EPERM, 1) X(ENOENT, 2) X(EINTR, 4) X(EIO, 5) X(ENXIO, 6) X(E2BIG, 7) X(EBADF, 9)   \
    X(ECHILD, 10) X(EAGAIN, 11) X(ENOMEM, 12) X(EACCES, 13) X(EFAULT, 14) X(EBUSY, 16)   \
    X(EEXIST, 17) X(EXDEV, 18) X(ENODEV, 19) X(ENOTDIR, 20) X(EISDIR, 21) X(EINVAL, 22)  \
    X(ENFILE, 23) X(EMFILE, 24) X(ENOTTY, 25) X(ETXTBSY, 26) X(EFBIG, 27) X(ENOSPC, 28)  \
    X(ESPIPE, 29) X(EROFS, 30) X(EMLINK, 31) X(EPIPE, 32) X(EDOM, 33) X(ERANGE, 34)      \
    X(EDEADLK, 35) X(ENAMETOOLONG, 36) X(ENOLCK, 37) X(ENOSYS, 38) X(ENOTEMPTY, 39)      \
    X(ELOOP, 40) X(EOVERFLOW, 75) X(EILSEQ, 84) X(ENOTSOCK, 88) X(EDESTADDRREQ, 89)      \
    X(EMSGSIZE, 90) X(EPROTOTYPE, 91) X(ENOPROTOOPT, 92) X(EPROTONOSUPPORT, 93)          \
    X(EOPNOTSUPP, 95) X(EAFNOSUPPORT, 97) X(EADDRINUSE, 98) X(EADDRNOTAVAIL, 99)         \
    X(ENETDOWN, 100) X(ENETUNREACH, 101) X(ENETRESET, 102) X(ECONNABORTED, 103)          \
    X(ECONNRESET, 104) X(ENOBUFS, 105) X(EISCONN, 106) X(ENOTCONN, 107)                  \
    X(ETIMEDOUT, 110) X(ECONNREFUSED, 111) X(EHOSTUNREACH, 113) X(EALREADY, 114)         \
    X(EINPROGRESS, 115) X(ESTALE, 116) X(EDQUOT, 122) X(ECANCELED, 125) X(EBADMSG, 74)   \
    X(EPROTO, 71) X(ENODATA, 61) X(ESHUTDOWN, 108)
/* clang-format on */

const char *tp_errno_name(int32_t error)
{
    switch (error < 0 ? -error : error) {
    case 0:
        return "OK";
#define NAME(name, number) \
    case name:             \
        return #name;
        ERRNO_TABLE(NAME)
#undef NAME
    default:
        return "E?";
    }
}

int32_t tp_errno_number(int32_t error)
{
    switch (error < 0 ? -error : error) {
#define NUMBER(name, number) \
    case name:               \
        return error < 0 ? -(number) : (number);
        ERRNO_TABLE(NUMBER)
#undef NUMBER
    default:
        return error;
    }
}

void *tp_alloc(const struct tp_allocator *allocator, size_t size_bytes, size_t align)
{
    tp_assert(align != 0 && (align & (align - 1)) == 0);
    if (allocator != NULL)
        return allocator->alloc(allocator->context, size_bytes, align);
    if (align <= _Alignof(max_align_t))
        return calloc(1, size_bytes);

    /* calloc() gives untouched zero pages and no alignment; keep the true start just below.
     */
    {
        uint8_t *raw = calloc(1, size_bytes + align + sizeof raw);
        uintptr_t start;
        uint8_t *memory;

        if (raw == NULL)
            return NULL;
        start = (uintptr_t)raw + sizeof raw;
        memory = raw + sizeof raw + (align - start % align) % align;
        ((uint8_t **)(void *)memory)[-1] = raw;
        return memory;
    }
}

void tp_free(const struct tp_allocator *allocator, void *memory, size_t size_bytes,
             size_t align)
{
    if (memory == NULL)
        return;
    if (allocator != NULL)
        allocator->free(allocator->context, memory, size_bytes);
    else if (align <= _Alignof(max_align_t))
        free(memory);
    else
        free(((uint8_t **)memory)[-1]);
}

void tp_log_write(const struct tp_log *log, enum tp_log_level level, const char *message,
                  const struct tp_log_field *fields, uint32_t count)
{
    if (log != NULL && log->write != NULL)
        log->write(log->context, level, message, fields, count);
}
