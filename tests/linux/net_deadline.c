/** tests/linux/net_deadline.c - what waits for a peer for ever, under a deadline. */
#include <errno.h>
#include <string.h>

#include "runtime/await.h"
#include "runtime/tempest.h"
#include "tests/linux/net_support.h"

enum { DEADLINE_NS = 20000000, BACKLOG = 1, FILLERS = 8 };

static const struct tp_socket_options plain;

/* Waits for everything there is to wait for, and gives up each time. */
struct patient {
    struct tp_machine machine;
    struct net_pair *pair;
    struct tp_address full; /* of a listener whose backlog is full */
    struct tp_buf in, out;
    uint8_t byte[8];
    int32_t values[7];
    uint32_t count;
};

static void note(struct patient *p, struct tp_result result)
{
    p->values[p->count++] = result.value;
}

static enum tp_step patient_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct patient *p = tp_container_of(machine, struct patient, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_deadline(cx, tp_recv(cx, p->pair->server, &p->in), DEADLINE_NS),
             &result);
    note(p, result);
    (void)tp_deadline(cx, tp_recv_many(cx, p->pair->server), DEADLINE_NS);
    TP_AWAIT_NEXT(cx, &result);
    note(p, result);
    TP_AWAIT(cx, tp_deadline(cx, tp_accept(cx, p->pair->listener), DEADLINE_NS), &result);
    note(p, result);
    (void)tp_deadline(cx, tp_accept_many(cx, p->pair->listener), DEADLINE_NS);
    TP_AWAIT_NEXT(cx, &result);
    note(p, result);
    TP_AWAIT(cx, tp_deadline(cx, tp_connect(cx, &p->full, plain), DEADLINE_NS), &result);
    note(p, result);
    do /* until nothing more is taken */
        TP_AWAIT(cx, tp_deadline(cx, tp_send(cx, p->pair->client, &p->out), DEADLINE_NS),
                 &result);
    while (result.value > 0);
    note(p, result);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* A TCP listener drops the first packets of those it has no room for: their connects wait.
 */
static struct tp_fd listen_full(struct tp_io *io, struct tp_address *ret_address)
{
    const struct tp_socket_options options = {.backlog = BACKLOG};
    const struct tp_address any = net_address(NET_IPV4);
    const struct tp_fd fd = net_fd(io, tp_request_listen(&any, options));
    uint32_t connected = 0;

    cr_assert(zero(i32, net_run(io, tp_request_local_address(fd, ret_address))));
    for (uint64_t i = 1; i <= FILLERS; i++)
        tp_io_connect(io, i, ret_address, plain);
    for (uint32_t tries = 0; connected <= BACKLOG; tries++) {
        struct tp_completion completion;

        cr_assert(lt(u32, tries, 1000));
        tp_io_park(io, tp_io_now_ns(io) + 10000000);
        for (uint64_t i = 1; i <= FILLERS; i++)
            connected += tp_io_get_cqe(io, i, &completion);
    }
    return fd;
}

Test(net_deadline, ends_whatever_waits_for_a_peer)
{
    for (uint32_t mask = 0; mask < NET_MASKS; mask++) {
        static uint8_t big[1 << 20];
        const struct tp_linux_io_config config = {.features_off = net_masks[mask]};
        struct tp_io *filler = make_io(NULL), *io = make_io(&config);
        struct net_pair pair = net_connect(io, NET_IPV4);
        struct tp_scheduler *scheduler = tp_scheduler_create(io, 64);
        struct patient patient = {.pair = &pair};
        const uint32_t fds = count_fds_of(io);
        uint32_t fillers;

        (void)listen_full(filler, &patient.full);
        fillers = count_fds() - fds;
        patient.in = tp_buf_empty(patient.byte, sizeof patient.byte);
        patient.out = tp_buf_full(big, sizeof big);
        tp_spawn(scheduler, &patient.machine, patient_tick, "patient");
        (void)tp_scheduler_run(scheduler);
        cr_assert(eq(u32, patient.count, 6));
        for (uint32_t i = 0; i < patient.count; i++)
            cr_assert(patient.values[i] == -ETIMEDOUT, "%u: %s", i,
                      tp_errno_name(patient.values[i]));
        cr_assert(eq(u32, count_fds(), fds + fillers), "nothing is left open");
        tp_scheduler_destroy(scheduler);
        net_pass(io, pair.server, pair.client, "still connected");
        net_close(io, &pair);
        tp_io_destroy(io);
        tp_io_destroy(filler);
    }
}
