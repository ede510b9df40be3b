#include "apps/copy/compare.h"

#include <errno.h>
#include <string.h>

#include "runtime/await.h"

static enum tp_step fail(struct copy_compare *compare, enum tp_kind kind,
                         enum copy_side side, int32_t error)
{
    compare->failed_kind = (uint32_t)kind;
    compare->failed_side = side;
    return tp_end(&compare->machine, error);
}

static void close_both(struct copy_compare *compare, struct tp_ctx *cx)
{
    for (uint32_t side = 0; side < COPY_SIDES; side++) {
        if (tp_fd_is_some(compare->fd[side]))
            tp_detach(cx, tp_close(cx, compare->fd[side]));
        compare->fd[side] = tp_fd_none();
    }
}

static struct tp_op open_side(struct copy_compare *compare, struct tp_ctx *cx)
{
    struct tp_open_options options = {.read = true};

    return tp_place_open(cx, compare->place[compare->side], options);
}

/* Asks for what is missing of a side's block. */
static void read_side(struct copy_compare *compare, struct tp_ctx *cx, enum copy_side side)
{
    compare->part[side] = tp_buf_from(&compare->block[side], compare->filled[side]);
    compare->op[side] = tp_read_at(cx, compare->fd[side], &compare->part[side],
                                   compare->offset + compare->filled[side]);
}

/* Claims a read. True while its side is not yet full and not at its end. */
static bool took_part(struct copy_compare *compare, struct tp_ctx *cx, enum copy_side side)
{
    struct tp_result result;

    if (!tp_take(cx, &compare->op[side], &result))
        return tp_op_is_some(compare->op[side]);
    if (result.value < 0) {
        if (compare->result >= 0)
            (void)fail(compare, TP_READ, side, result.value);
        compare->result = result.value;
        return false;
    }
    compare->filled[side] += (uint32_t)result.value;
    if (result.value == 0 || compare->filled[side] == compare->block[side].capacity)
        return false;
    read_side(compare, cx, side);
    return true;
}

/* Whether both sides have read what they can of this block. */
static bool filled(struct copy_compare *compare, struct tp_ctx *cx)
{
    bool source_reads = took_part(compare, cx, COPY_SOURCE);
    bool target_reads = took_part(compare, cx, COPY_TARGET);

    return !source_reads && !target_reads;
}

static bool blocks_differ(const struct copy_compare *compare)
{
    uint32_t len = compare->filled[COPY_SOURCE];

    return len != compare->filled[COPY_TARGET] ||
           memcmp(compare->block[COPY_SOURCE].data, compare->block[COPY_TARGET].data,
                  len) != 0;
}

static enum tp_step compare_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_compare *compare = tp_container_of(machine, struct copy_compare, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (compare->side = COPY_SOURCE; compare->side < COPY_SIDES; compare->side++) {
        TP_AWAIT(cx, open_side(compare, cx), &result);
        if (result.value < 0) {
            close_both(compare, cx);
            return fail(compare, TP_OPEN, compare->side, result.value);
        }
        compare->fd[compare->side] = tp_into_fd(cx, result);
    }
    do {
        compare->filled[COPY_SOURCE] = 0;
        compare->filled[COPY_TARGET] = 0;
        read_side(compare, cx, COPY_SOURCE);
        read_side(compare, cx, COPY_TARGET);
        TP_AWAIT_UNTIL(cx, filled(compare, cx));
        if (compare->result == 0 && blocks_differ(compare))
            compare->result = COPY_DIFFERENT;
        if (compare->result == 0)
            compare->offset += compare->filled[COPY_SOURCE];
    } while (compare->result == 0 && compare->filled[COPY_SOURCE] > 0);
    close_both(compare, cx);
    return tp_end(machine, compare->result);
    TP_END(cx);
}

struct tp_op copy_compare_start(struct tp_ctx *cx, struct copy_compare *compare,
                                struct tp_place source, struct tp_place target,
                                void *memory, uint32_t memory_bytes)
{
    uint32_t half = memory_bytes / 2;

    tp_assert(!tp_machine_alive(&compare->machine) && half > 0);
    memset(compare, 0, sizeof *compare);
    compare->place[COPY_SOURCE] = source;
    compare->place[COPY_TARGET] = target;
    compare->block[COPY_SOURCE] = tp_buf_empty(memory, half);
    compare->block[COPY_TARGET] = tp_buf_empty((uint8_t *)memory + half, half);
    return tp_start(cx, &compare->machine, compare_tick, "compare");
}
