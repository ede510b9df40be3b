/** tests/virtual/services.c - names, work on a thread, signals. */
#include "net_fixture.h"

static void tear_down(void)
{
    n_end();
    memset(&n, 0, sizeof n);
}

TestSuite(services, .fini = tear_down);

/* ------------------------------------------------------------------ names */

static bool is(const struct tp_address *address, const char *expected)
{
    char text[TP_ADDRESS_TEXT];

    return strcmp(tp_address_print(address, text), expected) == 0;
}

Test(services, names_are_those_of_the_network)
{
    struct tp_address a = tp_address_ipv4(10, 0, 0, 2, 80);
    struct tp_addresses found;

    n_boot(2, 1);
    cr_assert(eq(int, tp_net_add_name(n.net, "db.example", &a), 0));
    a.at.ipv4[3] = 3;
    cr_assert(eq(int, tp_net_add_name(n.net, "db.example", &a), 0));
    cr_assert(eq(i32, n_do(0, tp_request_resolve("db.example", &found)), 2));
    cr_assert(eq(u32, found.count, 2));
    cr_assert(is(&found.items[1], "10.0.0.3:0"));
    cr_assert(eq(i32, n_do(0, tp_request_resolve("localhost", &found)), 2));
    cr_assert(is(&found.items[0], "[::1]:0"));
    cr_assert(is(&found.items[1], "127.0.0.1:0"));
    cr_assert(eq(i32, n_do(0, tp_request_resolve("10.1.2.3", &found)), 1));
    cr_assert(is(&found.items[0], "10.1.2.3:0"));
    cr_assert(eq(i32, n_do(0, tp_request_resolve("fe80::1", &found)), 1));
    cr_assert(is(&found.items[0], "[fe80::1]:0"));
    cr_assert(eq(i32, n_do(0, tp_request_resolve("nobody.example", &found)), -ENOENT));
    cr_assert(eq(i32, n_do(0, tp_request_resolve("10.1.2.3:80", &found)), -ENOENT));
    cr_assert(eq(i32, n_do(0, tp_request_resolve("unix:/s", &found)), -ENOENT));
}

Test(services, a_table_of_names_has_its_bounds)
{
    struct tp_address a = tp_address_ipv4(10, 0, 0, 2, 80);
    char name[300];

    n_boot(1, 1);
    for (uint32_t i = 0; i < TP_ADDRESSES_MAX; i++)
        cr_assert(eq(int, tp_net_add_name(n.net, "many", &a), 0));
    cr_assert(eq(int, tp_net_add_name(n.net, "many", &a), -ENOSPC));
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_assert(eq(int, tp_net_add_name(n.net, name, &a), -ENAMETOOLONG));
}

Test(services, who_could_say_does_not_always_answer)
{
    struct tp_address a = tp_address_ipv4(10, 0, 0, 2, 80);
    uint32_t failed = 0;

    n_boot(1, 1);
    cr_assert(eq(int, tp_net_add_name(n.net, "db", &a), 0));
    tp_net_set_faults(n.net, &(struct tp_net_faults){.resolve_ppm = 500000});
    for (uint32_t i = 0; i < 100; i++) {
        struct tp_addresses found;
        int32_t value = n_do(0, tp_request_resolve("db", &found));

        cr_assert(value == 1 || value == -EAGAIN);
        failed += value < 0;
        cr_assert(eq(i32, n_do(0, tp_request_resolve("127.0.0.1", &found)), 1));
    }
    cr_assert(failed > 25 && failed < 75);
}

/* ------------------------------------------------------------------ work */

static uint32_t worked;

static int32_t work(void *context)
{
    worked++;
    return *(int32_t *)context;
}

