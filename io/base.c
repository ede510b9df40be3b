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
#define ERRNO_TABLE(X)                                                                   \
    X(EPERM) X(ENOENT) X(EINTR) X(EIO) X(ENXIO) X(E2BIG) X(EBADF) X(ECHILD) X(EAGAIN)    \
    X(ENOMEM) X(EACCES) X(EFAULT) X(EBUSY) X(EEXIST) X(EXDEV) X(ENODEV) X(ENOTDIR)       \
    X(EISDIR) X(EINVAL) X(ENFILE) X(EMFILE) X(ENOTTY) X(ETXTBSY) X(EFBIG) X(ENOSPC)      \
    X(ESPIPE) X(EROFS) X(EMLINK) X(EPIPE) X(EDOM) X(ERANGE) X(EDEADLK) X(ENAMETOOLONG)   \
    X(ENOLCK) X(ENOSYS) X(ENOTEMPTY) X(ELOOP) X(EOVERFLOW) X(EILSEQ) X(ENOTSOCK)         \
    X(EDESTADDRREQ) X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT) X(EPROTONOSUPPORT)          \
    X(EOPNOTSUPP) X(EAFNOSUPPORT) X(EADDRINUSE) X(EADDRNOTAVAIL) X(ENETDOWN)             \
    X(ENETUNREACH) X(ENETRESET) X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(EISCONN)      \
    X(ENOTCONN) X(ETIMEDOUT) X(ECONNREFUSED) X(EHOSTUNREACH) X(EALREADY)                 \
    X(EINPROGRESS) X(ESTALE) X(EDQUOT) X(ECANCELED) X(EBADMSG) X(EPROTO) X(ENODATA)      \
    X(ESHUTDOWN)
/* clang-format on */

const char *tp_errno_name(int32_t error)
{
    switch (error < 0 ? -error : error) {
    case 0:
        return "OK";
#define NAME(name) \
    case name:     \
        return #name;
        ERRNO_TABLE(NAME)
#undef NAME
    default:
        return "E?";
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
