#include "sm/read_file.h"

#include <errno.h>

#include "runtime/await.h"

/* Where the next read goes: the rest of the buffer, or one byte beyond the bound, to tell a
 * file that fits exactly from one that does not fit. */
static struct tp_buf *next_part(struct tp_read_file *read)
{
    tp_assert(read->buf->len <= read->buf->capacity);
    if (read->buf->len < read->buf->capacity)
        read->part = tp_buf_from(read->buf, read->buf->len);
    else
        read->part = tp_buf_empty(&read->beyond, 1);
    return &read->part;
}

/* Takes in what a read brought; false when there is nothing more to read. */
static bool take_in(struct tp_read_file *read, int32_t value)
{
    if (value == 0) {
        read->value = (int32_t)read->buf->len;
        return false;
    }
    if (value < 0 || read->part.data == &read->beyond) {
        read->value = value < 0 ? value : -EFBIG;
        return false;
    }
    tp_assert((uint32_t)value <= read->buf->capacity - read->buf->len);
    read->buf->len += (uint32_t)value;
    return true;
}

static enum tp_step read_file_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_read_file *read = tp_container_of(machine, struct tp_read_file, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    read->fd = read->place.fd;
    if (!tp_place_is_open(read->place)) {
        struct tp_open_options options = {.read = true};
        TP_AWAIT(cx, tp_place_open(cx, read->place, options), &result);
        if (result.value < 0)
            return tp_end(machine, result.value);
        read->fd = tp_into_fd(cx, result);
    }
    do {
        TP_AWAIT(cx, tp_read_at(cx, read->fd, next_part(read), read->buf->len), &result);
    } while (take_in(read, result.value));
    if (!tp_place_is_open(read->place))
        tp_detach(cx, tp_close(cx, read->fd));
    return tp_end(machine, read->value);
    TP_END(cx);
}

struct tp_op(tp_read_file_start)(struct tp_ctx *cx, struct tp_read_file *read,
                                 struct tp_place place, struct tp_buf *buf)
{
    struct tp_read_file fresh = {.place = place, .buf = buf};

    tp_assert(buf->capacity <= INT32_MAX);
    buf->len = 0;
    tp_assert(!tp_machine_alive(&read->machine));
    *read = fresh;
    return (tp_start)(cx, &read->machine, read_file_tick, "read_file");
}
