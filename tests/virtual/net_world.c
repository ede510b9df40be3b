/** tests/virtual/net_world.c - machines on several Ios in one world: a client that asks
 * until it has all its answers, and a server whose host is cut off after every single
 * event. */
#include "net_fixture.h"

#include "runtime/await.h"
#include "runtime/operations.h"
#include "runtime/scheduler.h"

enum { CLIENT, SERVER, SLOTS = 8, ASKS = 4 };

static const struct tp_socket_options plain;

static void tear_down(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

TestSuite(net_world, .fini = tear_down);

/* ------------------------------------------------------------------ the server */

struct peer {
    struct tp_machine machine;
    struct tp_fd fd;
    struct tp_op many;
    struct tp_buf *buf; /* that is being sent back */
    bool used;
};

struct server {
    struct tp_machine machine;
    struct peer peers[SLOTS];
    struct tp_address address;
    struct tp_fd listener;
    bool accepts;
};

/* Sends back what it receives, a buffer at a time. */
static enum tp_step peer_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct peer *p = tp_container_of(machine, struct peer, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    p->many = tp_keep(cx, tp_recv_many(cx, p->fd), 2);
    for (;;) {
        TP_AWAIT_NEXT(cx, &result);
        if ((result.flags & TP_MORE) == 0)
            break;
        p->buf = result.buf;
        while (p->buf->len > 0) {
            TP_AWAIT(cx, tp_send(cx, p->fd, p->buf), &result);
            if (result.value <= 0)
                break;
            p->buf->data = (uint8_t *)p->buf->data + result.value;
            p->buf->len -= (uint32_t)result.value;
        }
        tp_give_back(cx, p->buf);
        if (result.value <= 0)
            tp_cancel(cx, p->many);
    }
    TP_AWAIT(cx, tp_close(cx, p->fd), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void take_connection(struct server *s, struct tp_ctx *cx, struct tp_result result)
{
    struct tp_fd fd = tp_into_fd(cx, result);

    for (uint32_t i = 0; i < SLOTS; i++) {
        static const struct peer fresh;

        if (s->peers[i].used)
            continue;
        s->peers[i] = fresh;
        s->peers[i].used = true;
        s->peers[i].fd = fd;
        (void)tp_tag(cx, tp_start(cx, &s->peers[i].machine, peer_tick, "peer"), i + 1);
        return;
    }
    tp_detach(cx, tp_close(cx, fd));
}

static bool is_serving(const struct server *s)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (s->peers[i].used)
            return true;
    }
    return false;
}

/* Serves until it is cancelled. */
static enum tp_step server_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct server *s = tp_container_of(machine, struct server, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_listen(cx, &s->address, plain), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    s->listener = tp_into_fd(cx, result);
    s->accepts = true;
    (void)tp_accept_many(cx, s->listener);
    while (s->accepts || is_serving(s)) {
        TP_AWAIT_NEXT(cx, &result);
        if (result.tag != 0)
            s->peers[result.tag - 1].used = false;
        else if ((result.flags & TP_MORE) == 0)
            s->accepts = false;
        else
            take_connection(s, cx, result);
    }
    TP_AWAIT(cx, tp_close(cx, s->listener), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the client */

struct client {
    struct tp_machine machine;
    struct tp_address address;
    struct tp_fd fd;
    struct tp_buf buf;
    uint8_t bytes[64];
    uint32_t answered, got, tries;
};

static void fill(struct client *c)
{
    for (uint32_t i = 0; i < sizeof c->bytes; i++)
        c->bytes[i] = n_byte(c->answered * 100 + i);
    c->buf = tp_buf_full(c->bytes, sizeof c->bytes);
}

static bool is_answer(const struct client *c)
{
    for (uint32_t i = 0; i < sizeof c->bytes; i++) {
        if (c->bytes[i] != n_byte(c->answered * 100 + i))
            return false;
    }
    return true;
}

/* Asks, and asks again over a new connection when there is no answer in a second. */
static enum tp_step client_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct client *c = tp_container_of(machine, struct client, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    while (c->answered < ASKS) {
        TP_AWAIT(cx, tp_deadline(cx, tp_connect(cx, &c->address, plain), N_SECOND),
                 &result);
        c->tries++;
        if (result.value < 0) {
            TP_AWAIT(cx, tp_timer(cx, N_SECOND / 10), &result);
            continue;
        }
        c->fd = tp_into_fd(cx, result);
        while (c->answered < ASKS) {
            fill(c);
            TP_AWAIT(cx, tp_deadline(cx, tp_send(cx, c->fd, &c->buf), N_SECOND), &result);
            if (result.value != (int32_t)sizeof c->bytes)
                break;
            memset(c->bytes, 0, sizeof c->bytes);
            for (c->got = 0; c->got < sizeof c->bytes; c->got += (uint32_t)result.value) {
                c->buf =
                    tp_buf_empty(c->bytes + c->got, (uint32_t)sizeof c->bytes - c->got);
                TP_AWAIT(cx, tp_deadline(cx, tp_recv(cx, c->fd, &c->buf), N_SECOND),
                         &result);
                if (result.value <= 0)
                    break;
            }
            if (c->got < sizeof c->bytes)
                break;
            cr_assert(is_answer(c));
            c->answered++;
        }
        TP_AWAIT(cx, tp_close(cx, c->fd), &result);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the host's loop */

static struct server server;
static struct client client;
static struct tp_scheduler *schedulers[2];

static void start_server(void)
{
    static const struct server fresh;

    server = fresh;
    server.address = n.address[SERVER];
    schedulers[SERVER] = tp_scheduler_create(n.io[SERVER], 256);
    tp_spawn(schedulers[SERVER], &server.machine, server_tick, "server");
}

static void start(uint64_t seed)
{
    static const struct client fresh;

    n_boot(2, seed);
    client = fresh;
    client.address = n.address[SERVER];
    schedulers[CLIENT] = tp_scheduler_create(n.io[CLIENT], 256);
    start_server();
    tp_spawn(schedulers[CLIENT], &client.machine, client_tick, "client");
}

/* One round, as world.h has it. False: nothing can happen any more, or the world stands. */
static bool turn(void)
{
    uint64_t until_ns = tp_world_next_ns(n.world);
    bool busy = false;

    for (uint32_t i = 0; i < 2; i++) {
        int64_t timeout_ns;

        if (schedulers[i] == NULL)
            continue;
        if (tp_scheduler_tick(schedulers[i]) == TP_PROGRESS)
            busy = true;
        timeout_ns = tp_scheduler_timeout_ns(schedulers[i]);
        if (timeout_ns >= 0 && tp_world_now_ns(n.world) + (uint64_t)timeout_ns < until_ns)
            until_ns = tp_world_now_ns(n.world) + (uint64_t)timeout_ns;
    }
    if (tp_world_next_ns(n.world) < until_ns)
        until_ns = tp_world_next_ns(n.world);
    if (busy)
        until_ns = tp_world_now_ns(n.world) + 1000;
    if (until_ns == TP_NEVER || tp_world_is_stopped(n.world))
        return false;
    tp_world_run(n.world, until_ns);
    return true;
}

static void crash_server(bool power)
{
    tp_scheduler_crash(schedulers[SERVER]);
    schedulers[SERVER] = NULL;
    if (power)
        tp_virtual_io_power_cut(n.io[SERVER]);
    else
        tp_virtual_io_kill(n.io[SERVER]);
    tp_virtual_io_destroy(n.io[SERVER]);
}

static void stop_all(void)
{
    tp_machine_cancel(&server.machine);
    while (tp_machine_alive(&server.machine) && turn()) {
    }
    cr_assert(eq(int, tp_machine_alive(&server.machine), false));
    for (uint32_t i = 0; i < 2; i++) {
        tp_scheduler_destroy(schedulers[i]);
        schedulers[i] = NULL;
    }
}

/* ------------------------------------------------------------------ tests */

Test(net_world, two_hosts_talk)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        start(seed);
        while (tp_machine_alive(&client.machine))
            cr_assert(turn());
        cr_assert(eq(u32, client.tries, 1));
        cr_assert(eq(u32, client.answered, ASKS));
        while (turn()) {
        }
        cr_assert(eq(u32, tp_net_sockets(n.net), 1));
        stop_all();
        cr_assert(eq(u32, tp_net_sockets(n.net), 0));
    }
}

Test(net_world, they_talk_over_a_bad_network)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        start(seed);
        tp_net_set_faults(n.net, &(struct tp_net_faults){.loss_ppm = 50000,
                                                         .reset_ppm = 50000,
                                                         .clog_ppm = 20000,
                                                         .refuse_ppm = 50000,
                                                         .silence_ppm = 50000});
        while (tp_machine_alive(&client.machine))
            cr_assert(turn());
        cr_assert(eq(u32, client.answered, ASKS));
        stop_all();
        tp_net_check(n.net);
    }
}

/* The power of the server's host goes after `event` events, and it comes back; or the
 * process is killed, and started again. The client gets all its answers, and nothing of the
 * first life is left. */
static bool cut_at(uint64_t event, bool power)
{
    bool cut = false;

    start(event);
    tp_virtual_io_cut_at(n.io[SERVER], event);
    while (tp_machine_alive(&client.machine)) {
        if (turn())
            continue;
        cr_assert(tp_virtual_io_is_dead(n.io[SERVER]) && !cut);
        cr_assert(eq(int, tp_virtual_io_is_dead(n.io[CLIENT]), false));
        cut = true;
        crash_server(power);
        tp_net_check(n.net);
        n_reboot(SERVER);
        start_server();
    }
    cr_assert(eq(u32, client.answered, ASKS));
    if (!cut)
        tp_virtual_io_cut_at(n.io[SERVER], 0);
    stop_all();
    n_run(2000 * (uint64_t)N_SECOND);
    cr_assert(eq(u32, tp_net_sockets(n.net), 0), "event %llu", (unsigned long long)event);
    return cut;
}

Test(net_world, the_power_is_cut_after_every_event)
{
    uint64_t event = 1;

    while (cut_at(event, true))
        event++;
    cr_assert(event > 60, "%llu", (unsigned long long)event);
}

Test(net_world, the_server_is_killed_after_every_event)
{
    uint64_t event = 1;

    while (cut_at(event, false))
        event++;
    cr_assert(event > 60, "%llu", (unsigned long long)event);
}

/* The same seed, the same run: both traces, and the time. */
Test(net_world, a_run_is_a_function_of_its_seed)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t traces[2][2], ns[2];

        for (uint32_t i = 0; i < 2; i++) {
            start(seed);
            tp_net_set_faults(
                n.net, &(struct tp_net_faults){.loss_ppm = 100000, .reset_ppm = 50000});
            while (tp_machine_alive(&client.machine))
                cr_assert(turn());
            traces[i][0] = tp_virtual_io_trace_hash(n.io[CLIENT]);
            traces[i][1] = tp_virtual_io_trace_hash(n.io[SERVER]);
            ns[i] = tp_world_now_ns(n.world);
            stop_all();
        }
        cr_assert(eq(u64, traces[0][0], traces[1][0]));
        cr_assert(eq(u64, traces[0][1], traces[1][1]));
        cr_assert(eq(u64, ns[0], ns[1]));
    }
}

