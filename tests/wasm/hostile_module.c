/* hostile_module.c - operations one by one, for a host that breaks the rules. */
#include "io/wasm/wasm.h"

enum { BUFFER_BYTES = 256, GUARD_BYTES = 64, OPS_MAX = 4, COMPLETIONS_MAX = 64 };

#define NOTHING INT32_MIN
#define GUARD   0xa5

static struct tp_io *io;
static struct tp_fd fd;
static uint64_t handles;
/* What is lent, with bytes around it that nobody may touch. */
static _Alignas(8) uint8_t memory[GUARD_BYTES + BUFFER_BYTES + GUARD_BYTES];
static struct tp_buf buf;

/** 0, or -errno. */
TP_WASM_EXPORT(hostile_create) int32_t hostile_create(void);
/** Submits an operation of the kind; its handle. */
TP_WASM_EXPORT(hostile_submit) uint32_t hostile_submit(uint32_t kind);
TP_WASM_EXPORT(hostile_cancel) uint32_t hostile_cancel(uint32_t target);
TP_WASM_EXPORT(hostile_poll) void hostile_poll(void);
/** What it completed with; INT32_MIN: it has not. */
TP_WASM_EXPORT(hostile_take) int32_t hostile_take(uint32_t handle);
/** Makes the result of an open the file of all that follow. */
TP_WASM_EXPORT(hostile_opened) void hostile_opened(int32_t value);
TP_WASM_EXPORT(hostile_buffer) uint8_t *hostile_buffer(void);
TP_WASM_EXPORT(hostile_violations) uint32_t hostile_violations(void);
TP_WASM_EXPORT(hostile_in_flight) uint32_t hostile_in_flight(void);
TP_WASM_EXPORT(hostile_unsubmitted) uint32_t hostile_unsubmitted(void);
TP_WASM_EXPORT(hostile_intact) uint32_t hostile_intact(void);
TP_WASM_EXPORT(hostile_now_ns) uint64_t hostile_now_ns(void);
TP_WASM_EXPORT(hostile_destroy) void hostile_destroy(void);

int32_t hostile_create(void)
{
    const struct tp_wasm_io_config config = {.ops_max = OPS_MAX,
                                             .completions_max = COMPLETIONS_MAX,
                                             .fds_max = 2,
                                             .buf_count = TP_WASM_NONE};

    memset(memory, GUARD, sizeof memory);
    buf = tp_buf_empty(memory + GUARD_BYTES, BUFFER_BYTES);
    return tp_wasm_io_create(&config, &io);
}

static struct tp_request request_of(uint32_t kind)
{
    const struct tp_open_options options = {.read = true};

    switch (kind) {
    case TP_OPEN:
        return tp_request_open("/file", options);
    case TP_READ:
        return tp_request_read_at(fd, &buf, UINT64_C(5) << 32);
    case TP_LIST_DIR:
        return tp_request_list_dir(fd, &buf);
    case TP_STAT:
        return tp_request_stat("/file", (struct tp_statx *)(void *)buf.data);
    case TP_FIND_DATA:
        return tp_request_find_data(fd, 0, (struct tp_extent *)(void *)buf.data);
    case TP_FSYNC:
        return tp_request_fsync(fd, 0);
    case TP_CLOSE:
        return tp_request_close(fd);
    default:
        tp_unreachable();
    }
}

uint32_t hostile_submit(uint32_t kind)
{
    struct tp_request request = request_of(kind);

    request.handle = ++handles;
    tp_io_submit(io, &request);
    return (uint32_t)handles;
}

uint32_t hostile_cancel(uint32_t target)
{
    tp_io_cancel(io, ++handles, target);
    return (uint32_t)handles;
}

void hostile_poll(void)
{
    tp_io_poll(io);
}

int32_t hostile_take(uint32_t handle)
{
    struct tp_completion completion;

    return tp_io_get_cqe(io, handle, &completion) ? completion.value : NOTHING;
}

void hostile_opened(int32_t value)
{
    fd = tp_io_into_fd(io, value);
}

uint8_t *hostile_buffer(void)
{
    return buf.data;
}

uint32_t hostile_violations(void)
{
    return (uint32_t)tp_wasm_io_violations(io);
}

uint32_t hostile_in_flight(void)
{
    return tp_io_in_flight(io);
}

uint32_t hostile_unsubmitted(void)
{
    return tp_io_unsubmitted(io);
}

uint32_t hostile_intact(void)
{
    for (uint32_t i = 0; i < GUARD_BYTES; i++) {
        if (memory[i] != GUARD || memory[GUARD_BYTES + BUFFER_BYTES + i] != GUARD)
            return 0;
    }
    return 1;
}

uint64_t hostile_now_ns(void)
{
    tp_io_poll(io);
    return tp_io_now_ns(io);
}

void hostile_destroy(void)
{
    tp_wasm_io_destroy(io);
    io = NULL;
}
