#include "wasm.h"

#include <stdio.h>

#include "io/wasm/wasm_internal.h"

#define BLOCK_BYTES     UINT32_C(4096)
#define LINE_BYTES      512
#define VIOLATIONS_SAID 100 /* the rest is only counted */
#define BOUND_MAX       (UINT32_C(1) << 24)

/** The version that the module speaks: the host looks before it starts. */
__attribute__((__export_name__("tempest_abi"), __visibility__("default"))) uint32_t
tempest_abi(void);

uint32_t tempest_abi(void)
{
    return TP_WASM_ABI_VERSION;
}

/* ------------------------------------------------------------------ the host's log */

static void write_line(void *context, enum tp_log_level level, const char *message,
                       const struct tp_log_field *fields, uint32_t count)
{
    char line[LINE_BYTES];
    size_t used = (size_t)snprintf(line, sizeof line, "%s", message);

    (void)context;
    for (uint32_t i = 0; i < count && used < sizeof line; i++) {
        if (fields[i].text != NULL)
            used += (size_t)snprintf(line + used, sizeof line - used, " %s=%s",
                                     fields[i].name, fields[i].text);
        else
            used += (size_t)snprintf(line + used, sizeof line - used, " %s=%lld",
                                     fields[i].name, (long long)fields[i].number);
    }
    if (used >= sizeof line)
        used = sizeof line - 1;
    tp_wasm_host_log_line((uint32_t)level, line, (uint32_t)used);
}

struct tp_log tp_wasm_host_log(void)
{
    struct tp_log log = {write_line, NULL};

    return log;
}

void tp_wasm_violation(struct tp_wasm_io *self, const char *what, uint64_t id,
                       int32_t value)
{
    struct tp_log_field fields[] = {{"id", NULL, (int64_t)id}, {"value", NULL, value}};

    self->violations++;
    if (self->violations <= VIOLATIONS_SAID)
        tp_log_write(&self->io.log, TP_LOG_ERROR, what, fields, 2);
}

uint64_t tp_wasm_io_violations(const struct tp_io *io)
{
    return ((const struct tp_wasm_io *)(const void *)io)->violations;
}

/* ------------------------------------------------------------------ poll and clocks */

/* Whether there is nothing that a call would tell the host, or bring. What is on a board
 * that it watches it finds by itself. */
static bool needs_no_call(const struct tp_wasm_io *self)
{
    if (self->unseen > 0)
        return false;
    return self->flying == 0 ||
           (self->board.watched != 0 && self->flying == self->reads - self->reads_seen);
}

static void call_poll(struct tp_wasm_io *self)
{
    uint32_t room = tp_io_completions_room(&self->io), count;

    if (room > self->completions_max)
        room = self->completions_max;
    self->unseen = 0;
    self->io.stats.enters++;
    count = tp_wasm_host_poll(self, self->arrived, room);
    if (count > room) {
        tp_wasm_violation(self, "the host brought more completions than there was room for",
                          count, (int32_t)room);
        count = room;
    }
    for (uint32_t i = 0; i < count; i++)
        tp_wasm_arrive(self, &self->arrived[i]);
}

static void wasm_poll(struct tp_io *io)
{
    struct tp_wasm_io *self = tp_wasm_of(io);

    if (self->reads > 0)
        tp_wasm_take_reads(self);
    if (needs_no_call(self))
        return;
    call_poll(self);
    if (self->reads > 0)
        tp_wasm_take_reads(self);
}

static void wasm_park(struct tp_io *io, uint64_t deadline_ns)
{
    (void)io, (void)deadline_ns;
    tp_stop(__FILE__, __LINE__,
            "there is no park in wasm: the host calls tp_scheduler_tick()");
}

static uint32_t wasm_unsubmitted(const struct tp_io *io)
{
    const struct tp_wasm_io *self = (const struct tp_wasm_io *)(const void *)io;

    return self->unseen + (self->board.watched != 0 ? 0 : tp_wasm_reads_waiting(self));
}

