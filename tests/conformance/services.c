/* Names, work on other threads, signals. */
#include "conformance.h"

#include "io/address.h"

/* ------------------------------------------------------------------ names */

static void resolve_localhost(struct conformance *c)
{
    struct tp_addresses found;
    int32_t value;

    if (lacks(c, TP_RESOLVE))
        return;
    memset(&found, 0, sizeof found);
    value = run(c, tp_request_resolve("localhost", &found));
    EXPECT_THAT(c, value >= 1 && value <= TP_ADDRESSES_MAX);
    EXPECT(c, value, (int32_t)found.count);
    for (uint32_t i = 0; i < found.count && i < TP_ADDRESSES_MAX; i++) {
        EXPECT_THAT(c, tp_address_is_loopback(&found.items[i]));
        EXPECT_THAT(c, found.items[i].family == TP_ADDRESS_IPV4 ||
                           found.items[i].family == TP_ADDRESS_IPV6);
        EXPECT_THAT(c, found.items[i].port == 0);
    }
}

static void resolve_expecting(struct conformance *c, const char *name, const char *address)
{
    struct tp_addresses found;
    struct tp_address expected;

    if (lacks(c, TP_RESOLVE))
        return;
    memset(&found, 0, sizeof found);
    EXPECT(c, tp_address_parse(address, 0, &expected), 0);
    EXPECT(c, run(c, tp_request_resolve(name, &found)), 1);
    EXPECT_THAT(c, found.count == 1 && tp_address_equal(&found.items[0], &expected));
}

static void resolve_an_ipv4_address(struct conformance *c)
{
    resolve_expecting(c, "127.0.0.1", "127.0.0.1:0");
    resolve_expecting(c, "203.0.113.77", "203.0.113.77:0");
}

static void resolve_an_ipv6_address(struct conformance *c)
{
    resolve_expecting(c, "::1", "[::1]:0");
    resolve_expecting(c, "2001:db8::77", "[2001:db8::77]:0");
}

/* "invalid" is a domain that there is not (RFC 6761); without a network nobody says so. */
static void resolve_an_unknown_name(struct conformance *c)
{
    struct tp_addresses found;

    EXPECT(c, run(c, tp_request_resolve("no-such-host.invalid", &found)), -ENOENT, -EAGAIN);
}

static void resolve_what_is_no_name(struct conformance *c)
{
    struct tp_addresses found;
    char name[TP_NAME_MAX + 2];

    EXPECT(c, run(c, tp_request_resolve("", &found)), -ENOENT);
    EXPECT(c, run(c, tp_request_resolve(NULL, &found)), -EFAULT);
    EXPECT(c, run(c, tp_request_resolve("localhost", NULL)), -EFAULT);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    EXPECT(c, run(c, tp_request_resolve(name, &found)), -ENAMETOOLONG);
    EXPECT(c, run(c, tp_request_resolve("a name with spaces", &found)), -ENOENT, -EAGAIN);
}

/* The name is copied by the submission. */
static void resolve_of_a_name_that_changes(struct conformance *c)
{
    struct tp_addresses found;
    char name[] = "127.0.0.1";
    uint64_t handle;

    memset(&found, 0, sizeof found);
    handle = submit(c, tp_request_resolve(name, &found));
    memset(name, 'x', sizeof name - 1);
    EXPECT(c, await(c, handle), 1);
    EXPECT_THAT(c, found.items[0].family == TP_ADDRESS_IPV4 &&
                       found.items[0].at.ipv4[0] == 127);
}

/* ------------------------------------------------------------------ offload */

struct work {
    int32_t result;
    uint32_t runs;
    uint8_t sum;
    uint8_t memory[64];
};

static int32_t do_work(void *context)
{
    struct work *work = context;

    work->runs++;
    for (uint32_t i = 0; i < sizeof work->memory; i++)
        work->sum = (uint8_t)(work->sum + work->memory[i]);
    return work->result;
}

/* What it says is the result, and it has done what it does, once. */
static void offload_gives_the_result(struct conformance *c)
{
    static const int32_t results[] = {0, 1, INT32_MAX, -EIO, -ENOSPC, -ECANCELED};

    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        struct work work = {.result = results[i]};

        memset(work.memory, 3, sizeof work.memory);
        EXPECT(c, run(c, tp_request_offload(do_work, &work)), results[i]);
        EXPECT_THAT(c, work.runs == 1 && work.sum == 3 * 64);
    }
}

static void offload_many_at_once(struct conformance *c)
{
    enum { COUNT = 500 };
    static struct work works[COUNT];
    uint64_t first = c->handle + 1;

    memset(works, 0, sizeof works);
    for (uint32_t i = 0; i < COUNT; i++) {
        works[i].result = (int32_t)i;
        works[i].memory[5] = (uint8_t)i;
        (void)submit(c, tp_request_offload(do_work, &works[i]));
    }
    for (uint32_t i = COUNT; i > 0; i--) {
        EXPECT(c, await(c, first + i - 1), (int32_t)i - 1);
        EXPECT_THAT(c, works[i - 1].runs == 1 && works[i - 1].sum == (uint8_t)(i - 1));
    }
}

/* Not before the poll that submits it could, and never in submit() itself: whoever submits
 * may go on using the context until then. */
static void offload_cancelled(struct conformance *c)
{
    enum { COUNT = 200 };
    static struct work works[COUNT];
    uint64_t targets[COUNT], cancels[COUNT];

    memset(works, 0, sizeof works);
    for (uint32_t i = 0; i < COUNT; i++) {
        works[i].result = 7;
        targets[i] = submit(c, tp_request_offload(do_work, &works[i]));
    }
    for (uint32_t i = COUNT; i > 0; i--)
        cancels[i - 1] = submit(c, tp_request_cancel(targets[i - 1]));
    for (uint32_t i = 0; i < COUNT; i++) {
        int32_t cancel = await(c, cancels[i]), target = await(c, targets[i]);

        EXPECT(c, cancel, 0, -ENOENT, -EALREADY);
        EXPECT(c, target, 7, -ECANCELED);
        EXPECT_THAT(c, cancel != -ENOENT || target == 7);
        EXPECT_THAT(c, works[i].runs == (target == 7 ? 1 : 0)); /* all of it, or nothing */
    }
}

static void offload_of_nothing(struct conformance *c)
{
    EXPECT(c, run(c, tp_request_offload(NULL, NULL)), -EFAULT);
}

/* ------------------------------------------------------------------ signals */

static void signal_of_no_set(struct conformance *c)
{
    EXPECT(c, run(c, tp_request_signal(0)), -EINVAL);
    EXPECT(c, run(c, tp_request_signal(2 * TP_SIGNAL_USR2)), -EINVAL);
    EXPECT(c, run(c, tp_request_signal(TP_SIGNAL_TERM | UINT32_C(0x80000000))), -EINVAL);
    EXPECT(c, run(c, tp_request_signal(UINT32_MAX)), -EINVAL);
}

const struct conformance_program conformance_services[] = {
    PROGRAM(resolve_localhost),        PROGRAM(resolve_an_ipv4_address),
    PROGRAM(resolve_an_ipv6_address),  PROGRAM(resolve_an_unknown_name),
    PROGRAM(resolve_what_is_no_name),  PROGRAM(resolve_of_a_name_that_changes),
    PROGRAM(offload_gives_the_result), PROGRAM(offload_many_at_once),
    PROGRAM(offload_cancelled),        PROGRAM(offload_of_nothing),
    PROGRAM(signal_of_no_set),         {0},
};
