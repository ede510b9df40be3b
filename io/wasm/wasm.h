/** io/wasm/wasm.h - WasmIo: the Io interface over a host, in Node or in a browser.
 *
 * A module has no system: what it wants of the world it asks its host for, through seven
 * imports (abi.h). The host drives: it calls the exports that TP_WASM_EXPORTS() makes
 * whenever a completion has come or the time of tempest_timeout_ns() is over. So there is
 * no park: tp_io_park(), tp_scheduler_run() and the blocking helpers stop the program.
 *
 *     static struct tp_scheduler *scheduler;
 *     TP_WASM_EXPORTS(scheduler)
 *
 *     TP_WASM_EXPORT(tempest_start) int32_t tempest_start(void)
 *     {
 *         struct tp_io *io;
 *         int error = tp_wasm_io_create(NULL, &io);
 *         ...
 *     }
 *
 * What the host cannot do (tp_io_caps() says so, and why) completes with -EOPNOTSUPP; that
 * are always: sockets, names, work on threads, signals. A cancel stops what the host has
 * not begun; what it has begun it brings to its end (-EALREADY).
 *
 * A host that breaks the rules harms nobody: a completion that belongs to no operation, or
 * comes twice, is dropped; one whose value cannot be completes with -EPROTO. Both are
 * counted and said to the log.
 */
#ifndef TEMPEST_IO_WASM_WASM_H
#define TEMPEST_IO_WASM_WASM_H

#include "../io.h"

/** In place of a count in the config: none at all (0 means the default). */
#define TP_WASM_NONE UINT32_MAX

/** All zero (but for `size`, if you like) is a working configuration. */
struct tp_wasm_io_config {
    uint32_t size;            /* of this struct; 0: as in version 0.1 */
    uint32_t ops_max;         /* operations in flight; 1024 */
    uint32_t completions_max; /* completions that one poll can deliver; 1024 */
    uint32_t fds_max;         /* open files; 256 */
    uint32_t buf_count;       /* registered buffers; 8 */
    uint32_t buf_size;        /* bytes of each, rounded up to the block size; 65536 */
    const struct tp_allocator *allocator; /* NULL: calloc() and free() */
    const struct tp_log *log;             /* NULL: the host's */
};

TP_BEGIN_DECLS

/** Creates a WasmIo. `config` NULL: all defaults. 0 and `*ret_io`, or -ENOMEM; -EINVAL: the
 * config is out of range; -EPROTONOSUPPORT: the host speaks another version (the log hears
 * which). */
TP_EXPORT int tp_wasm_io_create(const struct tp_wasm_io_config *config,
                                struct tp_io **ret_io);

/** tp_io_destroy() by another name. Nothing may be in flight (asserted): there is no way to
 * wait for it here. What was left open is closed. NULL is fine. */
TP_EXPORT void tp_wasm_io_destroy(struct tp_io *io);

/** A log whose lines go to the host: "message name=value ...". */
TP_EXPORT struct tp_log tp_wasm_host_log(void);

/** How often the host broke the rules. */
TP_EXPORT uint64_t tp_wasm_io_violations(const struct tp_io *io);

TP_END_DECLS

/** Makes the function that follows an export of the module. */
#define TP_WASM_EXPORT(name) \
    __attribute__((__export_name__(#name), __visibility__("default")))

/** The exports by which the hosts drive the scheduler that `variable` points to. For the
 * file with the module's start, after runtime/tempest.h. Before there is a scheduler,
 * nothing is to be done. */
#define TP_WASM_EXPORTS(variable)                                                   \
    TP_WASM_EXPORT(tempest_tick) int32_t tempest_tick(void);                        \
    TP_WASM_EXPORT(tempest_timeout_ns) int64_t tempest_timeout_ns(void);            \
    TP_WASM_EXPORT(tempest_in_flight) uint32_t tempest_in_flight(void);             \
    TP_WASM_EXPORT(tempest_stop) void tempest_stop(void);                           \
    int32_t tempest_tick(void)                                                      \
    {                                                                               \
        return (variable) == NULL ? (int32_t)TP_FINISHED                            \
                                  : (int32_t)tp_scheduler_tick(variable);           \
    }                                                                               \
    int64_t tempest_timeout_ns(void)                                                \
    {                                                                               \
        return (variable) == NULL ? -1 : tp_scheduler_timeout_ns(variable);         \
    }                                                                               \
    uint32_t tempest_in_flight(void)                                                \
    {                                                                               \
        return (variable) == NULL ? 0 : tp_io_in_flight(tp_scheduler_io(variable)); \
    }                                                                               \
    void tempest_stop(void)                                                         \
    {                                                                               \
        if ((variable) != NULL)                                                     \
            tp_scheduler_stop(variable);                                            \
    }

#endif
