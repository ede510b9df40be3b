/** tests/virtual/net_faults.c - links and what goes wrong on them: latency, bandwidth,
 * packets that are split, lost, held back, and connections that are reset, refused, not
 * answered. */
#include "net_fixture.h"

static const struct tp_socket_options plain;
static struct tp_fd listener;
static struct n_pair pair;

static void tear_down(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

TestSuite(net_faults, .fini = tear_down);

static void connected(uint64_t seed)
{
    n_boot(2, seed);
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
}

static void set_faults(struct tp_net_faults faults)
{
    tp_net_set_faults(n.net, &faults);
}

static uint64_t now_ns(void)
{
    return tp_world_now_ns(n.world);
}

/* How long it takes to send so many bytes and to receive them. */
static uint64_t transfer_ns(uint32_t len)
{
    uint64_t start_ns = now_ns();

    for (uint32_t at = 0; at < len; at += 16384) {
        n_send(0, pair.client, at, 16384);
        cr_assert(eq(i32, n_recv(1, pair.server, at, 16384), 16384));
    }
    return now_ns() - start_ns;
}

/* ------------------------------------------------------------------ links */

Test(net_faults, a_link_takes_its_time)
{
    struct tp_net_link slow = {.latency = {.base_ns = 50000000}};

    n.config.instant = true;
    connected(1);
    cr_assert(transfer_ns(16384) < 10000000);
    tp_net_set_link(n.net, 1, 2, &slow);
    cr_assert(transfer_ns(16384) >= 50000000);
}

Test(net_faults, a_narrow_link_takes_longer_for_more)
{
    struct tp_net_link narrow = {.bytes_per_s = 1 << 20};

    connected(1);
    tp_net_set_link(n.net, 1, 2, &narrow);
    cr_assert(transfer_ns(16384) >= N_SECOND / 64);
    cr_assert(transfer_ns(1 << 20) >= N_SECOND);
    cr_assert(transfer_ns(1 << 20) < 2 * (uint64_t)N_SECOND);
}

/* What one send took arrives in one piece, in two, or together with the next. */
Test(net_faults, pieces_are_split_and_merged)
{
    uint32_t whole = 0, part = 0, merged = 0;

    for (uint64_t seed = 0; seed < 300; seed++) {
        int32_t got;

        connected(seed);
        n_send(0, pair.client, 0, 1000);
        n_send(0, pair.client, 1000, 1000);
        n_run(seed * 10000);
        got = n_recv_once(1, pair.server, 0, 4000);
        whole += got == 1000;
        merged += got == 2000;
        part += got != 1000 && got != 2000;
        cr_assert(eq(i32, n_recv(1, pair.server, (uint32_t)got, 2000 - (uint32_t)got),
                     2000 - got));
    }
    cr_assert(whole > 0 && part > 0 && merged > 0, "%u %u %u", whole, part, merged);
}

Test(net_faults, byte_by_byte)
{
    struct tp_net_link link = {.latency = {.base_ns = 1000, .spread_ns = 1000},
                               .segment_max = 1};

    n.net_config.link = link;
    connected(1);
    n_send(0, pair.client, 0, 300);
    cr_assert(n_recv_once(1, pair.server, 0, 300) < 100);
    cr_assert(eq(i32, n_do(0, tp_request_close(pair.client)), 0));
    n_run(N_SECOND);
}

/* ------------------------------------------------------------------ faults */

/* A stream never loses bytes: what is lost on the way comes late. */
Test(net_faults, loss_is_delay)
{
    connected(1);
    set_faults((struct tp_net_faults){.loss_ppm = 200000});
    cr_assert(transfer_ns(1 << 20) >= 200000000);
    cr_assert(tp_net_stats(n.net)->fault_losses > 0);
    cr_assert(eq(u64, tp_net_stats(n.net)->lost, 0));
}

/* A link of its own rate loses what goes this way, and nothing that goes the other. */
Test(net_faults, one_direction_may_lose_more)
{
    struct tp_net_link lossy = {.latency = {.base_ns = 1000}, .loss_ppm = 1000000};
    uint64_t start_ns;

    connected(1);
    cr_assert(transfer_ns(16384) < N_SECOND / 10);
    tp_net_set_link(n.net, 1, 2, &lossy);
    start_ns = now_ns();
    n_send(1, pair.server, 0, 100);
    cr_assert(eq(i32, n_recv(0, pair.client, 0, 100), 100));
    cr_assert(now_ns() - start_ns < N_SECOND / 10);
    start_ns = now_ns();
    n_send(0, pair.client, 0, 100);
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 100), 100));
    cr_assert(now_ns() - start_ns >= N_SECOND / 5);
    cr_assert(tp_net_stats(n.net)->fault_losses > 0);
}

