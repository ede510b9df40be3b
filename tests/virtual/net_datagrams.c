/** tests/virtual/net_datagrams.c - datagrams on their way between hosts, and what becomes
 * of them: lost, twice, late, dropped where there is no room; each the mildest at 0, and
 * the same again from a record.
 */
#include "datagram_fixture.h"

/* A change of what a run does changes these on purpose: then take the new values from the
 * report, after a look at why. They are the same for every compiler and level. */
#define GOLDEN_TRACE UINT64_C(0x036087adde7b21bf)
#define GOLDEN_NS    UINT64_C(5997788877)

TestSuite(net_datagrams, .fini = d_end);

/* A receive buffer for all of them. */
static void bind_wide(void)
{
    struct tp_socket_options wide = {.recv_buffer_bytes = 425984};

    d.a = d_bind(0, n.address[0], d_plain);
    d.b = d_bind(1, n.address[1], wide);
}

struct total {
    uint32_t count, twice, missing, overtaken;
};

/* Sends them all, a few at a time, and hears what has come. */
static struct total send_all(void)
{
    struct total total = {.count = 0};
    uint32_t times[D_COUNT] = {0};

    for (uint32_t number = 0; number < D_COUNT; number += 20) {
        struct d_heard part;

        for (uint32_t i = number; i < number + 20; i++)
            d_send_number(i);
        part = d_hear();
        total.count += part.count;
        total.overtaken += part.overtaken;
        for (uint32_t i = 0; i < D_COUNT; i++)
            times[i] += part.times[i];
    }
    for (uint32_t i = 0; i < D_COUNT; i++) {
        total.twice += times[i] == 2;
        total.missing += times[i] == 0;
    }
    return total;
}

/* The same in a new world. */
static struct total total_of_all(void)
{
    n_boot(2, 1);
    bind_wide();
    return send_all();
}

/* ------------------------------------------------------------------ fates */

Test(net_datagrams, without_faults_each_arrives_once_and_in_order)
{
    struct total total = total_of_all();

    cr_assert(eq(u32, total.count, D_COUNT));
    cr_assert(total.missing == 0 && total.twice == 0 && total.overtaken == 0);
    cr_assert(eq(u64, d_stats()->datagrams, D_COUNT));
}

Test(net_datagrams, some_are_lost)
{
    struct total total;

    n.net_config.faults.loss_ppm = 300000;
    total = total_of_all();
    cr_assert(total.missing > D_COUNT / 5 && total.missing < D_COUNT / 2);
    cr_assert(total.twice == 0 && total.overtaken == 0);
    cr_assert(eq(u64, d_stats()->datagrams_lost, total.missing));
}

Test(net_datagrams, some_come_twice)
{
    struct total total;

    n.net_config.faults.duplicate_ppm = 300000;
    total = total_of_all();
    cr_assert(total.twice > D_COUNT / 5 && total.twice < D_COUNT / 2 && total.missing == 0);
    cr_assert(eq(u32, total.count, D_COUNT + total.twice));
    cr_assert(eq(u64, d_stats()->datagrams_twice, total.twice));
}

Test(net_datagrams, some_are_overtaken)
{
    struct total total;

    n.net_config.faults.reorder_ppm = 300000;
    total = total_of_all();
    cr_assert(total.overtaken > D_COUNT / 20 && total.missing == 0 && total.twice == 0);
    cr_assert(d_stats()->datagrams_late >= total.overtaken);
}

/* The rates of a link add to those of the network, and are of one direction. */
Test(net_datagrams, a_link_has_rates_of_its_own)
{
    struct tp_net_link link = {.latency = {.base_ns = 100000}, .loss_ppm = 1000000};

    d_boot(1);
    tp_net_set_link(n.net, 2, 1, &link);
    d_send_number(1);
    cr_assert(eq(u32, d_hear().count, 1));
    link.loss_ppm = 0;
    link.duplicate_ppm = 1000000;
    tp_net_set_link(n.net, 1, 2, &link);
    d_send_number(2);
    cr_assert(eq(u32, d_hear().times[2], 2));
    link.loss_ppm = 1000000;
    tp_net_set_link(n.net, 1, 2, &link);
    d_send_number(3);
    cr_assert(eq(u32, d_hear().count, 0));
}

static struct tp_net_faults everything(void)
{
    struct tp_net_faults faults = {.loss_ppm = 200000,
                                   .clog_ppm = 50000,
                                   .duplicate_ppm = 200000,
                                   .reorder_ppm = 200000,
                                   .clog_max_ns = N_SECOND};

    return faults;
}

/* A world with a tape of another's. */
static void boot_with(struct tp_tape *tape)
{
    n.handle = 0; /* it is in the trace */
    n_boot_from(2, tape);
    bind_wide();
}

