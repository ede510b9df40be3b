/** tests/runtime/shots_random.c - multishots under random machines in a random world.
 *
 * A machine awaits, claims some of what came, and now and then cancels, gives up, sets a
 * deadline or closes; the world sends when it likes, answers cancels late, and ends when it
 * likes. Whatever happens: shots arrive once and in order, the end comes once and last,
 * every buffer is given back, and nothing goes on after the end. */
#include "io/recv_pool.h"
#include "tests/runtime/fixture.h"

enum { BUFS = 256, BUF_SIZE = 16, SEEDS = 3000, STEPS = 400 };

static uint8_t recv_memory[BUFS * BUF_SIZE];
static uint64_t state;

static uint32_t draw(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % below;
}

struct world {
    char next;      /* the byte that is sent next, 'a' to 'z' and again */
    bool closed;    /* the fd is */
    bool abandoned; /* the multishot is */
};

static struct world world;

struct reader {
    struct tp_machine machine;
    struct tp_op many;
    struct tp_result result;
    struct tp_fd fd;
    uint32_t claims;
    char next; /* the byte that must come next */
    bool ended;
};

static struct reader reader;

static void look_at(struct tp_ctx *cx, struct reader *r)
{
    cr_assert(eq(u64, r->result.op.handle, r->many.handle));
    cr_assert(not(r->ended));
    if ((r->result.flags & TP_MORE) == 0) {
        r->ended = true;
        cr_assert(eq(ptr, r->result.buf, NULL));
        return;
    }
    cr_assert(eq(chr, (char)r->result.buf->data[0], r->next), "lost, doubled or moved");
    r->next = r->next == 'z' ? 'a' : (char)(r->next + 1);
    tp_give_back(cx, r->result.buf);
}

/* Something that a machine may do to its multishot at any time; true: it has given it up.
 */
static bool meddle(struct tp_ctx *cx, struct reader *r)
{
    switch (draw(40)) {
    case 0:
        tp_cancel(cx, r->many);
        return false;
    case 1:
        (void)tp_deadline(cx, r->many, 1 + draw(300));
        return false;
    case 2:
        (void)tp_keep(cx, r->many, 1 + draw(9));
        return false;
    case 3:
        if (!world.closed)
            tp_detach(cx, tp_close(cx, r->fd));
        world.closed = true;
        return false;
    case 4:
        world.abandoned = true;
        tp_abandon(cx, r->many);
        return true;
    default:
        return false;
    }
}

/* Both ways to claim give the same. */
static bool claim_next(struct tp_ctx *cx, struct reader *r)
{
    struct tp_op many = r->many;

    return draw(2) == 0 || r->ended ? tp_next_cqe(cx, &r->result)
                                    : tp_next_of(cx, &many, &r->result);
}

static enum tp_step reads_at_random(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct reader *r = tp_container_of(machine, struct reader, machine);

    TP_BEGIN(cx);
    r->many = tp_keep(cx, tp_recv_many(cx, r->fd), 1 + draw(9));
    while (!r->ended) {
        if (meddle(cx, r))
            return tp_end(machine, 0);
        if (draw(4) == 0) {
            TP_AWAIT_NEXT(cx, &r->result);
            look_at(cx, r);
        } else {
            TP_AWAIT(cx, tp_timer(cx, 1 + draw(50)), &r->result);
        }
        for (r->claims = draw(6); r->claims > 0 && claim_next(cx, r); r->claims--)
            look_at(cx, r);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* The world does something, most often to the multishot. */
static void happen(void)
{
    struct manual_op *many = manual_find(&manual, TP_RECV_MANY);
    struct manual_op *closing = manual_find(&manual, TP_CLOSE);

    manual.ignore_cancels = draw(3) == 0;
    manual.now_ns += draw(30);
    if (closing != NULL)
        manual_complete(closing, 0);
    if (many == NULL)
        return;
    for (uint32_t count = draw(4); count > 0 && manual.io.recv_bufs->returned_count > 0;
         count--) {
        manual_receive(&manual, many, (char[]){world.next, '\0'});
        world.next = world.next == 'z' ? 'a' : (char)(world.next + 1);
    }
    if (draw(12) == 0) /* also the late answer to a cancel that was ignored */
        manual_complete(many, -ECANCELED);
    else if (draw(60) == 0)
        manual_complete(many, draw(2) == 0 ? 0 : -ECONNRESET);
}

/* An ECANCELED that nobody asked for is legal of no backend: only when it was cancelled or
 * its fd closed. The random world may say it at any time, which reads as a pause or as an
 * end; both keep the rules that are tested here. */
static void run_seed(uint64_t seed)
{
    static const struct reader none;
    const enum tp_kind kind = TP_RECV_MANY;

    state = seed * UINT64_C(0x9e3779b97f4a7c15);
    reader = none;
    reader.next = world.next = 'a';
    world.closed = world.abandoned = false;
    cr_assert(tp_io_fd_opened(&manual.io, 3));
    reader.fd = tp_io_into_fd(&manual.io, 3);
    tp_spawn(scheduler, &reader.machine, reads_at_random, "reader");
    for (uint32_t step = 0; step < STEPS && tp_machine_alive(&reader.machine); step++) {
        (void)settle();
        happen();
    }
    for (uint32_t step = 0; tp_machine_alive(&reader.machine); step++) {
        cr_assert(lt(u32, step, 10000), "seed %d: it does not end", (int)seed);
        (void)settle();
        if (manual_find(&manual, kind) != NULL)
            manual_complete(manual_find(&manual, kind), 0);
        happen();
    }
    (void)settle();
    cr_assert(eq(ptr, manual_find(&manual, kind), NULL),
              "seed %d: begun again after the end", (int)seed);
    cr_assert(reader.ended || world.abandoned);
    cr_assert(eq(u32, manual.io.recv_bufs->with_user, 0), "seed %d", (int)seed);
    if (!world.closed) {
        struct tp_request request = tp_request_close(reader.fd);

        request.handle = UINT64_C(0x7777);
        tp_io_submit(&manual.io, &request);
    }
    while (manual_find(&manual, TP_CLOSE) != NULL)
        manual_complete(manual_find(&manual, TP_CLOSE), 0);
    tp_io_poll(&manual.io);
    tp_completions_clear(tp_io_completions(&manual.io));
    cr_assert(eq(u32, tp_io_in_flight(&manual.io), 0), "seed %d", (int)seed);
}

Test(shots_random, arrive_once_in_order_and_end_once_whatever_happens, .timeout = 120)
{
    set_up();
    cr_assert(eq(int, tp_io_set_recv_bufs(&manual.io, recv_memory, BUFS, BUF_SIZE), 0));
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_seed(seed);
    cr_assert(lt(u64, SEEDS / 10, tp_scheduler_stats(scheduler)->resumed),
              "it has paused often enough to mean something");
    tear_down();
}
