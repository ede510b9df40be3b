/** tests/sm/output.c - the output of a connection: order, marks, growth, nothing moved
 * while it is being sent. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "sm/output.h"

enum { OWN = 256, MAX = 1 << 16, STEPS = 4000 };

static uint8_t own[OWN];
static struct tp_output output;

/* ------------------------------------------------------------------ memory that is counted
 */

static struct {
    uint32_t blocks, asked, fail_at;
} heap;

static void *take_block(void *context, size_t size_bytes, size_t align)
{
    (void)context;
    if (++heap.asked == heap.fail_at)
        return NULL;
    heap.blocks++;
    return aligned_alloc(align, (size_bytes + align - 1) / align * align);
}

static void give_block(void *context, void *memory, size_t size_bytes)
{
    (void)context, (void)size_bytes;
    heap.blocks--;
    free(memory);
}

static const struct tp_allocator counted = {take_block, give_block, NULL};

static void set_up(void)
{
    memset(&heap, 0, sizeof heap);
    tp_output_init(&output, own, OWN, MAX, &counted);
}

static void tear_down(void)
{
    tp_output_deinit(&output);
    cr_assert(eq(u32, heap.blocks, 0));
}

TestSuite(output, .init = set_up, .fini = tear_down);

/* ------------------------------------------------------------------ bytes that say where
 * they belong */

static uint8_t byte_at(uint64_t position)
{
    return (uint8_t)(position * 151 + (position >> 8) * 31);
}

static bool put(uint32_t bytes)
{
    uint64_t at = output.written;
    uint8_t *place = tp_output_reserve(&output, bytes);

    if (place == NULL)
        return false;
    for (uint32_t i = 0; i < bytes; i++)
        place[i] = byte_at(at + i);
    tp_output_commit(&output, bytes);
    return true;
}

/* Looks at what is being sent, `count` stretches. How many bytes. */
static uint32_t check_flying(uint32_t count)
{
    uint64_t at = output.sent;
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < count; i++) {
        cr_assert(lt(u32, 0, output.bufs[i].len));
        for (uint32_t j = 0; j < output.bufs[i].len; j++, at++)
            wrong += output.bufs[i].data[j] != byte_at(at);
    }
    cr_assert(eq(u32, wrong, 0));
    return (uint32_t)(at - output.sent);
}

/* Sends whatever may leave. How many bytes. */
static uint64_t send_all(void)
{
    uint64_t sum = 0;
    uint32_t count;

    while ((count = tp_output_take(&output, UINT32_MAX)) > 0) {
        uint32_t bytes = check_flying(count);

        tp_output_taken(&output, bytes);
        sum += bytes;
    }
    return sum;
}

Test(output, leaves_in_the_order_in_which_it_was_written)
{
    cr_assert(put(100));
    cr_assert(put(28));
    cr_assert(eq(u64, tp_output_len(&output), 128));
    cr_assert(eq(u64, send_all(), 128));
    cr_assert(eq(u64, tp_output_len(&output), 0));
    cr_assert(eq(u32, heap.asked, 0));
}

Test(output, goes_on_where_a_short_send_ended)
{
    cr_assert(put(200));
    cr_assert(eq(u32, check_flying(tp_output_take(&output, 64)), 64));
    tp_output_taken(&output, 10);
    cr_assert(eq(u32, check_flying(tp_output_take(&output, 500)), 190));
    tp_output_taken(&output, 0);
    cr_assert(eq(u64, send_all(), 190));
}

Test(output, wraps_and_sends_both_stretches_at_once)
{
    cr_assert(put(200));
    (void)check_flying(tp_output_take(&output, 150));
    tp_output_taken(&output, 150);
    cr_assert(put(100)); /* does not fit behind, but in front */
    cr_assert(eq(u32, tp_output_take(&output, 1000), 2));
    cr_assert(eq(u32, check_flying(2), 150));
    tp_output_taken(&output, 60); /* into the second stretch */
    cr_assert(put(90));
    cr_assert(eq(u64, send_all(), 180));
    cr_assert(eq(u32, heap.asked, 0));
}

Test(output, sends_one_thing_at_a_time)
{
    cr_assert(put(10));
    cr_assert(eq(u32, tp_output_take(&output, 5), 1));
    cr_assert(put(10));
    cr_assert(eq(u32, tp_output_take(&output, 5), 0));
    tp_output_taken(&output, 5);
    cr_assert(eq(u64, send_all(), 15));
}

