/** tests/virtual/net_datagrams.c - datagrams between hosts, and what becomes of them: lost,
 * twice, late, dropped where there is no room; each the mildest at 0, and the same again
 * from a record.
 */
#include "net_fixture.h"

enum { COUNT = 200, LEN_MAX = 9000 };

/* A change of what a run does changes these on purpose: then take the new values from the
 * report, after a look at why. They are the same for every compiler and level. */
#define GOLDEN_TRACE UINT64_C(0x036087adde7b21bf)
#define GOLDEN_NS    UINT64_C(5997788877)

static const struct tp_socket_options plain;

struct end {
    struct tp_fd fd;
    struct tp_address address;
};

static struct end a, b; /* on nodes 0 and 1 */
static uint8_t memory[LEN_MAX];

static void tear_down(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

TestSuite(net_datagrams, .fini = tear_down);

static struct end bind_with(uint32_t node, struct tp_address address,
                            struct tp_socket_options options)
{
    struct end end = {.address = address};
    int32_t value = n_do(node, tp_request_bind(&address, options));

    cr_assert(value >= 0, "bind: %s", tp_errno_name(value));
    end.fd = tp_io_into_fd(n.io[node], value);
    cr_assert(eq(i32, n_do(node, tp_request_local_address(end.fd, &end.address)), 0));
    return end;
}

static void bind_both(void)
{
    a = bind_with(0, n.address[0], plain);
    b = bind_with(1, n.address[1], plain);
}

static void bound(uint64_t seed)
{
    n.handle = 0; /* it is in the trace */
    n_boot(2, seed);
    bind_both();
}

static int32_t send_len(uint32_t node, struct tp_fd fd, const struct tp_address *to,
                        uint32_t number, uint32_t len)
{
    struct tp_buf buf = tp_buf_full(memory, len);

    cr_assert(len <= LEN_MAX);
    for (uint32_t i = 0; i < len; i++)
        memory[i] = n_byte(number + i);
    if (len >= 4)
        memcpy(memory, &number, 4);
    return n_do(node, tp_request_send_to(fd, &buf, to));
}

/* The length says which it is, too. */
static uint32_t len_of(uint32_t number)
{
    return 4 + number * 37 % (LEN_MAX - 4);
}

static void send_number(uint32_t number)
{
    cr_assert(eq(i32, send_len(0, a.fd, &b.address, number, len_of(number)),
                 (int32_t)len_of(number)));
}

/* What was received: how often each number came, and whether one came before its turn. */
struct heard {
    uint32_t times[COUNT];
    uint32_t count, twice, missing, overtaken;
};

/* Receives all that is there, and that each is whole and from `a`. */
static struct heard hear(void)
{
    struct heard heard = {.count = 0};
    uint32_t last = 0;

    for (;;) {
        struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
        struct tp_datagram datagram;
        uint64_t handle = n_begin(1, tp_request_recv_from(b.fd, &buf, &datagram));
        int32_t value = n_wait(1, handle);
        uint32_t number;

        if (value == N_PENDING) {
            cr_assert(eq(i32, n_do(1, tp_request_cancel(handle)), 0));
            cr_assert(eq(i32, n_wait(1, handle), -ECANCELED));
            break;
        }
        memcpy(&number, memory, 4);
        cr_assert(number < COUNT && value == (int32_t)len_of(number));
        for (uint32_t i = 4; i < len_of(number); i++)
            cr_assert(memory[i] == n_byte(number + i));
        cr_assert(tp_address_equal(&datagram.from, &a.address) && datagram.flags == 0);
        heard.times[number]++;
        heard.overtaken += number < last;
        last = number > last ? number : last;
        heard.count++;
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        heard.twice += heard.times[i] == 2;
        heard.missing += heard.times[i] == 0;
        cr_assert(heard.times[i] <= 2);
    }
    return heard;
}

/* A receive buffer for all of them. */
static void bind_wide(void)
{
    struct tp_socket_options wide = {.recv_buffer_bytes = 425984};

    a = bind_with(0, n.address[0], plain);
    b = bind_with(1, n.address[1], wide);
}

/* Sends them all, a few at a time, and hears what has come. */
static struct heard send_all(void)
{
    struct heard all = {.count = 0};

    for (uint32_t number = 0; number < COUNT; number += 20) {
        struct heard part;

        for (uint32_t i = number; i < number + 20; i++)
            send_number(i);
        part = hear();
        all.count += part.count;
        all.overtaken += part.overtaken;
        for (uint32_t i = 0; i < COUNT; i++)
            all.times[i] += part.times[i];
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        all.twice += all.times[i] == 2;
        all.missing += all.times[i] == 0;
    }
    return all;
}

static const struct tp_net_stats *stats(void)
{
    return tp_net_stats(n.net);
}

/* ------------------------------------------------------------------ fates */

Test(net_datagrams, without_faults_each_arrives_once_and_in_order)
{
    struct heard heard;

    n_boot(2, 1);
    bind_wide();
    heard = send_all();
    cr_assert(eq(u32, heard.count, COUNT));
    cr_assert(heard.missing == 0 && heard.twice == 0 && heard.overtaken == 0);
    cr_assert(eq(u64, stats()->datagrams, COUNT));
}

Test(net_datagrams, some_are_lost)
{
    struct heard heard;

    n.net_config.faults.loss_ppm = 300000;
    n_boot(2, 1);
    bind_wide();
    heard = send_all();
    cr_assert(heard.missing > COUNT / 5 && heard.missing < COUNT / 2);
    cr_assert(heard.twice == 0 && heard.overtaken == 0);
    cr_assert(eq(u64, stats()->datagrams_lost, heard.missing));
}

Test(net_datagrams, some_come_twice)
{
    struct heard heard;

    n.net_config.faults.duplicate_ppm = 300000;
    n_boot(2, 1);
    bind_wide();
    heard = send_all();
    cr_assert(heard.twice > COUNT / 5 && heard.twice < COUNT / 2 && heard.missing == 0);
    cr_assert(eq(u32, heard.count, COUNT + heard.twice));
    cr_assert(eq(u64, stats()->datagrams_twice, heard.twice));
}

Test(net_datagrams, some_are_overtaken)
{
    struct heard heard;

    n.net_config.faults.reorder_ppm = 300000;
    n_boot(2, 1);
    bind_wide();
    heard = send_all();
    cr_assert(heard.overtaken > COUNT / 20 && heard.missing == 0 && heard.twice == 0);
    cr_assert(stats()->datagrams_late >= heard.overtaken);
}

/* The rates of a link add to those of the network, and are of one direction. */
Test(net_datagrams, a_link_has_rates_of_its_own)
{
    struct tp_net_link link = {.latency = {.base_ns = 100000}, .loss_ppm = 1000000};

    bound(1);
    tp_net_set_link(n.net, 2, 1, &link);
    send_number(1);
    cr_assert(eq(u32, hear().count, 1));
    link.loss_ppm = 0;
    link.duplicate_ppm = 1000000;
    tp_net_set_link(n.net, 1, 2, &link);
    send_number(2);
    cr_assert(eq(u32, hear().times[2], 2));
    link.loss_ppm = 1000000;
    tp_net_set_link(n.net, 1, 2, &link);
    send_number(3);
    cr_assert(eq(u32, hear().count, 0));
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
    struct tp_net_config config = n.net_config;

    n_end();
    n.handle = 0; /* it is in the trace */
    n.tape = tape;
    n.net_config = config;
    n.net_config.tape = tape;
    cr_assert(eq(int, tp_world_create(NULL, &n.world), 0));
    cr_assert(eq(int, tp_net_create(&n.net_config, n.world, &n.net), 0));
    for (uint32_t node = 0; node < 2; node++) {
        n.address[node] = tp_address_ipv4(10, 0, 0, (uint8_t)(node + 1), 80);
        cr_assert(eq(int, tp_disk_create(NULL, &n.disk[node]), 0));
        n_reboot(node);
    }
    bind_wide();
}

/* Whatever the rates: at 0 each arrives, once, and in its place. */
Test(net_datagrams, a_tape_of_zeros_is_a_world_in_which_all_arrive)
{
    struct tp_tape *zeros;
    struct heard heard;

    cr_assert(eq(int, tp_tape_empty(NULL, &zeros), 0));
    n.net_config.faults = everything();
    boot_with(zeros);
    heard = send_all();
    cr_assert(eq(u32, heard.count, COUNT));
    cr_assert(heard.missing == 0 && heard.twice == 0 && heard.overtaken == 0);
    cr_assert(eq(u64, stats()->fault_clogs, 0));
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
    send_number(0);
    send_number(1);
    cr_assert(eq(u32, hear().overtaken, 0));
    cr_assert(eq(u64, stats()->datagrams_late, 1));
    put_choices(tape, 999999, 9999999);
    send_number(0);
    send_number(1);
    cr_assert(eq(u32, hear().overtaken, 1));
    put_choices(tape, 499999, 0); /* below the slice of the fault */
    send_number(0);
    cr_assert(eq(u32, hear().count, 1));
    cr_assert(eq(u64, stats()->datagrams_late, 2));
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
    first = *stats();
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
    cr_assert(memcmp(&first, stats(), sizeof first) == 0);
    cr_assert(eq(u64, tp_tape_stats(replay)->past_end, 0));
    cr_assert(eq(u64, tp_tape_stats(replay)->mismatched, 0));
}

/* What is in a datagram, and who sent it, is in the trace. */
Test(net_datagrams, the_trace_knows_what_was_received)
{
    uint64_t traces[3];

    for (uint32_t i = 0; i < 3; i++) {
        struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
        struct tp_datagram datagram;

        n.config.instant = true;
        bound(1);
        cr_assert(eq(i32, send_len(0, a.fd, &b.address, i == 2, 8), 8));
        cr_assert(eq(i32, n_do(1, tp_request_recv_from(b.fd, &buf, &datagram)), 8));
        traces[i] = tp_virtual_io_trace_hash(n.io[1]);
    }
    cr_assert(eq(u64, traces[0], traces[1]));
    cr_assert(ne(u64, traces[0], traces[2]));
}

/* ------------------------------------------------------------------ links and hosts */

Test(net_datagrams, what_meets_a_broken_link_is_lost)
{
    bound(1);
    tp_net_break(n.net, 1, 2, true);
    send_number(0);
    cr_assert(eq(u32, hear().count, 0));
    tp_net_break(n.net, 1, 2, false);
    tp_net_break(n.net, 2, 1, true); /* the other way only */
    send_number(1);
    cr_assert(eq(u32, hear().times[1], 1));
    cr_assert(eq(u64, stats()->datagrams_lost, 1));
    tp_net_part(n.net, 1, 2, false);
    tp_net_isolate(n.net, 2, true);
    send_number(2);
    cr_assert(eq(u32, hear().count, 0));
}

Test(net_datagrams, a_clog_holds_them_back)
{
    uint64_t start_ns;

    bound(1);
    start_ns = tp_world_now_ns(n.world);
    tp_net_clog(n.net, 1, 2, start_ns + 5 * (uint64_t)N_SECOND);
    send_number(0);
    cr_assert(eq(u32, hear().count, 1));
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
    bound(1);
    tp_net_set_link(n.net, 1, 2, &narrow);
    start_ns = tp_world_now_ns(n.world);
    for (uint32_t i = 0; i < 30; i++)
        cr_assert(eq(i32, send_len(0, a.fd, &b.address, 0, 1000), 1000));
    crowded = (uint32_t)stats()->datagrams_crowded;
    cr_assert(eq(u32, crowded, 20));
    n_run(N_SECOND);
    for (uint32_t i = 0; i < 10; i++) {
        struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
        struct tp_datagram datagram;

        cr_assert(eq(i32, n_do(1, tp_request_recv_from(b.fd, &buf, &datagram)), 1000));
    }
    cr_assert(eq(i32, send_len(0, a.fd, &b.address, 0, LEN_MAX), LEN_MAX));
    cr_assert(eq(i32, send_len(0, a.fd, &b.address, 0, 4), 4));
    cr_assert(eq(u64, stats()->datagrams_crowded, crowded)); /* there is room again */
    narrow.queue_bytes = 0;                                  /* without a bound */
    tp_net_set_link(n.net, 1, 2, &narrow);
    for (uint32_t i = 0; i < 30; i++)
        cr_assert(eq(i32, send_len(0, a.fd, &b.address, 0, 1000), 1000));
    cr_assert(eq(u64, stats()->datagrams_crowded, crowded));
    cr_assert(tp_world_now_ns(n.world) >= start_ns + N_SECOND);
}

/* A queue takes one datagram, however long. */
Test(net_datagrams, a_small_queue_takes_a_long_one)
{
    struct tp_net_link narrow = {
        .latency = {.base_ns = 1000000}, .bytes_per_s = 1000000, .queue_bytes = 100};

    n.config.instant = true;
    bound(1);
    tp_net_set_link(n.net, 1, 2, &narrow);
    cr_assert(eq(i32, send_len(0, a.fd, &b.address, 0, LEN_MAX), LEN_MAX));
    cr_assert(eq(u64, stats()->datagrams_crowded, 0));
    cr_assert(eq(i32, send_len(0, a.fd, &b.address, 0, 1), 1));
    cr_assert(eq(u64, stats()->datagrams_crowded, 1));
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
    bound(1);
    listener = n_listen(1, 0);
    pair = n_connect(0, 1, listener);
    tp_net_set_link(n.net, 1, 2, &narrow);
    start_ns = tp_world_now_ns(n.world);
    n_send(0, pair.client, 0, 50000);
    send_number(1);
    cr_assert(eq(u64, stats()->datagrams_crowded, 1));
    cr_assert(eq(i32, n_recv(1, pair.server, 0, 50000), 50000));
    cr_assert(tp_world_now_ns(n.world) >= start_ns + N_SECOND / 20);
    cr_assert(eq(u64, stats()->repeated, 0));
    send_number(2);
    cr_assert(eq(u32, hear().times[2], 1));
}

Test(net_datagrams, a_full_receive_buffer_drops)
{
    struct tp_socket_options narrow = {.recv_buffer_bytes = 8192};
    uint32_t got = 0;

    n_boot(2, 1);
    a = bind_with(0, n.address[0], plain);
    b = bind_with(1, n.address[1], narrow);
    for (uint32_t i = 0; i < 20; i++)
        cr_assert(eq(i32, send_len(0, a.fd, &b.address, i, 1000), 1000));
    n_run(N_SECOND);
    cr_assert(eq(u64, stats()->datagrams_overflown, 15));
    for (; got < 5; got++) {
        struct tp_buf buf = tp_buf_empty(memory, sizeof memory);
        struct tp_datagram datagram;
        uint32_t number;

        cr_assert(eq(i32, n_do(1, tp_request_recv_from(b.fd, &buf, &datagram)), 1000));
        memcpy(&number, memory, 4);
        cr_assert(eq(u32, number, got)); /* those that came first */
    }
    send_number(7);
    cr_assert(eq(u32, hear().count, 1));
}

Test(net_datagrams, nobody_hears_and_nobody_is_told)
{
    struct tp_address nowhere = tp_address_ipv4(10, 9, 9, 9, 80), other;

    bound(1);
    other = b.address;
    other.port = 81;
    cr_assert(eq(i32, send_len(0, a.fd, &other, 0, 10), 10));
    n_run(N_SECOND);
    cr_assert(eq(u64, stats()->datagrams_unheard, 1));
    cr_assert(eq(i32, send_len(0, a.fd, &nowhere, 0, 10), 10));
    cr_assert(eq(u64, stats()->datagrams_lost, 1));
    n.net_config.unknown = TP_NET_NO_ROUTE;
    bound(1);
    cr_assert(eq(i32, send_len(0, a.fd, &nowhere, 0, 10), -ENETUNREACH));
}

/* A socket on the loopback reaches nobody else; one of IPv6 reaches no IPv4 unless it is on
 * every interface, and has no address there. */
Test(net_datagrams, there_is_no_way_from_some_sockets)
{
    struct tp_address six = tp_address_any(0), other = tp_address_any(9);
    struct end loop, local, any;

    bound(1);
    loop = bind_with(0, tp_address_ipv4(127, 0, 0, 1, 0), plain);
    cr_assert(eq(i32, send_len(0, loop.fd, &b.address, 0, 10), -EINVAL));
    six.at.ipv6[15] = 1;
    local = bind_with(0, six, plain);
    other.at.ipv6[0] = 0x20;
    cr_assert(eq(i32, send_len(0, local.fd, &other, 0, 10), -ENETUNREACH));
    any = bind_with(0, tp_address_any(0), plain);
    cr_assert(eq(i32, send_len(0, any.fd, &other, 0, 10), -ENETUNREACH));
    cr_assert(eq(i32, send_len(0, any.fd, &b.address, 0, 10), 10));
}

/* ------------------------------------------------------------------ life */

Test(net_datagrams, the_dead_hear_nothing)
{
    for (uint32_t power = 0; power < 2; power++) {
        bound(1);
        send_number(0);
        n_run(N_SECOND);
        if (power != 0)
            tp_virtual_io_power_cut(n.io[1]);
        else
            tp_virtual_io_kill(n.io[1]);
        send_number(1);
        n_run(N_SECOND);
        cr_assert(
            eq(u64, power != 0 ? stats()->datagrams_lost : stats()->datagrams_unheard, 1));
        tp_virtual_io_destroy(n.io[1]);
        n_reboot(1);
        tp_net_check(n.net);
        b = bind_with(1, n.address[1], plain);
        cr_assert(eq(u32, hear().count, 0)); /* nothing is left of before */
        send_number(2);
        cr_assert(eq(u32, hear().times[2], 1));
    }
}

/* With the process that sends it, a datagram dies whole or not at all. */
Test(net_datagrams, a_crash_cuts_no_datagram)
{
    uint32_t sent = 0, not_sent = 0;

    for (uint64_t seed = 0; seed < 100; seed++) {
        struct tp_buf buf;
        struct heard heard;

        bound(seed);
        for (uint32_t i = 0; i < 3; i++) {
            static uint8_t bytes[3][LEN_MAX];

            for (uint32_t at = 0; at < len_of(i); at++)
                bytes[i][at] = n_byte(i + at);
            memcpy(bytes[i], &i, 4);
            buf = tp_buf_full(bytes[i], len_of(i));
            (void)n_begin(0, tp_request_send_to(a.fd, &buf, &b.address));
        }
        tp_io_poll(n.io[0]);
        n_run(seed * 100);
        tp_virtual_io_kill(n.io[0]);
        heard = hear(); /* looks at each whether it is whole */
        sent += heard.count;
        not_sent += 3 - heard.count;
        tp_virtual_io_destroy(n.io[0]);
        n.io[0] = NULL;
    }
    cr_assert(sent > 100 && not_sent > 10, "%u %u", sent, not_sent);
}

/* Neither a fault nor a cancel shortens one. */
Test(net_datagrams, operations_fail_whole)
{
    uint32_t failed = 0, interrupted = 0, whole = 0;

    n.config.faults.error_ppm = 200000;
    n.config.faults.eintr_ppm = 200000;
    n.config.faults.short_ppm = 300000;
    n_boot(2, 3);
    for (uint32_t i = 0; i < COUNT; i++) {
        int32_t value = n_do(0, tp_request_bind(&n.address[0], plain));

        cr_assert(value >= 0 || value == -ENOBUFS);
        if (value < 0)
            continue;
        a.fd = tp_io_into_fd(n.io[0], value);
        value = send_len(0, a.fd, &n.address[1], 0, 100);
        cr_assert(value == 100 || value == -ENOBUFS || value == -EINTR);
        failed += value == -ENOBUFS;
        interrupted += value == -EINTR;
        whole += value == 100;
        (void)n_do(0, tp_request_close(a.fd)); /* gone, whatever it says */
    }
    cr_assert(failed > 10 && interrupted > 10 && whole > 30);
}

Test(net_datagrams, ports_are_given_in_turn_until_there_is_none)
{
    struct tp_address any = tp_address_ipv4(10, 0, 0, 1, 0);
    struct end ends[4];

    n.net_config.ports = 4;
    n_boot(1, 1);
    for (uint32_t i = 0; i < 4; i++) {
        ends[i] = bind_with(0, any, plain);
        cr_assert(eq(u16, ends[i].address.port, (uint16_t)(32768 + i)));
    }
    cr_assert(eq(i32, n_do(0, tp_request_bind(&any, plain)), -EADDRINUSE));
    cr_assert(eq(i32, n_do(0, tp_request_close(ends[2].fd)), 0));
    cr_assert(eq(u16, bind_with(0, any, plain).address.port, 32770));
}

/* Those that share a port share the senders: what one sends comes to one of them. */
Test(net_datagrams, a_shared_port_shares_the_senders)
{
    struct tp_socket_options shared = {.reuse_port = true};
    struct tp_address any = tp_address_ipv4(10, 0, 0, 1, 0);
    struct end both[2];
    uint32_t got[2] = {0, 0};

    n_boot(2, 1);
    for (uint32_t i = 0; i < 2; i++)
        both[i] = bind_with(1, n.address[1], shared);
    for (uint32_t i = 0; i < 20; i++) {
        a = bind_with(0, any, plain);
        cr_assert(eq(i32, send_len(0, a.fd, &n.address[1], i, 10), 10));
    }
    n_run(N_SECOND);
    for (uint32_t i = 0; i < 2; i++) {
        struct tp_datagram datagram;
        struct tp_buf buf = tp_buf_empty(memory, 16);
        uint64_t handle;

        while (n_wait(1, handle = n_begin(
                             1, tp_request_recv_from(both[i].fd, &buf, &datagram))) == 10)
            got[i]++;
        cr_assert(eq(i32, n_do(1, tp_request_cancel(handle)), 0));
        cr_assert(eq(i32, n_wait(1, handle), -ECANCELED));
    }
    cr_assert(got[0] == 10 && got[1] == 10);
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
