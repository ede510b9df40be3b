#include "apps/sim/zoo/kit.h"

void zoo_setup(struct tp_sim *sim)
{
    const struct tp_node_config config = {
        .ops_max = 32,
        .machines_max = 32,
        .disk = {.inodes_max = 512, .names_pending_max = 256},
        .io = {.ops_max = 32,
               .completions_max = 32,
               .fds_max = 32,
               .queue_max = 64,
               .buf_count = 1,
               .buf_size = 4096,
               .recv_buf_count = 1,
               .recv_buf_size = 4096},
    };

    (void)tp_sim_add_node(sim, &config);
}

void zoo_boot(struct tp_node *node, size_t size_bytes, tp_tick_fn *tick, const char *name)
{
    struct zoo *z = tp_node_new(node, size_bytes);

    z->node = node;
    z->oracle = tp_sim_state(tp_node_sim(node));
    z->is_fixed = tp_sim_context(tp_node_sim(node)) != NULL;
    tp_node_spawn(node, &z->machine, tick, name);
}

void zoo_begin(struct zoo *z, uint64_t command)
{
    if (z->oracle->begun < command)
        z->oracle->begun = command;
}

void zoo_promise(struct zoo *z, uint64_t command)
{
    tp_assert(command <= z->oracle->begun);
    if (z->oracle->promised < command)
        z->oracle->promised = command;
    tp_node_promised(z->node, "command %llu", (unsigned long long)command);
}

void zoo_compare_at(struct zoo *z, uint64_t found, const char *file, uint32_t line)
{
    struct tp_sim *sim = tp_node_sim(z->node);

    if (found < z->oracle->promised)
        tp_sim_fail_at(sim, file, line, "lost: %llu commands are there, promised were %llu",
                       (unsigned long long)found, (unsigned long long)z->oracle->promised);
    else if (found > z->oracle->begun)
        tp_sim_fail_at(sim, file, line,
                       "invented: %llu commands are there, begun were %llu",
                       (unsigned long long)found, (unsigned long long)z->oracle->begun);
}

enum tp_step zoo_end(struct tp_ctx *cx, int32_t error)
{
    return tp_end(cx->self, error == -ENOSPC ? 0 : error);
}

static enum tp_step load_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct zoo_file *file = tp_container_of(machine, struct zoo_file, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    file->buf = tp_buf_empty(file->bytes, sizeof file->bytes);
    TP_AWAIT(cx, tp_read_file_start(cx, &file->read, tp_place_path(file->path), &file->buf),
             &result);
    file->len = result.value < 0 ? 0 : (uint32_t)result.value;
    memset(file->bytes + file->len, 0, sizeof file->bytes - file->len);
    return tp_end(machine, result.value == -ENOENT ? 0 : result.value);
    TP_END(cx);
}

struct tp_op(zoo_load_start)(struct tp_ctx *cx, struct zoo_file *file, const char *path)
{
    file->path = path;
    return (tp_start)(cx, &file->machine, load_tick, "load");
}

struct tp_op(zoo_keep_start)(struct tp_ctx *cx, struct zoo_file *file, const char *path,
                             uint32_t len)
{
    tp_assert(len <= sizeof file->bytes);
    file->len = len;
    file->buf = tp_buf_full(file->bytes, len);
    return (tp_replace_file_start)(cx, &file->replace, tp_place_path(path), &file->buf,
                                   NULL);
}

uint64_t zoo_records(const struct zoo_file *file, uint32_t at, uint64_t first)
{
    uint64_t count = 0;
    uint64_t number;

    for (; file->len - at >= sizeof number; at += (uint32_t)sizeof number) {
        memcpy(&number, file->bytes + at, sizeof number);
        if (number != first + count)
            break;
        count++;
    }
    return count;
}

uint64_t zoo_page_of(uint64_t command)
{
    return command % 2 * (ZOO_PAGES_BYTES / 2);
}

uint64_t zoo_newest(const struct zoo_file *file)
{
    uint64_t numbers[2];

    for (uint64_t i = 0; i < 2; i++)
        memcpy(&numbers[i], file->bytes + zoo_page_of(i), sizeof numbers[i]);
    return numbers[0] > numbers[1] ? numbers[0] : numbers[1];
}

uint64_t zoo_sum(const void *bytes, uint32_t len)
{
    const uint8_t *at = bytes;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (uint32_t i = 0; i < len; i++)
        sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
    return sum;
}
