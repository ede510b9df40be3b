#include "sm/write_all.h"

#include <errno.h>

#include "runtime/await.h"

enum { STALLS_MAX = 16 };

static struct tp_op write_rest(struct tp_ctx *cx, struct tp_write_all *write)
{
    tp_assert(write->done < write->buf->len);
    write->part = tp_buf_from(write->buf, write->done);
    return tp_write_at(cx, write->fd, &write->part, write->offset + write->done);
}

/* Counts what a write brought. False when that was nothing, too often. */
static bool advance(struct tp_write_all *write, uint32_t bytes)
{
    uint32_t done = write->done + bytes;

    tp_assert(done <= write->buf->len);
    if (write->align > 0 && done < write->buf->len)
        done -= done % write->align;
    write->stalls = done == write->done ? write->stalls + 1 : 0;
    write->done = done;
    return write->stalls < STALLS_MAX;
}

static enum tp_step write_all_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_write_all *write = tp_container_of(machine, struct tp_write_all, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    while (write->done < write->buf->len) {
        TP_AWAIT(cx, write_rest(cx, write), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        if (!advance(write, (uint32_t)result.value))
            return tp_end(machine, -EIO);
    }
    return tp_end(machine, (int32_t)write->done);
    TP_END(cx);
}

struct tp_op(tp_write_all_start)(struct tp_ctx *cx, struct tp_write_all *write,
                                 struct tp_fd fd, const struct tp_buf *buf, uint64_t offset,
                                 uint32_t align)
{
    struct tp_write_all fresh = {.fd = fd, .buf = buf, .offset = offset, .align = align};

    tp_assert(buf->len <= INT32_MAX);
    tp_assert((align & (align - 1)) == 0 || align == 0);
    tp_assert(align == 0 || (buf->len % align == 0 && offset % align == 0));
    tp_assert(!tp_machine_alive(&write->machine));
    *write = fresh;
    return (tp_start)(cx, &write->machine, write_all_tick, "write_all");
}
