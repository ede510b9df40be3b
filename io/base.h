/** io/base.h - what every other file stands on: version, export, assertions, allocator,
 * log.
 *
 * Law 8: what the world did is returned, what the programmer got wrong stops the program.
 * tp_assert() and tp_stop() are that second half; they are on in every build.
 */
#ifndef TEMPEST_IO_BASE_H
#define TEMPEST_IO_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define TP_BEGIN_DECLS extern "C" {
#define TP_END_DECLS   }
#define TP_NORETURN    [[noreturn]]
#else
#define TP_BEGIN_DECLS
#define TP_END_DECLS
#define TP_NORETURN _Noreturn
#endif

#define TP_EXPORT              __attribute__((visibility("default")))
#define TP_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

/** A function off the usual path: kept out of line, away from the code that runs often. */
#define TP_COLD __attribute__((__cold__, __noinline__))

/** The version of the header; tp_version() is the version of the library that was linked.
 */
#define TP_VERSION_MAJOR 0
#define TP_VERSION_MINOR 1
#define TP_VERSION_PATCH 0
#define TP_VERSION_NUMBER \
    (TP_VERSION_MAJOR * 10000 + TP_VERSION_MINOR * 100 + TP_VERSION_PATCH)

/* Errors that wasi-libc lacks; its own end below 100. */
#ifndef ENODATA
#define ENODATA 1061
#endif
#ifndef ESHUTDOWN
#define ESHUTDOWN 1108
#endif

/** No deadline: a point in time that is never reached. */
#define TP_NEVER UINT64_MAX

/** The struct of type `type` whose member `member` is at `pointer`. */
#define tp_container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** Stops the program with a report when `condition` is false: a mistake of the programmer.
 */
#define tp_assert(condition) \
    (__builtin_expect(!!(condition), 1) ? (void)0 : tp_stop(__FILE__, __LINE__, #condition))

/** Marks a place that a complete `switch` never reaches. */
#define tp_unreachable() \
    tp_stop(__FILE__, __LINE__, "reached a place that cannot be reached")

TP_BEGIN_DECLS

/** The version of the library as a number comparable with TP_VERSION_NUMBER. */
TP_EXPORT uint32_t tp_version(void);

/** Prints "tempest: FILE:LINE: WHAT" to standard error and aborts. Never returns. */
TP_NORETURN TP_EXPORT TP_COLD void tp_stop(const char *file, int line, const char *what);

/** tp_stop() with a printf format; the report is at most 4 KiB. */
TP_NORETURN TP_EXPORT TP_COLD TP_PRINTF(3, 4) void tp_stopf(const char *file, int line,
                                                            const char *format, ...);

/** The name of an errno value, positive or negative ("EIO"); "OK" for 0, "E?" when unknown.
 */
TP_EXPORT const char *tp_errno_name(int32_t error);

/** The number that Linux has for an errno value, positive or negative, on most machines:
 * for hashes and files, which must be the same where the system has other numbers. One
 * without a name stays. */
TP_EXPORT int32_t tp_errno_number(int32_t error);

/** Where the library's memory comes from; all of it is asked for at creation.
 *
 * alloc() gives zeroed memory aligned to `align` (a power of two), or NULL; the library
 * touches large tables only as far as they are used, so zero pages straight from the system
 * are best. free() gets the size again. NULL in place of an allocator means calloc() and
 * free().
 */
struct tp_allocator {
    void *(*alloc)(void *context, size_t size_bytes, size_t align);
    void (*free)(void *context, void *memory, size_t size_bytes);
    void *context;
};

/** Allocates through `allocator` (NULL: the default); zeroed, NULL when there is no memory.
 */
TP_EXPORT void *tp_alloc(const struct tp_allocator *allocator, size_t size_bytes,
                         size_t align);
/** Gives memory back, with the size and alignment it was asked for with. NULL is fine. */
TP_EXPORT void tp_free(const struct tp_allocator *allocator, void *memory,
                       size_t size_bytes, size_t align);

enum tp_log_level { TP_LOG_DEBUG, TP_LOG_INFO, TP_LOG_WARNING, TP_LOG_ERROR };

/** One named value of a log message: a text, or a number when `text` is NULL. */
struct tp_log_field {
    const char *name;
    const char *text;
    int64_t number;
};

/** Where the library says what it noticed; it never prints by itself but before an abort.
 * `fields` holds `count` values and is valid during the call only. write NULL: discarded.
 */
struct tp_log {
    void (*write)(void *context, enum tp_log_level level, const char *message,
                  const struct tp_log_field *fields, uint32_t count);
    void *context;
};

/** Hands a message to the hook; nothing happens when `log` or its function is NULL. */
TP_EXPORT void tp_log_write(const struct tp_log *log, enum tp_log_level level,
                            const char *message, const struct tp_log_field *fields,
                            uint32_t count);

TP_END_DECLS

#endif