Test(net_faults, a_clog_holds_back_everything_on_the_link)
{
    uint64_t start_ns;

    connected(1);
    set_faults((struct tp_net_faults){.clog_ppm = 100000, .clog_max_ns = N_SECOND});
    cr_assert(transfer_ns(1 << 20) > N_SECOND);
    cr_assert(tp_net_stats(n.net)->fault_clogs > 0);
    set_faults((struct tp_net_faults){0});
    n_run(2 * (uint64_t)N_SECOND);
    start_ns = now_ns();
    tp_net_clog(n.net, 1, 2, start_ns + 5 * (uint64_t)N_SECOND);
    n_send(0, pair.client, 0, 10);
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 10), 10));
    cr_assert(now_ns() >= start_ns + 5 * (uint64_t)N_SECOND);
}

/* At any byte: the receiver reads what came before it, then the error; so does the sender.
 */
Test(net_faults, a_reset_in_the_middle)
{
    uint32_t all = 0, none = 0, some = 0;

    for (uint64_t seed = 0; seed < 300; seed++) {
        static uint8_t memory[1000];
        struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
        uint32_t got = 0;
        int32_t part;

        connected(seed);
        set_faults((struct tp_net_faults){.reset_ppm = 1000000});
        n_send(0, pair.client, 0, 1000);
        while ((part = n_recv_once(1, pair.server, got, 1000)) > 0)
            got += (uint32_t)part;
        cr_assert(eq(i32, part, -ECONNRESET));
        all += got == 1000;
        none += got == 0;
        some += got > 0 && got < 1000;
        cr_assert(eq(i32, n_do(0, tp_request_recv(pair.client, &buf)), -ECONNRESET));
        cr_assert(eq(i32, n_send_once(0, pair.client, 0, 1), -EPIPE));
    }
    cr_assert(all + none > 0 && some > 100, "%u %u %u", all, none, some);
}

Test(net_faults, connections_are_refused_and_not_answered_at_their_rates)
{
    uint32_t refused = 0, silent = 0, made = 0;

    n_boot(2, 1);
    listener = n_listen(1, 0);
    set_faults((struct tp_net_faults){.refuse_ppm = 300000, .silence_ppm = 300000});
    for (uint32_t i = 0; i < 200; i++) {
        int32_t value = n_do(0, tp_request_connect(&n.address[1], plain));

        refused += value == -ECONNREFUSED;
        silent += value == -ETIMEDOUT;
        made += value >= 0;
    }
    cr_assert(refused > 35 && silent > 35 && made > 35);
    cr_assert(eq(u32, refused + silent + made, 200));
    cr_assert(eq(u64, tp_net_stats(n.net)->fault_refusals, refused));
    cr_assert(eq(u64, tp_net_stats(n.net)->fault_silences, silent));
}

/* ------------------------------------------------------------------ of operations */

Test(net_faults, transfers_fall_short_and_lose_nothing)
{
    uint32_t sent_short = 0, got_short = 0;
    uint64_t at = 0;

    n.config.faults.short_ppm = 500000;
    connected(1);
    for (uint32_t i = 0; i < 200; i++) {
        int32_t sent = n_send_once(0, pair.client, at, 500);
        int32_t got;

        cr_assert(sent > 0);
        sent_short += sent < 500;
        n_run(N_SECOND);
        got = n_recv_once(1, pair.server, at, 500);
        got_short += got < sent;
        if (got < sent)
            cr_assert(eq(i32,
                         n_recv(1, pair.server, at + (uint32_t)got, (uint32_t)(sent - got)),
                         sent - got));
        at += (uint32_t)sent;
    }
    cr_assert(sent_short > 50 && sent_short < 150);
    cr_assert(got_short > 50 && got_short < 150);
}

