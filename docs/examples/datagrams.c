/* datagrams.c - a question and its answer, each a datagram, on a network that loses half of
 * them and lets some come twice.
 *
 * Nobody says that a datagram was lost, so the asker asks again when nothing has come for a
 * while, and knows by its number which question an answer is for.
 */
#include <stdio.h>
#include <tempest/io/virtual/virtual.h>
#include <tempest/tempest.h>

#define MS        UINT64_C(1000000)
#define QUESTIONS 5

static const struct tp_socket_options plain;

/* Answers whoever asks, until it is cancelled. */
struct answerer {
    struct tp_machine machine;
    struct tp_fd fd;
    struct tp_buf buf;
    struct tp_datagram datagram; /* lent, like the buffer, until the claim */
    uint32_t number;
};

static enum tp_step answerer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct answerer *a = tp_container_of(machine, struct answerer, machine);
    struct tp_address here = tp_address_ipv4(127, 0, 0, 1, 7000);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_bind(cx, &here, plain), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    a->fd = tp_into_fd(cx, result);
    for (;;) {
        a->buf = tp_buf_empty(&a->number, sizeof a->number);
        TP_AWAIT(cx, tp_recv_from(cx, a->fd, &a->buf, &a->datagram), &result);
        if (result.value == sizeof a->number)
            TP_AWAIT(cx, tp_send_to(cx, a->fd, &a->buf, &a->datagram.from), &result);
        if (result.value == -ECANCELED)
            break;
    }
    tp_detach(cx, tp_close(cx, a->fd));
    return tp_end(machine, 0);
    TP_END(cx);
}

struct asker {
    struct tp_machine machine;
    struct answerer answerer;
    struct tp_op child;
    struct tp_fd fd;
    struct tp_buf question, answer;
    struct tp_datagram datagram;
    uint32_t number, answered, tries;
};

static enum tp_step asker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct asker *a = tp_container_of(machine, struct asker, machine);
    struct tp_address here = tp_address_ipv4(127, 0, 0, 1, 0); /* any free port */
    struct tp_address there = tp_address_ipv4(127, 0, 0, 1, 7000);
    struct tp_result result;

    TP_BEGIN(cx);
    a->child = tp_start(cx, &a->answerer.machine, answerer_tick, "answerer");
    TP_AWAIT(cx, tp_bind(cx, &here, plain), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    a->fd = tp_into_fd(cx, result);
    for (a->number = 1; a->number <= QUESTIONS; a->number++) {
        for (a->tries = 1, a->answered = 0; a->answered != a->number; a->tries++) {
            a->question = tp_buf_full(&a->number, sizeof a->number);
            TP_AWAIT(cx, tp_send_to(cx, a->fd, &a->question, &there), &result);
            do { /* what answers an earlier question is late, or comes twice */
                a->answer = tp_buf_empty(&a->answered, sizeof a->answered);
                TP_AWAIT(cx,
                         tp_deadline(cx, tp_recv_from(cx, a->fd, &a->answer, &a->datagram),
                                     50 * MS),
                         &result);
            } while (result.value > 0 && a->answered != a->number);
        }
        printf("question %u was asked %u times\n", a->number, a->tries - 1);
    }
    tp_cancel(cx, a->child);
    TP_AWAIT(cx, a->child, &result);
    tp_detach(cx, tp_close(cx, a->fd));
    return tp_end(machine, result.value);
    TP_END(cx);
}

int main(void)
{
    struct tp_net_config net = {.faults = {.loss_ppm = 500000, .duplicate_ppm = 200000}};
    struct tp_virtual_io_config config = {.seed = 1, .net_config = &net};
    struct asker asker = {.number = 0};
    struct tp_scheduler *scheduler;
    struct tp_io *io;

    tp_assert(tp_virtual_io_create(&config, &io) == 0);
    scheduler = tp_scheduler_create(io, 16);
    tp_assert(scheduler != NULL);
    tp_spawn(scheduler, &asker.machine, asker_tick, "asker");
    tp_scheduler_run(scheduler);
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return asker.machine.result < 0;
}
