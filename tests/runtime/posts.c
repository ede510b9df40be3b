/** tests/runtime/posts.c - wakes from other threads: none lost, none to a stranger. */
#include "runtime/machines.h"

#include <pthread.h>

#include "tests/runtime/fixture.h"

TestSuite(posts, .init = set_up, .fini = tear_down);

static enum tp_step counts(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct part *part = part_of(machine);

    (void)cx;
    part->count++;
    return part->value-- == 0 ? tp_end(machine, 0) : TP_WAIT;
}

Test(posts, wake_and_are_coalesced)
{
    struct part part = {.value = 2};
    uint64_t id;

    tp_spawn(scheduler, &part.machine, counts, "part");
    id = tp_machine_id(&part.machine);
    cr_assert(eq(int, tick(), TP_STUCK));
    tp_scheduler_post(scheduler, id);
    tp_scheduler_post(scheduler, id);
    cr_assert(eq(u32, manual.woken, 1));
    cr_assert(eq(i64, tp_scheduler_timeout_ns(scheduler), 0));
    cr_assert(eq(int, tick(), TP_STUCK));
    cr_assert(eq(u32, part.count, 2));
    tp_scheduler_post(scheduler, id);
    cr_assert(eq(int, tick(), TP_FINISHED));
    tp_scheduler_post(scheduler, id);
    tp_scheduler_post(scheduler, 0);
    tp_scheduler_post(scheduler, UINT64_MAX);
    cr_assert(eq(int, tick(), TP_FINISHED));
    cr_assert(eq(u32, part.count, 3));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->posts, 2));
    cr_assert(eq(u64, tp_scheduler_stats(scheduler)->posts_dead, 3));
    {
        char text[4096];

        tp_scheduler_stats_print(scheduler, text, sizeof text);
        cr_assert(ne(ptr, strstr(text, "to ended machines 3"), NULL), "%s", text);
    }
}

Test(posts, to_one_that_ended_do_not_reach_the_next_of_its_index)
{
    struct part first = {.value = 0}, second = {.value = 5};
    uint64_t id;

    tp_spawn(scheduler, &first.machine, counts, "first");
    id = tp_machine_id(&first.machine);
    tp_scheduler_post(scheduler, id); /* noted before the end, drained after it */
    cr_assert(eq(int, tick(), TP_FINISHED));
    tp_spawn(scheduler, &second.machine, counts, "second");
    tp_scheduler_post(scheduler, id);
    cr_assert(eq(int, tick(), TP_STUCK));
    cr_assert(eq(u32, second.count, 1));
    cr_assert(eq(u32, second.machine.index, first.machine.index),
              "the index was given out again");
    second.value = 0;
    tp_scheduler_post(scheduler, tp_machine_id(&second.machine));
    cr_assert(eq(int, tick(), TP_FINISHED));
}

/* ------------------------------------------------------------------ threads */

enum { THREADS = 3, POSTS = 20000 };

static struct tp_machines machines;
static struct tp_machine targets[64];
static _Atomic uint64_t ids[64];
static _Atomic uint64_t accepted;
static _Atomic uint32_t finished;

static void *post_many(void *argument)
{
    uint64_t random = (uintptr_t)argument;

    for (uint32_t i = 0; i < POSTS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (tp_machines_post(&machines, ids[(random >> 33) % 64]))
            accepted++;
    }
    finished++;
    return NULL;
}

static uint64_t delivered;

static void deliver(struct tp_machine *machine)
{
    cr_assert(machine >= targets && machine < targets + 64);
    delivered++;
}

Test(posts, of_many_threads_are_each_delivered_or_counted_dead)
{
    pthread_t threads[THREADS];
    uint64_t random = 1;

    cr_assert(eq(int, tp_machines_init(&machines, 256, NULL), 0));
    for (uint32_t i = 0; i < 64; i++) {
        cr_assert(tp_machines_add(&machines, &targets[i]));
        ids[i] = tp_machines_id(&machines, &targets[i]);
    }
    for (uintptr_t i = 0; i < THREADS; i++)
        cr_assert(
            eq(int, pthread_create(&threads[i], NULL, post_many, (void *)(i + 1)), 0));
    while (finished < THREADS) {
        uint32_t at;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        at = (uint32_t)(random >> 33) % 64;
        (void)tp_machines_drain(&machines, deliver);
        tp_machines_remove(&machines, &targets[at]); /* its last posts may be under way */
        cr_assert(tp_machines_add(&machines, &targets[at]));
        ids[at] = tp_machines_id(&machines, &targets[at]);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    (void)tp_machines_drain(&machines, deliver);
    cr_assert(not(tp_machines_posted(&machines)));
    cr_assert(le(u64, delivered, accepted));
    cr_assert(le(u64, accepted, delivered + machines.dead));
    cr_assert(lt(u64, 0, delivered));
    cr_assert(eq(u32, machines.count, 64));
    tp_machines_deinit(&machines, NULL);
}