/* Whatever the rates: at 0 each arrives, once, and in its place. */
Test(net_datagrams, a_tape_of_zeros_is_a_world_in_which_all_arrive)
{
    struct tp_tape *zeros;
    struct total total;

    cr_assert(eq(int, tp_tape_empty(NULL, &zeros), 0));
    n.net_config.faults = everything();
    boot_with(zeros);
    total = send_all();
    cr_assert(eq(u32, total.count, D_COUNT));
    cr_assert(total.missing == 0 && total.twice == 0 && total.overtaken == 0);
    cr_assert(eq(u64, d_stats()->fault_clogs, 0));
}

/* The next datagram of node 0 has this latency, fate and lateness. */
static void put_choices(struct tp_tape *tape, uint64_t fate, uint64_t late)
{
    uint32_t stream = tp_stream(0, TP_CONCERN_NETWORK);
    uint64_t at = tp_tape_asked(tape, stream);
    struct tp_draw_entry entries[] = {
        {.bound = UINT64_C(1) << 32, .kind = TP_DRAW_DATAGRAM_LATENCY},
        {.bound = 1000000, .value = fate, .kind = TP_DRAW_DATAGRAM},
        {.bound = 10000000, .value = late, .kind = TP_DRAW_DATAGRAM_LATE},
    };

    for (uint32_t i = 0; i < 3; i++)
        cr_assert(eq(int, tp_tape_put(tape, stream, at + i, entries[i]), 0));
}

/* On an otherwise empty tape: what is late by 0 is not late, and what is, is overtaken. */
Test(net_datagrams, each_choice_is_on_the_tape)
{
    struct tp_tape *tape;

    cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
    n.net_config.faults.reorder_ppm = 500000;
    boot_with(tape);
    put_choices(tape, 999999, 0);
    d_send_number(0);
    d_send_number(1);
    cr_assert(eq(u32, d_hear().overtaken, 0));
    cr_assert(eq(u64, d_stats()->datagrams_late, 1));
    put_choices(tape, 999999, 9999999);
    d_send_number(0);
    d_send_number(1);
    cr_assert(eq(u32, d_hear().overtaken, 1));
    put_choices(tape, 499999, 0); /* below the slice of the fault */
    d_send_number(0);
    cr_assert(eq(u32, d_hear().count, 1));
    cr_assert(eq(u64, d_stats()->datagrams_late, 2));
    cr_assert(eq(u64, tp_tape_stats(tape)->mismatched, 0));
}

Test(net_datagrams, a_record_replays)
{
    struct tp_tape *tape, *replay;
    uint64_t trace, ns;
    struct tp_net_stats first;

    n.net_config.faults = everything();
    cr_assert(eq(int, tp_tape_from_seed(7, true, NULL, &tape), 0));
    boot_with(tape);
    (void)send_all();
    trace = tp_virtual_io_trace_hash(n.io[0]) ^ tp_virtual_io_trace_hash(n.io[1]);
    ns = tp_world_now_ns(n.world);
    first = *d_stats();
    cr_assert(trace == GOLDEN_TRACE && ns == GOLDEN_NS, "trace 0x%llx ns %llu",
              (unsigned long long)trace, (unsigned long long)ns);
    cr_assert(first.datagrams_lost > 0 && first.datagrams_twice > 0);
    cr_assert(first.datagrams_late > 0 && first.fault_clogs > 0);
    cr_assert(eq(int, tp_tape_replay(tape, &replay), 0));
    boot_with(replay);
    (void)send_all();
    cr_assert(eq(u64, trace,
                 tp_virtual_io_trace_hash(n.io[0]) ^ tp_virtual_io_trace_hash(n.io[1])));
    cr_assert(eq(u64, ns, tp_world_now_ns(n.world)));
    cr_assert(memcmp(&first, d_stats(), sizeof first) == 0);
    cr_assert(eq(u64, tp_tape_stats(replay)->past_end, 0));
    cr_assert(eq(u64, tp_tape_stats(replay)->mismatched, 0));
}

/* What is in a datagram, and who sent it, is in the trace. */
Test(net_datagrams, the_trace_knows_what_was_received)
{
    uint64_t traces[3];

    for (uint32_t i = 0; i < 3; i++) {
        n.config.instant = true;
        d_boot(1);
        cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, i == 2, 8), 8));
        cr_assert(eq(i32, d_recv(1, d.b.fd), 8));
        traces[i] = tp_virtual_io_trace_hash(n.io[1]);
    }
    cr_assert(eq(u64, traces[0], traces[1]));
    cr_assert(ne(u64, traces[0], traces[2]));
}

/* ------------------------------------------------------------------ links and hosts */

Test(net_datagrams, what_meets_a_broken_link_is_lost)
{
    d_boot(1);
    tp_net_break(n.net, 1, 2, true);
    d_send_number(0);
    cr_assert(eq(u32, d_hear().count, 0));
    tp_net_break(n.net, 1, 2, false);
    tp_net_break(n.net, 2, 1, true); /* the other way only */
    d_send_number(1);
    cr_assert(eq(u32, d_hear().times[1], 1));
    cr_assert(eq(u64, d_stats()->datagrams_lost, 1));
    tp_net_part(n.net, 1, 2, false);
    tp_net_isolate(n.net, 2, true);
    d_send_number(2);
    cr_assert(eq(u32, d_hear().count, 0));
}

