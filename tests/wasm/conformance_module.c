/* The conformance suite as a module: the programs of tests/conformance, by number, on a
 * WasmIo. */
#include "tests/conformance/conformance.h"

#include <stdio.h>

#include "parking.h"

enum { OPS_MAX = 16384, COMPLETIONS_MAX = 12000, FDS_MAX = 1024 };
enum result { PASSED, FAILED, SKIPPED };

#define PATIENCE_NS UINT64_C(60000000000)

static char root[DIR_MAX / 2];
static char skipped[32], subject[64];

/** Where programs get their directories: the host writes the path here. */
TP_WASM_EXPORT(conformance_root) char *conformance_root(void);
/** Bytes that there are for it. */
TP_WASM_EXPORT(conformance_root_max) uint32_t conformance_root_max(void);
/** The name of the i-th program; NULL after the last. */
TP_WASM_EXPORT(conformance_name) const char *conformance_name(uint32_t index);
/** Its subject: the file that it is in. */
TP_WASM_EXPORT(conformance_subject) const char *conformance_subject(uint32_t index);
/** Runs it: enum result. */
TP_WASM_EXPORT(conformance_run_program) uint32_t conformance_run_program(uint32_t index);
/** The kind for want of which the last one was skipped. */
TP_WASM_EXPORT(conformance_skipped) const char *conformance_skipped(void);
/** How often the host broke the rules. */
TP_WASM_EXPORT(conformance_violations) uint32_t conformance_violations(void);

char *conformance_root(void)
{
    return root;
}

uint32_t conformance_root_max(void)
{
    return sizeof root;
}

const char *conformance_name(uint32_t index)
{
    const struct conformance_program *program = conformance_program_at(index);

    return program == NULL ? NULL : program->name;
}

const char *conformance_subject(uint32_t index)
{
    const struct conformance_program *program = conformance_program_at(index);
    const char *slash = strrchr(program->file, '/');
    const char *name = slash == NULL ? program->file : slash + 1;

    (void)snprintf(subject, sizeof subject, "%.*s", (int)strcspn(name, "."), name);
    return subject;
}

const char *conformance_skipped(void)
{
    return skipped;
}

static uint32_t violations;

uint32_t conformance_violations(void)
{
    return violations;
}

uint32_t conformance_run_program(uint32_t index)
{
    const struct tp_wasm_io_config config = {
        .size = sizeof config,
        .ops_max = OPS_MAX,
        .completions_max = COMPLETIONS_MAX,
        .fds_max = FDS_MAX,
        .buf_count = REGISTERED_COUNT,
        .buf_size = REGISTERED_SIZE,
    };
    const struct conformance_program *program = conformance_program_at(index);
    struct conformance *c = tp_alloc(NULL, sizeof *c, 64);
    struct tp_io *io = parking_create(&config);
    enum result result;

    tp_assert(io != NULL && c != NULL && program != NULL);
    c->io = io;
    c->backend = "wasm";
    c->patience_ns = PATIENCE_NS;
    result = conformance_run(c, program, root) ? PASSED : FAILED;
    if (result == PASSED && c->skipped != NULL)
        result = SKIPPED;
    (void)snprintf(skipped, sizeof skipped, "%s", c->skipped ? c->skipped : "");
    tp_free(NULL, c, sizeof *c, 64);
    while (tp_io_in_flight(io) > 0) /* a program that is skipped waits for nothing long */
        tp_io_park(io, TP_NEVER);
    violations += (uint32_t)tp_wasm_io_violations(parking_inner(io));
    tp_io_destroy(io);
    (void)fflush(stdout);
    return result;
}
