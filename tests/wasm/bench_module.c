/* bench_module.c - reads or writes of 4 KiB, so many at a time, by one machine. */
#include "io/wasm/wasm.h"
#include "runtime/tempest.h"

enum { DEPTH_MAX = 64, BLOCK_BYTES = 4096, FILE_BLOCKS = 1024, PATH_BYTES = 1024 };

enum kind { READS, WRITES, DURABLE_WRITES };

struct bench {
    struct tp_machine machine;
    struct tp_fd fd;
    struct tp_op op;
    struct tp_buf bufs[DEPTH_MAX];
    uint32_t depth, begun, ended, count;
    uint32_t kind;
    int32_t error;
};

static struct tp_scheduler *scheduler;
static struct bench bench;
static char path[PATH_BYTES];
static _Alignas(BLOCK_BYTES) uint8_t memory[DEPTH_MAX][BLOCK_BYTES];

TP_WASM_EXPORTS(scheduler)

/** Where the path of the file is written to; it has FILE_BLOCKS blocks. */
TP_WASM_EXPORT(bench_path) char *bench_path(void);
/** Begins `count` transfers of an enum kind. 0, or -errno. */
TP_WASM_EXPORT(bench_start)
int32_t bench_start(uint32_t kind, uint32_t depth, uint32_t count);
/** The bench's: the first transfer begins, the last has ended. */
__attribute__((__import_module__("bench"), __import_name__("begun"))) void
bench_begun(void);
__attribute__((__import_module__("bench"), __import_name__("ended"))) void
bench_ended(void);
/** What it came to. */
TP_WASM_EXPORT(bench_result) int32_t bench_result(void);

/* The tag of a transfer is its buffer. Places are all over the file: 389 is prime. */
static void begin(struct bench *m, struct tp_ctx *cx, uint32_t index)
{
    const uint64_t offset = (uint64_t)(m->begun++ * 389 % FILE_BLOCKS) * BLOCK_BYTES;
    struct tp_buf *buf = &m->bufs[index];

    buf->len = BLOCK_BYTES;
    m->op = m->kind == READS ? tp_read_at(cx, m->fd, buf, offset)
                             : tp_write_at(cx, m->fd, buf, offset);
    tp_tag(cx, m->op, index);
}

static enum tp_step bench_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct bench *m = tp_container_of(machine, struct bench, machine);
    const struct tp_open_options options = {
        .read = true, .write = true, .dsync = m->kind == DURABLE_WRITES};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, path, options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    m->fd = tp_into_fd(cx, result);
    bench_begun();
    while (m->begun < m->depth)
        begin(m, cx, m->begun);
    while (m->ended < m->begun) {
        TP_AWAIT_UNTIL(cx, tp_next_cqe(cx, &result));
        m->ended++;
        if (result.value != BLOCK_BYTES)
            m->error = result.value < 0 ? result.value : -EIO;
        else if (m->begun < m->count)
            begin(m, cx, (uint32_t)result.tag);
    }
    bench_ended();
    TP_AWAIT(cx, tp_close(cx, m->fd), &result);
    return tp_end(machine, m->error);
    TP_END(cx);
}

char *bench_path(void)
{
    return path;
}

int32_t bench_start(uint32_t kind, uint32_t depth, uint32_t count)
{
    static const struct tp_scheduler_config config = {.ops_max = 256, .machines_max = 16};
    struct tp_io *io;
    int error = 0;

    if (depth > DEPTH_MAX || depth > count)
        return -EINVAL;
    if (scheduler == NULL)
        error = tp_wasm_io_create(NULL, &io);
    if (scheduler == NULL && error == 0)
        error = tp_scheduler_create_with(io, &config, &scheduler);
    if (error < 0)
        return error;
    memset(&bench, 0, sizeof bench);
    for (uint32_t i = 0; i < DEPTH_MAX; i++)
        bench.bufs[i] = tp_buf_full(memory[i], BLOCK_BYTES);
    bench.depth = depth;
    bench.count = count;
    bench.kind = kind;
    tp_spawn(scheduler, &bench.machine, bench_tick, "bench");
    return 0;
}

int32_t bench_result(void)
{
    return bench.machine.result;
}