Test(output, grows_without_moving_what_is_being_sent)
{
    const uint8_t *flying;

    cr_assert(put(OWN));
    cr_assert(eq(u32, tp_output_take(&output, OWN), 1));
    flying = output.bufs[0].data;
    cr_assert(put(5000));
    cr_assert(put(50000));
    cr_assert(eq(ptr, (void *)(uintptr_t)flying, own));
    cr_assert(eq(u32, check_flying(1), OWN));
    tp_output_taken(&output, 100);
    cr_assert(eq(u32, heap.blocks, 1));
    cr_assert(eq(u32, tp_output_take(&output, 3000), 1)); /* of a block, which stays */
    cr_assert(put(MAX - 60000));
    cr_assert(eq(u32, check_flying(1), 3000));
    tp_output_taken(&output, 3000);
    cr_assert(eq(u64, send_all(), OWN + 55000 + MAX - 60000 - 3100));
}

Test(output, gives_a_block_back_when_it_was_not_needed_for_a_while)
{
    cr_assert(put(5000));
    (void)send_all();
    cr_assert(eq(u32, heap.blocks, 1)); /* the next may be as large */
    cr_assert(put(10));
    (void)send_all();
    cr_assert(eq(u32, heap.blocks, 0));
    cr_assert(put(OWN));
    (void)send_all();
    cr_assert(eq(u32, heap.asked, 1));
}

Test(output, takes_no_more_than_its_bound)
{
    cr_assert(not(put(MAX + 1)));
    cr_assert(put(MAX - 10));
    cr_assert(not(put(11)));
    cr_assert(put(10));
    cr_assert(not(put(1)));
    cr_assert(eq(u64, send_all(), MAX));
    cr_assert(put(MAX));
    cr_assert(eq(u64, send_all(), MAX));
}

Test(output, is_as_it_was_when_there_is_no_memory)
{
    heap.fail_at = 1;
    cr_assert(put(200));
    cr_assert(not(put(100)));
    cr_assert(put(56));
    cr_assert(eq(u64, send_all(), 256));
}

/* ------------------------------------------------------------------ marks */

Test(output, holds_a_reply_and_all_behind_it)
{
    cr_assert(put(10));
    tp_output_hold(&output, 0);
    cr_assert(put(20));
    tp_output_hold(&output, 7);
    cr_assert(put(30));
    tp_output_hold(&output, 0);
    cr_assert(eq(u64, send_all(), 10));
    cr_assert(eq(u64, tp_output_held(&output), 7));
    cr_assert(not(tp_output_release(&output, 6)));
    cr_assert(eq(u64, send_all(), 0));
    cr_assert(tp_output_release(&output, 7));
    cr_assert(eq(u64, tp_output_held(&output), 0));
    cr_assert(eq(u64, send_all(), 50));
    cr_assert(put(5));
    tp_output_hold(&output, 7); /* reached before */
    cr_assert(eq(u64, send_all(), 5));
}

Test(output, releases_each_part_as_its_number_is_reached)
{
    for (uint64_t until = 1; until <= 5; until++) {
        cr_assert(put(10));
        tp_output_hold(&output, until);
        (void)tp_output_take(&output, 1000); /* a tick ends: the next mark is another */
    }
    for (uint64_t reached = 1; reached <= 5; reached++) {
        cr_assert(eq(u64, tp_output_held(&output), reached));
        cr_assert(tp_output_release(&output, reached));
        cr_assert(eq(u64, send_all(), 10));
    }
}

Test(output, what_would_leave_together_is_one_mark)
{
    cr_assert(put(10)); /* is not held by what comes later */
    for (uint64_t until = 1; until <= 100; until++) {
        tp_output_hold(&output, until - 1);
        cr_assert(put(1));
    }
    tp_output_hold(&output, 100);
    cr_assert(eq(u32, output.mark_count, 1));
    cr_assert(eq(u64, send_all(), 10));
    (void)tp_output_release(&output, 99);
    cr_assert(eq(u64, send_all(), 0));
    (void)tp_output_release(&output, 100);
    cr_assert(eq(u64, send_all(), 100));
}

