/** tests/unit/recv_pool.c - receive buffers: who has which, and what is not given back. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "io/recv_pool.h"
#include "tests/common/allocator.h"
#include "tests/common/expect_stop.h"
#include "tests/common/manual_io.h"

enum { COUNT = 4, SIZE = 64 };

static struct manual_io manual;
static struct tp_io *const io = &manual.io;
static uint8_t memory[COUNT * SIZE] __attribute__((aligned(64)));
static struct tp_recv_pool *pool;

static void set_up(void)
{
    manual_io_init(&manual);
    cr_assert(eq(int, tp_io_set_recv_bufs(io, memory, COUNT, SIZE), 0));
    pool = io->recv_bufs;
}

static void tear_down(void)
{
    manual_io_deinit(&manual);
}

TestSuite(recv_pool, .init = set_up, .fini = tear_down);

/* A buffer that the user has. */
static struct tp_buf *delivered(uint32_t len)
{
    uint32_t index;

    tp_assert(tp_recv_pool_take(pool, &index));
    tp_recv_pool_deliver(pool, index, len);
    return &pool->items[index].buf;
}

Test(recv_pool, hands_each_buffer_to_the_world_once)
{
    bool seen[COUNT] = {false};
    uint32_t index;

    for (uint32_t i = 0; i < COUNT; i++) {
        cr_assert(tp_recv_pool_take(pool, &index));
        cr_assert(lt(u32, index, COUNT));
        cr_assert(not(seen[index]));
        seen[index] = true;
    }
    cr_assert(not(tp_recv_pool_take(pool, &index)), "there are only %d", COUNT);
    tp_recv_pool_recycle(pool, 2);
    cr_assert(tp_recv_pool_take(pool, &index));
    cr_assert(eq(u32, index, 2));
}

Test(recv_pool, gives_the_user_what_came_and_takes_it_back_as_it_was)
{
    struct tp_buf *buf = delivered(10);

    cr_assert(eq(u32, pool->with_user, 1));
    cr_assert(eq(u32, buf->len, 10));
    cr_assert(eq(u32, buf->capacity, SIZE));
    cr_assert(buf->data >= memory && buf->data + SIZE <= memory + sizeof memory);
    cr_assert(eq(u32, (uint32_t)((size_t)(buf->data - memory) % SIZE), 0));
    buf->data[SIZE - 1] = 1; /* all of it is the user's, who may also cut it up */
    buf->data += 3;
    buf->capacity = 5;
    buf->len = 1;
    tp_io_give_back(io, buf);
    cr_assert(eq(u32, pool->with_user, 0));
    cr_assert(eq(ptr, delivered(SIZE), buf), "what is warm in the cache goes first");
    cr_assert(eq(u32, buf->capacity, SIZE));
    cr_assert(eq(u32, buf->len, SIZE));
    cr_assert(eq(u32, (uint32_t)((size_t)(buf->data - memory) % SIZE), 0));
    tp_io_give_back(io, buf);
}

static void give_back_twice(void *argument)
{
    struct tp_buf *buf = delivered(1);

    (void)argument;
    tp_io_give_back(io, buf);
    tp_io_give_back(io, buf);
}

static void give_back_what_the_world_has(void *argument)
{
    uint32_t index;

    (void)argument;
    tp_assert(tp_recv_pool_take(pool, &index));
    tp_io_give_back(io, &pool->items[index].buf);
}

static void give_back_a_foreign_one(void *argument)
{
    struct tp_buf foreign = tp_buf_empty(memory, SIZE);

    (void)argument;
    (void)delivered(1);
    tp_io_give_back(io, &foreign);
}

static void give_back_the_end_of_the_table(void *argument)
{
    (void)argument;
    tp_io_give_back(io, &pool->items[COUNT].buf);
}

static void give_back_an_odd_place(void *argument)
{
    (void)argument;
    tp_io_give_back(io, (struct tp_buf *)(void *)((uint8_t *)delivered(1) + 8));
}

static void give_back_a_part(void *argument)
{
    struct tp_buf part = tp_buf_from(delivered(10), 2);

    (void)argument;
    tp_io_give_back(io, &part);
}

static void give_back_to_an_io_without(void *argument)
{
    struct tp_buf foreign = tp_buf_empty(memory, SIZE);

    (void)argument;
    tear_down();
    manual_io_init(&manual);
    tp_io_give_back(io, &foreign);
}

static void deliver_what_the_user_has(void *argument)
{
    (void)argument;
    (void)delivered(1);
    tp_recv_pool_deliver(pool, COUNT - 1, 1);
}

static void deliver_more_than_fits(void *argument)
{
    (void)argument;
    (void)delivered(SIZE + 1);
}

static void recycle_what_was_returned(void *argument)
{
    (void)argument;
    tp_recv_pool_recycle(pool, 0);
}