static int wasm_pollable(const struct tp_io *io)
{
    (void)io;
    return -EOPNOTSUPP;
}

/* Whoever wakes runs in the host's loop, which ticks afterwards. */
static void wasm_wake(struct tp_io *io)
{
    (void)io;
}

/* A monotonic clock of the host's that steps back stands still here. */
static uint64_t wasm_clock(struct tp_io *io, enum tp_clock clock)
{
    struct tp_wasm_io *self = tp_wasm_of(io);
    uint64_t now_ns;

    if (clock == TP_CLOCK_WALL)
        return tp_wasm_host_real();
    now_ns = tp_wasm_host_monotonic() - self->epoch_ns;
    if (now_ns > self->now_ns && now_ns <= INT64_MAX)
        self->now_ns = now_ns;
    return self->now_ns;
}

static void wasm_random(struct tp_io *io, void *ret_bytes, size_t len_bytes)
{
    (void)io;
    tp_wasm_host_entropy(ret_bytes, (uint32_t)len_bytes);
}

/* ------------------------------------------------------------------ life */

static void free_all(struct tp_wasm_io *self)
{
    const struct tp_allocator *allocator = self->io.allocator;

    tp_free(allocator, self->slots, self->io.ops_max * sizeof *self->slots, 64);
    tp_free(allocator, self->fds, self->fds_max * sizeof *self->fds, 64);
    tp_free(allocator, self->arrived, self->completions_max * sizeof *self->arrived, 64);
    tp_free(allocator, self->bufs, self->bufs_bytes, BLOCK_BYTES);
    tp_free(allocator, self, sizeof *self, 64);
}

static void wasm_destroy(struct tp_io *io)
{
    struct tp_wasm_io *self = tp_wasm_of(io);
    const struct tp_wasm_request end = {.op = TP_WASM_END};

    if (self->flying > 0)
        tp_stopf(__FILE__, __LINE__,
                 "%u operations are in flight: a WasmIo cannot wait for them, so it is "
                 "destroyed when tp_io_in_flight() is 0",
                 self->flying);
    tp_wasm_host_submit(self, &end);
    tp_io_deinit(io);
    free_all(self);
}

static const struct tp_io_backend backend = {
    .name = "wasm",
    .submit = tp_wasm_submit,
    .poll = wasm_poll,
    .park = wasm_park,
    .unsubmitted = wasm_unsubmitted,
    .pollable = wasm_pollable,
    .wake = wasm_wake,
    .clock = wasm_clock,
    .random = wasm_random,
    .destroy = wasm_destroy,
};

void tp_wasm_io_destroy(struct tp_io *io)
{
    tp_io_destroy(io);
}

static void set_caps(struct tp_io *io, uint64_t features)
{
    for (uint32_t kind = 0; kind < TP_KINDS; kind++) {
        const uint32_t op = tp_wasm_op_of(kind);

        io->caps.kinds[kind].how = TP_HOW_UNAVAILABLE;
        if (kind == TP_NOP || kind == TP_CANCEL) {
            io->caps.kinds[kind].how = TP_HOW_INLINE;
            io->caps.kinds[kind].why = "in the module";
        } else if (op == 0) {
            io->caps.kinds[kind].why = "no sockets, threads or signals in wasm";
        } else if ((features >> op & 1) == 0) {
            io->caps.kinds[kind].why = "the host cannot";
        } else {
            io->caps.kinds[kind].how = TP_HOW_WORKER;
            io->caps.kinds[kind].why = "the host";
        }
    }
}

static struct tp_wasm_io_config with_defaults(const struct tp_wasm_io_config *config)
{
    static const struct tp_wasm_io_config empty;
    struct tp_wasm_io_config c = config == NULL ? empty : *config;