Test(services, work_runs_once_in_line_and_takes_its_time)
{
    int32_t seven = 7, error = -EIO;
    uint64_t ops[2];

    n_boot_alone(1);
    worked = 0;
    ops[0] = n_begin(0, tp_request_offload(work, &seven));
    ops[1] = n_begin(0, tp_request_offload(work, &error));
    cr_assert(eq(u32, worked, 0)); /* never within the submission */
    cr_assert(eq(i32, n_wait(0, ops[0]), 7));
    cr_assert(eq(i32, n_wait(0, ops[1]), -EIO));
    cr_assert(eq(u32, worked, 2));
    cr_assert(tp_io_now_ns(n.io[0]) > 0);
}

Test(services, work_that_has_begun_is_not_stopped)
{
    uint32_t stopped = 0, done = 0;
    int32_t seven = 7;

    for (uint64_t seed = 0; seed < 100; seed++) {
        uint64_t op, cancel;
        int32_t value;

        n_boot_alone(seed);
        worked = 0;
        op = n_begin(0, tp_request_offload(work, &seven));
        tp_io_poll(n.io[0]);
        n_run(seed * 1000);
        cancel = n_begin(0, tp_request_cancel(op));
        (void)n_wait(0, cancel);
        value = n_wait(0, op);
        cr_assert(value == (worked == 1 ? 7 : -ECANCELED));
        stopped += worked == 0;
        done += worked == 1;
    }
    cr_assert(stopped > 0 && done > 0);
}

/* ------------------------------------------------------------------ signals */

Test(services, a_signal_waits_until_it_is_asked_for)
{
    uint64_t op;

    n_boot_alone(1);
    tp_virtual_io_signal(n.io[0], TP_SIGNAL_HUP);
    tp_virtual_io_signal(n.io[0], TP_SIGNAL_HUP); /* pending once */
    cr_assert(
        eq(i32, n_do(0, tp_request_signal(TP_SIGNAL_HUP | TP_SIGNAL_TERM)), TP_SIGNAL_HUP));
    op = n_begin(0, tp_request_signal(TP_SIGNAL_HUP | TP_SIGNAL_TERM));
    cr_assert(eq(i32, n_wait(0, op), N_PENDING));
    tp_virtual_io_signal(n.io[0], TP_SIGNAL_INT); /* not of the set */
    cr_assert(eq(i32, n_wait(0, op), N_PENDING));
    tp_virtual_io_signal(n.io[0], TP_SIGNAL_TERM);
    cr_assert(eq(i32, n_wait(0, op), TP_SIGNAL_TERM));
    cr_assert(eq(i32, n_do(0, tp_request_signal(TP_SIGNAL_INT)), TP_SIGNAL_INT));
}

Test(services, one_of_those_who_wait_gets_a_signal)
{
    uint64_t ops[2];
    int32_t values[2];

    n_boot_alone(1);
    for (uint32_t i = 0; i < 2; i++)
        ops[i] = n_begin(0, tp_request_signal(TP_SIGNAL_USR1));
    tp_virtual_io_signal_at(n.io[0], TP_SIGNAL_USR1, N_SECOND);
    n_run(2 * (uint64_t)N_SECOND);
    for (uint32_t i = 0; i < 2; i++)
        values[i] = n_result(0, ops[i]);
    cr_assert(eq(i32, values[0] == N_PENDING ? values[1] : values[0], TP_SIGNAL_USR1));
    cr_assert(values[0] == N_PENDING || values[1] == N_PENDING);
}

Test(services, waiting_for_a_signal_can_be_stopped)
{
    uint64_t op;

    n_boot_alone(1);
    op = n_begin(0, tp_request_signal(TP_SIGNAL_TERM));
    n_run(N_SECOND);
    cr_assert(eq(i32, n_do(0, tp_request_cancel(op)), 0));
    cr_assert(eq(i32, n_wait(0, op), -ECANCELED));
    tp_virtual_io_signal(n.io[0], TP_SIGNAL_TERM); /* it is not lost */
    cr_assert(eq(i32, n_do(0, tp_request_signal(TP_SIGNAL_TERM)), TP_SIGNAL_TERM));
}