Test(recv_pool, given_back_wrongly_stops_the_program)
{
    const char *const foreign = "not a receive buffer of this Io";

    expect_stop(give_back_twice, NULL, "recv_pool.c", "receive buffer 3 twice");
    expect_stop(give_back_what_the_world_has, NULL, "recv_pool.c", "receive buffer 3");
    expect_stop(give_back_a_foreign_one, NULL, "recv_pool.c", foreign);
    expect_stop(give_back_the_end_of_the_table, NULL, foreign);
    expect_stop(give_back_an_odd_place, NULL, foreign);
    expect_stop(give_back_a_part, NULL, foreign);
    expect_stop(give_back_to_an_io_without, NULL, "that has no receive buffers");
    expect_stop(deliver_what_the_user_has, NULL, "TP_RECV_WORLD");
    expect_stop(deliver_more_than_fits, NULL, "size_bytes");
    expect_stop(recycle_what_was_returned, NULL, "TP_RECV_WORLD");
}

/* ------------------------------------------------------------------ through an Io */

static struct tp_fd open_fd(int32_t number)
{
    tp_io_open(io, 77, "f", (struct tp_open_options){.read = true});
    manual_complete(manual_find(&manual, TP_OPEN), number);
    tp_io_poll(io);
    {
        struct tp_completion completion;

        cr_assert(tp_io_get_cqe(io, 77, &completion));
    }
    return tp_io_into_fd(io, number);
}

Test(recv_pool, is_in_the_completions_of_recv_many)
{
    struct tp_fd fd = open_fd(3);
    struct tp_completion completion;
    struct tp_buf *first, *second;

    tp_io_recv_many(io, 1, fd);
    manual_receive(&manual, manual_find(&manual, TP_RECV_MANY), "one");
    manual_receive(&manual, manual_find(&manual, TP_RECV_MANY), "three");
    tp_io_poll(io);
    cr_assert(eq(u32, tp_io_in_flight(io), 1), "a multishot counts once");
    cr_assert(tp_io_get_cqe(io, 1, &completion));
    cr_assert(eq(i32, completion.value, 3));
    cr_assert(ne(u32, completion.flags & TP_MORE, 0));
    first = tp_io_recv_buf(io, &completion);
    cr_assert(eq(u32, first->len, 3));
    cr_assert(eq(int, memcmp(first->data, "one", 3), 0));
    cr_assert(tp_io_get_cqe(io, 1, &completion));
    second = tp_io_recv_buf(io, &completion);
    cr_assert(eq(int, memcmp(second->data, "three", 5), 0));
    tp_io_give_back(io, second);
    tp_io_give_back(io, first);
    cr_assert(eq(u64, tp_io_stats(io)->recv_bufs_max, 2));
    manual_complete(manual_find(&manual, TP_RECV_MANY), 0);
    tp_io_poll(io);
    cr_assert(tp_io_get_cqe(io, 1, &completion));
    cr_assert(eq(i32, completion.value, 0));
    cr_assert(eq(u32, completion.flags, 0));
    cr_assert(eq(ptr, tp_io_recv_buf(io, &completion), NULL), "the last one has none");
    cr_assert(eq(u32, tp_io_in_flight(io), 0));
}

static uint32_t reports;

static void see(void *context, enum tp_log_level level, const char *message,
                const struct tp_log_field *fields, uint32_t count)
{
    (void)context, (void)level;
    cr_assert(eq(u32, count, 3));
    if (strcmp(message, "receive buffer not given back") != 0)
        return;
    reports++;
    cr_assert(eq(str, (char *)(uintptr_t)fields[1].text, "?"));
}

Test(recv_pool, that_is_not_complete_at_the_end_is_reported)
{
    io->log.write = see;
    (void)delivered(1);
    tp_io_give_back(io, delivered(2));
    (void)delivered(3);
    tear_down();
    cr_assert(eq(u32, reports, 2));
    set_up();
}

/* ------------------------------------------------------------------ memory */

Test(recv_pool, without_memory_is_none)
{
    for (uint32_t nth = 1; nth <= 3; nth++) {
        struct allocator allocator;
        struct tp_recv_pool *other;

        allocator_init(&allocator);
        allocator.fail_in = nth;
        allocator.fails_on = true;
        other = tp_recv_pool_create(memory, COUNT, SIZE, &allocator.hooks);
        cr_assert(eq(int, other != NULL, nth == 3), "allocation %u fails", nth);
        tp_recv_pool_destroy(other, &allocator.hooks);
        cr_assert(eq(u64, allocator.live_blocks, 0));
    }
}

#if defined(__SANITIZE_ADDRESS__)
static void touch_what_was_given_back(void *argument)
{
    struct tp_buf *buf = delivered(1);
    volatile uint8_t *byte = buf->data;

    (void)argument;
    tp_io_give_back(io, buf);
    (void)*byte;
}

static void touch_what_the_world_has(void *argument)
{
    uint32_t index;
    volatile uint8_t *byte;

    (void)argument;
    tp_assert(tp_recv_pool_take(pool, &index));
    byte = pool->items[index].buf.data;
    (void)*byte;
}

Test(recv_pool, is_poisoned_while_it_is_not_the_users)
{
    expect_stop(touch_what_was_given_back, NULL, "use-after-poison");
    expect_stop(touch_what_the_world_has, NULL, "use-after-poison");
}
#endif