Test(net_datagrams, a_clog_holds_them_back)
{
    uint64_t start_ns;

    d_boot(1);
    start_ns = tp_world_now_ns(n.world);
    tp_net_clog(n.net, 1, 2, start_ns + 5 * (uint64_t)N_SECOND);
    d_send_number(0);
    cr_assert(eq(u32, d_hear().count, 1));
    cr_assert(tp_world_now_ns(n.world) >= start_ns + 5 * (uint64_t)N_SECOND);
}

/* A narrow link has a queue: what finds it full is dropped, what is in it takes its turn.
 */
Test(net_datagrams, a_full_queue_drops)
{
    struct tp_net_link narrow = {
        .latency = {.base_ns = 1000000}, .bytes_per_s = 1000000, .queue_bytes = 10000};
    uint64_t start_ns;
    uint32_t crowded;

    n.config.instant = true;
    d_boot(1);
    tp_net_set_link(n.net, 1, 2, &narrow);
    start_ns = tp_world_now_ns(n.world);
    for (uint32_t i = 0; i < 30; i++)
        cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, 0, 1000), 1000));
    crowded = (uint32_t)d_stats()->datagrams_crowded;
    cr_assert(eq(u32, crowded, 20));
    n_run(N_SECOND);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert(eq(i32, d_recv(1, d.b.fd), 1000));
    cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, 0, D_LEN_MAX), D_LEN_MAX));
    cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, 0, 4), 4));
    cr_assert(eq(u64, d_stats()->datagrams_crowded, crowded)); /* there is room again */
    narrow.queue_bytes = 0;                                    /* without a bound */
    tp_net_set_link(n.net, 1, 2, &narrow);
    for (uint32_t i = 0; i < 30; i++)
        cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, 0, 1000), 1000));
    cr_assert(eq(u64, d_stats()->datagrams_crowded, crowded));
    cr_assert(tp_world_now_ns(n.world) >= start_ns + N_SECOND);
}

/* A queue takes one datagram, however long. */
Test(net_datagrams, a_small_queue_takes_a_long_one)
{
    struct tp_net_link narrow = {
        .latency = {.base_ns = 1000000}, .bytes_per_s = 1000000, .queue_bytes = 100};

    n.config.instant = true;
    d_boot(1);
    tp_net_set_link(n.net, 1, 2, &narrow);
    cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, 0, D_LEN_MAX), D_LEN_MAX));
    cr_assert(eq(u64, d_stats()->datagrams_crowded, 0));
    cr_assert(eq(i32, d_send(0, d.a.fd, &d.b.address, 0, 1), 1));
    cr_assert(eq(u64, d_stats()->datagrams_crowded, 1));
}

/* A stream that fills the queue waits, and loses nothing; a datagram has no room then. */
Test(net_datagrams, a_stream_in_the_queue_waits_and_loses_nothing)
{
    struct tp_net_link narrow = {
        .latency = {.base_ns = 1000000}, .bytes_per_s = 1000000, .queue_bytes = 20000};
    struct tp_fd listener;
    struct n_pair pair;
    uint64_t start_ns;

    n.config.instant = true;
    d_boot(1);
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
    tp_net_set_link(n.net, 1, 2, &narrow);
    start_ns = tp_world_now_ns(n.world);
    n_send(0, pair.client, 0, 50000);
    d_send_number(1);
    cr_assert(eq(u64, d_stats()->datagrams_crowded, 1));
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 50000), 50000));
    cr_assert(tp_world_now_ns(n.world) >= start_ns + N_SECOND / 20);
    cr_assert(eq(u64, d_stats()->repeated, 0));
    d_send_number(2);
    cr_assert(eq(u32, d_hear().times[2], 1));
}

/* What makes no sense is refused. */
Test(net_datagrams, rates_must_be_possible)
{
    struct tp_net_config config = {.link.duplicate_ppm = 1000001};
    struct tp_net *net;

    n_boot(1, 1);
    cr_assert(eq(int, tp_net_create(&config, n.world, &net), -EINVAL));
    config.link.duplicate_ppm = 0;
    config.loopback.reorder_ppm = 1000001;
    cr_assert(eq(int, tp_net_create(&config, n.world, &net), -EINVAL));
    config.loopback.reorder_ppm = 0;
    config.faults.duplicate_ppm = 1000001;
    cr_assert(eq(int, tp_net_create(&config, n.world, &net), -EINVAL));
    config.faults.duplicate_ppm = 0;
    config.faults.reorder_ppm = 1000001;
    cr_assert(eq(int, tp_net_create(&config, n.world, &net), -EINVAL));
}
