/* race.c - waits for whichever comes first, and bounds how long anything may take.
 *
 * Two children sleep for 10 s and 10 ms and are raced; then one of 10 s gets a deadline of
 * 20 ms. The losers are cancelled, and have ended before the race does: nothing of them is
 * left over.
 */
#include <stdio.h>
#include <tempest/io/auto/auto.h>
#include <tempest/tempest.h>

#define MS UINT64_C(1000000)

struct sleeper {
    struct tp_machine machine;
    uint64_t delay_ns;
};

struct racer {
    struct tp_machine machine;
    struct sleeper hare, tortoise;
    struct tp_op ops[2];
    int32_t winner;
};

/* No code for being cancelled: the timer then gives -ECANCELED, and so does this. */
static enum tp_step sleeper_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct sleeper *s = tp_container_of(machine, struct sleeper, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_timer(cx, s->delay_ns), &result);
    return tp_end(machine, result.value);
    TP_END(cx);
}

static enum tp_step racer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct racer *r = tp_container_of(machine, struct racer, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    r->tortoise.delay_ns = 10000 * MS;
    r->hare.delay_ns = 10 * MS;
    r->ops[0] = tp_start(cx, &r->tortoise.machine, sleeper_tick, "tortoise");
    r->ops[1] = tp_start(cx, &r->hare.machine, sleeper_tick, "hare");
    TP_AWAIT_RACE(cx, r->ops, 2, &r->winner);
    if (!tp_take(cx, &r->ops[r->winner], &result))
        return tp_end(machine, -1);
    printf("%s wins: %s\n", r->winner == 0 ? "tortoise" : "hare",
           tp_errno_name(result.value));
    printf("the other: %s\n", tp_errno_name(r->tortoise.machine.result));

    r->tortoise.delay_ns = 10000 * MS;
    TP_AWAIT(cx,
             tp_deadline(cx, tp_start(cx, &r->tortoise.machine, sleeper_tick, "tortoise"),
                         20 * MS),
             &result);
    printf("with a deadline: %s\n", tp_errno_name(result.value));
    return tp_end(machine, 0);
    TP_END(cx);
}

int main(void)
{
    struct racer racer = {0};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    int error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "race: %s\n", tp_auto_io_refusal(error)), 1;
    scheduler = tp_scheduler_create(io, 16);
    tp_assert(scheduler != NULL);
    tp_spawn(scheduler, &racer.machine, racer_tick, "racer");
    tp_scheduler_run(scheduler);
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return racer.machine.result < 0;
}
