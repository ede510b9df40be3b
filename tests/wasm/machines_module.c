/* machines_module.c - tempest-copy's machine as a module: one copy after another. */
#include "io/wasm/wasm.h"
#include "runtime/tempest.h"
#include "sm/copy_file.h"

enum { PATH_BYTES = 1024, MEMORY_BYTES = 1 << 20 };

struct copier {
    struct tp_machine machine;
    struct tp_copy_file copy;
    struct tp_copy_options options;
};

static struct tp_scheduler *scheduler;
static struct copier copier;
static char source[PATH_BYTES], destination[PATH_BYTES];
static uint8_t memory[MEMORY_BYTES];

TP_WASM_EXPORTS(scheduler)

/** Where the paths are written to. */
TP_WASM_EXPORT(copy_source) char *copy_source(void);
TP_WASM_EXPORT(copy_destination) char *copy_destination(void);
/** Begins a copy. 0, or -errno. */
TP_WASM_EXPORT(copy_start) int32_t copy_start(void);
/** An assertion that does not hold. */
TP_WASM_EXPORT(copy_assert) void copy_assert(void);
/** What it came to; bytes copied so far. */
TP_WASM_EXPORT(copy_result) int32_t copy_result(void);
TP_WASM_EXPORT(copy_bytes) uint64_t copy_bytes(void);
/** A number of an errno by which the hosts know it: whether `text` is its name. */
TP_WASM_EXPORT(errno_is) uint32_t errno_is(int32_t number, const char *text);

static enum tp_step copier_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copier *m = tp_container_of(machine, struct copier, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx,
             tp_copy_file_start(cx, &m->copy, tp_place_path(source),
                                tp_place_path(destination), &m->options),
             &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

char *copy_source(void)
{
    return source;
}

char *copy_destination(void)
{
    return destination;
}

int32_t copy_start(void)
{
    static const struct tp_scheduler_config config = {.ops_max = 256, .machines_max = 16};
    struct tp_io *io;
    int error;

    if (scheduler == NULL) {
        error = tp_wasm_io_create(NULL, &io);
        if (error == 0)
            error = tp_scheduler_create_with(io, &config, &scheduler);
        if (error < 0)
            return error;
    }
    memset(&copier, 0, sizeof copier);
    copier.options.block_bytes = 65536;
    copier.options.memory = memory;
    copier.options.memory_bytes = sizeof memory;
    tp_spawn(scheduler, &copier.machine, copier_tick, "copier");
    return 0;
}

void copy_assert(void)
{
    tp_assert(copier.machine.result > 0);
}

int32_t copy_result(void)
{
    return copier.machine.result;
}

uint64_t copy_bytes(void)
{
    return copier.copy.bytes;
}

uint32_t errno_is(int32_t number, const char *text)
{
    return strcmp(tp_errno_name(number), text) == 0;
}