/* Whatever fails, the connection is as it was, and nothing is left of what failed. */
Test(net_faults, the_nth_operation_fails_and_leaves_nothing)
{
    uint64_t operations = UINT64_MAX;

    for (uint64_t nth = 1; nth <= operations; nth++) {
        struct tp_virtual_faults faults = {.fail_nth = nth, .fail_errno = ENOBUFS};
        uint64_t accept;
        int32_t listening, value;

        n_boot_alone(1);
        tp_virtual_io_set_faults(n.io[0], &faults);
        {
            struct tp_address at = tp_address_ipv4(127, 0, 0, 1, 80);

            listening = n_do(0, tp_request_listen(&at, plain));
            if (listening < 0)
                listening = n_do(0, tp_request_listen(&at, plain));
            listener = tp_io_into_fd(n.io[0], listening);
            accept = n_begin(0, tp_request_accept(listener));
            value = n_do(0, tp_request_connect(&at, plain));
            if (value < 0) {
                cr_assert(eq(i32, value, -ENOBUFS));
                value = n_do(0, tp_request_connect(&at, plain));
            }
        }
        pair.client = tp_io_into_fd(n.io[0], value);
        value = n_wait(0, accept);
        if (value < 0) {
            cr_assert(eq(i32, value, -ENOBUFS));
            value = n_do(0, tp_request_accept(listener));
        }
        pair.server = tp_io_into_fd(n.io[0], value);
        value = n_send_once(0, pair.client, 0, 100);
        cr_assert(value == 100 || value == -ENOBUFS);
        if (value < 0)
            n_send(0, pair.client, 0, 100);
        value = n_recv_once(0, pair.server, 0, 1);
        cr_assert(value == 1 || value == -ENOBUFS);
        cr_assert(eq(i32, n_recv(0, pair.server, value == 1, 100 - (value == 1)),
                     100 - (value == 1)));
        operations = tp_virtual_io_operations(n.io[0]) - (nth != UINT64_MAX ? 1 : 0);
        cr_assert(operations < 20);
        cr_assert(eq(u32, tp_net_sockets(tp_virtual_io_net(n.io[0])), 3));
    }
}

/* ------------------------------------------------------------------ choices */

/* Zeros are the mildest world: nothing is split, lost or reset, whatever the rates. */
Test(net_faults, a_tape_of_zeros_is_a_world_in_which_nothing_goes_wrong)
{
    struct tp_tape *zeros;

    cr_assert(eq(int, tp_tape_from_bytes(NULL, 0, NULL, &zeros), 0));
    n.net_config.faults = (struct tp_net_faults){.loss_ppm = 300000,
                                                 .clog_ppm = 300000,
                                                 .reset_ppm = 300000,
                                                 .refuse_ppm = 500000,
                                                 .silence_ppm = 400000,
                                                 .resolve_ppm = 500000};
    n_boot_from(2, zeros);
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
    (void)transfer_ns(1 << 20);
    cr_assert(eq(u64, tp_net_stats(n.net)->splits, 0));
    cr_assert(eq(u64, tp_net_stats(n.net)->resets, 0));
    cr_assert(eq(u64, tp_net_stats(n.net)->fault_losses, 0));
    cr_assert(eq(u64, tp_net_stats(n.net)->fault_clogs, 0));
}

Test(net_faults, what_makes_no_sense_is_refused)
{
    struct tp_net_config config = {.size = sizeof config + 8};
    struct tp_world *world;
    struct tp_net *net;

    cr_assert(eq(int, tp_world_create(NULL, &world), 0));
    cr_assert(eq(int, tp_net_create(&config, world, &net), -EINVAL));
    config.size = 0;
    config.faults.loss_ppm = 1000001;
    cr_assert(eq(int, tp_net_create(&config, world, &net), -EINVAL));
    config.faults.loss_ppm = 0;
    config.link.split_ppm = 1000001;
    cr_assert(eq(int, tp_net_create(&config, world, &net), -EINVAL));
    config.link.split_ppm = 0;
    config.loopback.loss_ppm = 1000001;
    cr_assert(eq(int, tp_net_create(&config, world, &net), -EINVAL));
    config.loopback.loss_ppm = 0;
    config.ports = 28233;
    cr_assert(eq(int, tp_net_create(&config, world, &net), -EINVAL));
    config.ports = 0;
    config.send_buffer_bytes = 1;
    cr_assert(eq(int, tp_net_create(&config, world, &net), -EINVAL));
    cr_assert(eq(int, tp_net_create(NULL, world, &net), 0));
    tp_net_destroy(net);
    tp_net_destroy(NULL);
    tp_world_destroy(world);
    tp_world_destroy(NULL);
}