/* With as many ticks as one likes, all of them holding, the first is released first. */
Test(output, more_ticks_than_marks_only_delay_the_newest)
{
    for (uint64_t until = 1; until <= 3 * (uint64_t)TP_OUTPUT_MARKS; until++) {
        cr_assert(put(1));
        tp_output_hold(&output, until);
        (void)tp_output_take(&output, 1000);
    }
    for (uint64_t reached = 1; reached < TP_OUTPUT_MARKS; reached++) {
        (void)tp_output_release(&output, reached);
        cr_assert(eq(u64, send_all(), 1));
    }
    (void)tp_output_release(&output, 3 * (uint64_t)TP_OUTPUT_MARKS - 1);
    cr_assert(eq(u64, send_all(), 0));
    (void)tp_output_release(&output, 3 * (uint64_t)TP_OUTPUT_MARKS);
    cr_assert(eq(u64, send_all(), 2 * (uint64_t)TP_OUTPUT_MARKS + 1));
}

Test(output, drops_what_is_held_and_says_how_many_replies_that_was)
{
    cr_assert(put(10));
    tp_output_hold(&output, 0);
    for (uint64_t until = 5; until <= 7; until++) {
        cr_assert(put(40));
        tp_output_hold(&output, until);
        cr_assert(eq(u32, tp_output_take(&output, 4), until == 5));
    }
    cr_assert(eq(u32, tp_output_discard_held(&output), 3));
    cr_assert(eq(u32, check_flying(1), 4));
    tp_output_taken(&output, 4);
    cr_assert(eq(u64, send_all(), 6));
    cr_assert(eq(u32, tp_output_discard_held(&output), 0));
    cr_assert(put(50));
    tp_output_hold(&output, 8);
    cr_assert(eq(u32, tp_output_discard_held(&output), 1));
    cr_assert(eq(u64, tp_output_len(&output), 0));
    cr_assert(put(OWN));
    cr_assert(eq(u64, send_all(), OWN));
    cr_assert(eq(u32, heap.asked, 0));
}

/* ------------------------------------------------------------------ anything, in any order
 */

static uint64_t chance;

static uint32_t draw(uint32_t below)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(chance >> 33) % below;
}

/* Of every byte that waits: the number that it waits for, as one who wrote it knows. */
static struct {
    uint64_t until[MAX + 1]; /* by position, modulo */
    uint64_t highest, reached, decided;
} model;

static void model_hold(uint64_t until)
{
    if (until > model.highest)
        model.highest = until;
    for (; model.decided < output.written; model.decided++)
        model.until[model.decided % (MAX + 1)] = model.highest;
    tp_output_hold(&output, until);
}

static void check_allowed(uint32_t bytes)
{
    uint32_t early = 0;

    for (uint64_t at = output.sent; at < output.sent + bytes; at++)
        early += model.until[at % (MAX + 1)] > model.reached;
    cr_assert(eq(u32, early, 0));
}

static void step(void)
{
    uint32_t bytes, count;

    switch (draw(8)) {
    case 0:
    case 1:
    case 2:
        bytes = draw(draw(50) == 0 ? MAX / 3 : 120);
        if (put(bytes))
            model_hold(draw(3) == 0 ? model.reached + draw(20) : 0);
        return;
    case 3:
        model.reached += draw(12);
        (void)tp_output_release(&output, model.reached);
        return;
    case 4:
    case 5:
        count = tp_output_take(&output, draw(2) == 0 ? UINT32_MAX : 1 + draw(300));
        if (count > 0)
            check_allowed(check_flying(count));
        return;
    case 6:
        if (output.flying > 0) {
            (void)check_flying(output.bufs[0].len == output.flying ? 1 : 2);
            tp_output_taken(&output, draw(output.flying + 1));
        }
        return;
    default:
        if (draw(100) == 0 && tp_output_discard_held(&output) > 0) {
            model.decided = output.written;
            model.highest = model.reached;
        }
    }
}

Test(output, nothing_is_lost_mixed_up_or_early)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        chance = seed;
        memset(&model, 0, sizeof model);
        tp_output_init(&output, own, OWN - draw(OWN), MAX, &counted);
        for (uint32_t i = 0; i < STEPS; i++)
            step();
        if (output.flying > 0)
            tp_output_taken(&output, 0);
        (void)tp_output_release(&output, UINT64_MAX);
        cr_assert(eq(u64, tp_output_len(&output), send_all()));
        tp_output_deinit(&output);
        cr_assert(eq(u32, heap.blocks, 0));
    }
}
