#include "conformance.h"

#include <stdarg.h>
#include <stdio.h>

#define WAIT_NS    UINT64_C(5000000) /* longer than anything takes that need not wait */
#define IN_VAIN_NS UINT64_C(20000000)

/* ------------------------------------------------------------------ expectations */

void fail(struct conformance *c, const char *file, int line, const char *format, ...)
{
    const char *base = strrchr(file, '/');
    char text[1024];
    va_list arguments;

    c->failures++;
    if (c->quiet || c->skipped != NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)printf("%s: %s: %s:%d: %s\n", c->backend, c->program, base ? base + 1 : file,
                 line, text);
}

void name_value(int32_t value, char *ret_text, size_t size_bytes)
{
    if (value == NOTHING_CAME)
        (void)snprintf(ret_text, size_bytes, "nothing");
    else if (value < 0)
        (void)snprintf(ret_text, size_bytes, "%s(%d)", tp_errno_name(value), -value);
    else
        (void)snprintf(ret_text, size_bytes, "%d", value);
}

bool expect_one_of(struct conformance *c, const char *file, int line, const char *what,
                   int32_t value, struct value_set set)
{
    char expected[256] = "";
    char name[32];
    size_t used = 0;

    for (uint32_t i = 0; i < set.count; i++) {
        if (set.values[i] == value)
            return true;
        name_value(set.values[i], name, sizeof name);
        if (used < sizeof expected)
            used += (size_t)snprintf(expected + used, sizeof expected - used, "%s%s",
                                     i == 0 ? "" : " or ", name);
    }
    name_value(value, name, sizeof name);
    fail(c, file, line, "%s: expected %s, came %s", what, expected, name);
    return false;
}

bool lacks(struct conformance *c, uint32_t kind)
{
    if (tp_io_caps(c->io)->kinds[kind].how != TP_HOW_UNAVAILABLE)
        return false;
    c->skipped = tp_kind_info[kind].name;
    return true;
}

/* ------------------------------------------------------------------ operations */

const char *at(struct conformance *c, const char *name)
{
    char *path = c->paths[c->path_next++ % PATHS];

    (void)snprintf(path, sizeof c->paths[0], "%s/%s", c->dir, name);
    return path;
}

uint64_t submit(struct conformance *c, struct tp_request request)
{
    (void)lacks(c, request.kind);
    request.handle = ++c->handle;
    tp_io_submit(c->io, &request);
    return request.handle;
}

/* How long to wait: not long when the program is skipped, or has waited in vain before. */
static uint64_t patience_until_ns(struct conformance *c)
{
    const bool in_vain = c->in_vain || c->skipped != NULL;

    return tp_io_now_ns(c->io) + (in_vain ? IN_VAIN_NS : c->patience_ns);
}

/* What waits() has claimed, or what has arrived. */
static bool take_completion(struct conformance *c, uint64_t handle,
                            struct tp_completion *ret_completion)
{
    if (c->early.handle != handle)
        return tp_io_get_cqe(c->io, handle, ret_completion);
    *ret_completion = c->early;
    c->early.handle = 0;
    return true;
}

bool await_next(struct conformance *c, uint64_t handle,
                struct tp_completion *ret_completion)
{
    uint64_t deadline_ns = patience_until_ns(c);

    while (!take_completion(c, handle, ret_completion)) {
        if (tp_io_now_ns(c->io) >= deadline_ns) {
            fail(c, __FILE__, __LINE__, "operation %llu never completed",
                 (unsigned long long)handle);
            tp_io_end_loan(c->io, handle);
            c->in_vain = true;
            return false;
        }
        tp_io_park(c->io, deadline_ns);
    }
    return true;
}

