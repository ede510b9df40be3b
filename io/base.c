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

const char *tp_errno_name(int32_t error)
{
#define NAME(e) \
    case e:     \
        return #e;
    switch (error < 0 ? -error : error) {
    case 0:
        return "OK";
        NAME(EPERM)
        NAME(ENOENT) NAME(EINTR) NAME(EIO) NAME(ENXIO) NAME(E2BIG) NAME(EBADF) NAME(ECHILD)
            NAME(EAGAIN) NAME(ENOMEM) NAME(EACCES) NAME(EFAULT) NAME(EBUSY) NAME(EEXIST)
                NAME(EXDEV) NAME(ENODEV) NAME(ENOTDIR) NAME(EISDIR) NAME(EINVAL) NAME(
                    ENFILE) NAME(EMFILE) NAME(ENOTTY) NAME(ETXTBSY) NAME(EFBIG) NAME(ENOSPC)
                    NAME(ESPIPE) NAME(EROFS) NAME(EMLINK) NAME(EPIPE) NAME(EDOM) NAME(
                        ERANGE) NAME(EDEADLK) NAME(ENAMETOOLONG) NAME(ENOLCK) NAME(ENOSYS)
                        NAME(ENOTEMPTY) NAME(ELOOP) NAME(EOVERFLOW) NAME(EILSEQ) NAME(
                            ENOTSOCK) NAME(EDESTADDRREQ) NAME(EMSGSIZE) NAME(EPROTOTYPE)
                            NAME(ENOPROTOOPT) NAME(EPROTONOSUPPORT) NAME(EOPNOTSUPP)
                                NAME(EAFNOSUPPORT) NAME(EADDRINUSE) NAME(EADDRNOTAVAIL)
                                    NAME(ENETDOWN) NAME(ENETUNREACH) NAME(ENETRESET)
                                        NAME(ECONNABORTED) NAME(ECONNRESET) NAME(ENOBUFS)
                                            NAME(EISCONN) NAME(ENOTCONN) NAME(ETIMEDOUT)
                                                NAME(ECONNREFUSED) NAME(EHOSTUNREACH)
                                                    NAME(EALREADY) NAME(EINPROGRESS)
                                                        NAME(ESTALE) NAME(EDQUOT)
                                                            NAME(ECANCELED) NAME(EBADMSG)
                                                                NAME(EPROTO) default
            : return "E?";
    }
#undef NAME
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