/* ------------------------------------------------------------------ one scheduler */

/* A server that nobody calls would wait for ever: in a world of its own that is said. */
Test(net_world, a_deadlock_ends_the_run)
{
    static const struct server fresh;

    n_boot_alone(1);
    server = fresh;
    server.address = tp_address_ipv4(127, 0, 0, 1, 80);
    schedulers[SERVER] = tp_scheduler_create(n.io[0], 256);
    tp_spawn(schedulers[SERVER], &server.machine, server_tick, "server");
    cr_assert(eq(int, tp_scheduler_run(schedulers[SERVER]), -EDEADLK));
    tp_virtual_io_signal(n.io[0], TP_SIGNAL_TERM); /* the world goes on if one likes */
    tp_machine_cancel(&server.machine);
    cr_assert(eq(int, tp_scheduler_run(schedulers[SERVER]), 0));
    tp_scheduler_destroy(schedulers[SERVER]);
    schedulers[SERVER] = NULL;
}

/* Client and server in one process, over its own loopback. */
Test(net_world, one_process_talks_to_itself)
{
    static const struct server fresh;
    static const struct client fresh_client;

    for (uint64_t seed = 0; seed < 50; seed++) {
        n_boot_alone(seed);
        server = fresh;
        client = fresh_client;
        server.address = client.address = tp_address_ipv4(127, 0, 0, 1, 80);
        schedulers[0] = tp_scheduler_create(n.io[0], 256);
        tp_spawn(schedulers[0], &server.machine, server_tick, "server");
        tp_spawn(schedulers[0], &client.machine, client_tick, "client");
        cr_assert(eq(int, tp_scheduler_run(schedulers[0]), -EDEADLK));
        cr_assert(eq(u32, client.answered, ASKS));
        tp_machine_cancel(&server.machine);
        cr_assert(eq(int, tp_scheduler_run(schedulers[0]), 0));
        tp_scheduler_destroy(schedulers[0]);
        schedulers[0] = NULL;
    }
}