bool waits(struct conformance *c, uint64_t handle)
{
    uint64_t deadline_ns = tp_io_now_ns(c->io) + WAIT_NS;

    if (c->early.handle != 0) /* one failure of this kind is enough */
        return false;
    while (!tp_io_get_cqe(c->io, handle, &c->early)) {
        if (tp_io_now_ns(c->io) >= deadline_ns)
            return true;
        tp_io_park(c->io, deadline_ns);
    }
    fail(c, __FILE__, __LINE__, "operation %llu did not wait: %d (%s)",
         (unsigned long long)handle, c->early.value, tp_errno_name(c->early.value));
    return false;
}

void let_arrive(struct conformance *c)
{
    uint64_t deadline_ns = tp_io_now_ns(c->io) + WAIT_NS;

    do
        tp_io_park(c->io, deadline_ns);
    while (tp_io_now_ns(c->io) < deadline_ns);
}

int32_t await(struct conformance *c, uint64_t handle)
{
    struct tp_completion completion;

    if (!await_next(c, handle, &completion))
        return NOTHING_CAME;
    if ((completion.flags & TP_MORE) != 0)
        fail(c, __FILE__, __LINE__, "a completion that says more will follow");
    if (tp_io_get_cqe(c->io, handle, &completion))
        fail(c, __FILE__, __LINE__, "operation %llu completed twice",
             (unsigned long long)handle);
    return completion.value;
}

int32_t run(struct conformance *c, struct tp_request request)
{
    return await(c, submit(c, request));
}

/* ------------------------------------------------------------------ files */

struct tp_open_options open_options(const char *letters)
{
    struct tp_open_options options = {
        .read = strchr(letters, 'r') != NULL,
        .write = strchr(letters, 'w') != NULL,
        .create = strchr(letters, 'c') != NULL,
        .create_new = strchr(letters, 'n') != NULL,
        .truncate = strchr(letters, 't') != NULL,
        .direct = strchr(letters, 'd') != NULL,
        .dsync = strchr(letters, 's') != NULL,
    };
    return options;
}

struct tp_fd open_file(struct conformance *c, const char *path, const char *letters)
{
    int32_t value = run(c, tp_request_open(path, open_options(letters)));

    if (value >= 0)
        return tp_io_into_fd(c->io, value);
    fail(c, __FILE__, __LINE__, "open %s %s: %s", path, letters, tp_errno_name(value));
    return tp_fd_none();
}

void close_file(struct conformance *c, struct tp_fd fd)
{
    EXPECT(c, run(c, tp_request_close(fd)), 0);
}

uint8_t pattern_at(uint64_t offset)
{
    return (uint8_t)(offset ^ (offset >> 8) * 7 ^ (offset >> 16) * 13);
}

void pattern_fill(uint8_t *memory, uint32_t len_bytes, uint64_t offset)
{
    for (uint32_t i = 0; i < len_bytes; i++)
        memory[i] = pattern_at(offset + i);
}

bool pattern_is(const uint8_t *memory, uint32_t len_bytes, uint64_t offset)
{
    for (uint32_t i = 0; i < len_bytes; i++) {
        if (memory[i] != pattern_at(offset + i))
            return false;
    }
    return true;
}

void make_file(struct conformance *c, const char *path, uint32_t size_bytes)
{
    uint8_t *memory = take(c, size_bytes);
    struct tp_buf buf = tp_buf_full(memory, size_bytes);
    struct tp_fd fd = open_file(c, path, "wct");

    pattern_fill(memory, size_bytes, 0);
    EXPECT(c, run(c, tp_request_write_at(fd, &buf, 0)), (int32_t)size_bytes);
    close_file(c, fd);
    drop(c, memory, size_bytes);
}

/* A byte more than wanted, so that nothing is asked for with a size of 0. */
uint8_t *take(struct conformance *c, uint32_t size_bytes)
{
    uint8_t *memory = tp_alloc(NULL, (size_t)size_bytes + 1, tp_io_block_size(c->io));

    tp_assert(memory != NULL);
    return memory;
}

void drop(struct conformance *c, uint8_t *memory, uint32_t size_bytes)
{
    tp_free(NULL, memory, (size_t)size_bytes + 1, tp_io_block_size(c->io));
}