    c.ops_max = c.ops_max == 0 ? 1024 : c.ops_max;
    c.completions_max = c.completions_max == 0 ? 1024 : c.completions_max;
    c.fds_max = c.fds_max == 0 ? 256 : c.fds_max;
    c.buf_count = c.buf_count == 0 ? 8 : c.buf_count == TP_WASM_NONE ? 0 : c.buf_count;
    c.buf_size = c.buf_size == 0 ? 65536 : c.buf_size;
    return c;
}

/* Memory, as far as it goes; free_all() takes it back. */
static int take_memory(struct tp_wasm_io *self, const struct tp_wasm_io_config *c)
{
    const uint32_t buf_size = (c->buf_size + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;

    self->fds_max = self->fds_free = c->fds_max;
    self->completions_max = c->completions_max;
    self->bufs_bytes = c->buf_count * buf_size;
    self->slots = tp_alloc(c->allocator, c->ops_max * sizeof *self->slots, 64);
    self->fds = tp_alloc(c->allocator, c->fds_max * sizeof *self->fds, 64);
    self->arrived = tp_alloc(c->allocator, c->completions_max * sizeof *self->arrived, 64);
    if (self->slots == NULL || self->fds == NULL || self->arrived == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < c->fds_max; i++)
        self->fds[i] = c->fds_max - 1 - i;
    if (self->bufs_bytes == 0)
        return 0;
    self->bufs = tp_alloc(c->allocator, self->bufs_bytes, BLOCK_BYTES);
    return self->bufs == NULL
               ? -ENOMEM
               : tp_io_set_bufs(&self->io, self->bufs, c->buf_count, buf_size);
}

static int check_version(const struct tp_log *log, uint64_t features)
{
    struct tp_log_field fields[] = {{"host", NULL, (int64_t)(features >> 48)},
                                    {"module", NULL, TP_WASM_ABI_VERSION}};

    if (features >> 48 == TP_WASM_ABI_VERSION)
        return 0;
    tp_log_write(log, TP_LOG_ERROR,
                 "host and module speak different versions of tempest_host", fields, 2);
    return -EPROTONOSUPPORT;
}

static void show_board(const struct tp_wasm_io *self)
{
    const struct tp_wasm_request begin = {.op = TP_WASM_BEGIN,
                                          .memory = (uint32_t)(uintptr_t)&self->board,
                                          .len = sizeof self->board};

    tp_wasm_host_submit(self, &begin);
}

int tp_wasm_io_create(const struct tp_wasm_io_config *config, struct tp_io **ret_io)
{
    const struct tp_wasm_io_config c = with_defaults(config);
    const struct tp_io_bounds bounds = {c.ops_max, c.completions_max, c.fds_max};
    const struct tp_log log = c.log == NULL ? tp_wasm_host_log() : *c.log;
    const uint64_t features = tp_wasm_host_features(TP_WASM_ABI_VERSION);
    struct tp_wasm_io *self;
    int error = check_version(&log, features);

    if (error < 0)
        return error;
    if ((c.size != 0 && c.size != sizeof c) || c.ops_max > BOUND_MAX ||
        c.completions_max > BOUND_MAX || c.fds_max > BOUND_MAX || c.buf_size > BOUND_MAX ||
        (c.buf_count != 0 && c.buf_count > INT32_MAX / (c.buf_size + BLOCK_BYTES)))
        return -EINVAL;
    self = tp_alloc(c.allocator, sizeof *self, 64);
    if (self == NULL)
        return -ENOMEM;
    error = tp_io_init(&self->io, &backend, &bounds, c.allocator, &log);
    if (error < 0) {
        tp_free(c.allocator, self, sizeof *self, 64);
        return error;
    }
    self->io.block_size = BLOCK_BYTES;
    error = take_memory(self, &c);
    if (error < 0) {
        tp_io_deinit(&self->io);
        free_all(self);
        return error;
    }
    set_caps(&self->io, features);
    show_board(self);
    self->epoch_ns = tp_wasm_host_monotonic();
    *ret_io = &self->io;
    return 0;
}
