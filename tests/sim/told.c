/* tests/sim/told.c - of a sync that failed, it is what to name only if others were not told
 * before of what it has lost.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "explained.h"
#include "try.h"

enum { PORT = 71, SEEDS = 20000, EXPLAINED = 6 };
#define PATIENCE_NS  UINT64_C(1000000000)
#define FAMILY(name) TP_FAMILY_BIT(TP_FAMILY_##name)

enum way {
    NEVER,    /* what it has told is synced only when it boots again */
    EARLY,    /* behind its telling it */
    BELIEVES, /* before, by a second sync if the first one fails */
};

struct oracle {
    uint64_t begun, promised;
};

struct keeper {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd file, listener, peer;
    struct tp_address address;
    struct tp_buf buf;
    uint64_t number, told;
};

static enum way way_of(const struct keeper *k)
{
    const enum way *way = tp_sim_context(tp_node_sim(k->node));

    return *way;
}

static struct tp_buf *number_of(struct keeper *k, uint64_t *number, bool is_full)
{
    k->buf = is_full ? tp_buf_full(number, sizeof *number)
                     : tp_buf_empty(number, sizeof *number);
    return &k->buf;
}

#define AGAIN_UNLESS(operation, size)       \
    do {                                    \
        TP_AWAIT(cx, (operation), &result); \
        if (result.value < (size))          \
            goto again;                     \
    } while (0)

/* Promises a number when it has been told that it is kept. */
static enum tp_step ask_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct keeper *k = tp_container_of(machine, struct keeper, machine);
    struct oracle *oracle = tp_sim_state(tp_node_sim(k->node));
    struct tp_socket_options plain = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    while (tp_node_more(k->node)) {
        k->number = ++oracle->begun;
    again:
        if (tp_fd_is_some(k->peer))
            TP_AWAIT(cx, tp_close(cx, k->peer), &result);
        k->peer = (struct tp_fd){0};
        TP_AWAIT(cx, tp_timer(cx, 1000000), &result);
        k->address = tp_node_address(tp_sim_node(tp_node_sim(k->node), 1), PORT);
        AGAIN_UNLESS(tp_deadline(cx, tp_connect(cx, &k->address, plain), PATIENCE_NS), 0);
        k->peer = tp_into_fd(cx, result);
        AGAIN_UNLESS(tp_deadline(cx, tp_send(cx, k->peer, number_of(k, &k->number, true)),
                                 PATIENCE_NS),
                     8);
        AGAIN_UNLESS(tp_deadline(cx, tp_recv(cx, k->peer, number_of(k, &k->told, false)),
                                 PATIENCE_NS),
                     8);
        oracle->promised = k->number;
        tp_node_promised(k->node, "%u", (unsigned)k->number);
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

/* Keeps the last number that it was asked to. */
static enum tp_step keep_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct keeper *k = tp_container_of(machine, struct keeper, machine);
    const struct oracle *oracle = tp_sim_state(tp_node_sim(k->node));
    struct tp_open_options options = {.read = true, .write = true};
    struct tp_socket_options listens = {.backlog = 8};
    struct tp_result result;

    TP_BEGIN(cx);
    TRY(tp_open(cx, "/f", options));
    k->file = tp_into_fd(cx, result);
    TRY(tp_read_at(cx, k->file, number_of(k, &k->number, false), 0));
    if (k->number < oracle->promised)
        tp_sim_fail(tp_node_sim(k->node), "a number is gone that was kept");
    TRY(tp_write_at(cx, k->file, number_of(k, &k->number, true), 0));
    TRY(tp_fsync(cx, k->file, 0));
    k->address = tp_node_address(k->node, PORT);
    TRY(tp_listen(cx, &k->address, listens));
    k->listener = tp_into_fd(cx, result);
    for (;;) {
        TP_AWAIT(cx, tp_accept(cx, k->listener), &result);
        if (result.value < 0)
            continue;
        k->peer = tp_into_fd(cx, result);
        TP_AWAIT(cx,
                 tp_deadline(cx, tp_recv(cx, k->peer, number_of(k, &k->told, false)),
                             PATIENCE_NS),
                 &result);
        if (result.value == 8) {
            k->number = k->told;
            TRY(tp_write_at(cx, k->file, number_of(k, &k->number, true), 0));
            do
                if (way_of(k) == BELIEVES)
                    TP_AWAIT(cx, tp_fsync(cx, k->file, 0), &result);
            while (result.value < 0);
            TP_AWAIT(cx, tp_send(cx, k->peer, number_of(k, &k->told, true)), &result);
            if (way_of(k) == EARLY)
                TRY(tp_fsync(cx, k->file, 0));
        }
        TP_AWAIT(cx, tp_close(cx, k->peer), &result);
    }
    TP_END(cx);
}

static void boot(struct tp_node *node)
{
    struct keeper *k = tp_node_new(node, sizeof *k);

    k->node = node;
    tp_node_spawn(node, &k->machine, tp_node_index(node) == 0 ? ask_tick : keep_tick,
                  "keeper");
}

static void setup(struct tp_sim *sim)
{
    static const uint64_t none = 0;

    for (uint32_t i = 0; i < 2; i++) {
        struct tp_node_config config = {.spared = i == 0};
        struct tp_node *node = tp_sim_add_node(sim, &config);

        cr_assert(
            eq(i32, tp_disk_write_file(tp_node_disk(node), "/f", &none, sizeof none), 0));
    }
}

static bool is_done(struct tp_sim *sim)
{
    return tp_node_has_finished(tp_sim_node(sim, 0)) && tp_node_is_up(tp_sim_node(sim, 1));
}

/* The first seeds that fail in the midst of the run, each of which is explained. */
static void explain_all(enum way way, uint32_t families,
                        void (*look)(const struct tp_explain *explain))
{
    struct tp_scenario scenario = {.name = "told",
                                   .setup = setup,
                                   .boot = boot,
                                   .done = is_done,
                                   .state_bytes = sizeof(struct oracle),
                                   .context = &way};
    struct s_wanted wanted = {.families = families, .seeds = SEEDS, .is_uncut = true};

    for (uint32_t i = 0; i < EXPLAINED; i++) {
        struct tp_explain explain = {0};

        wanted.after = s_explain(&scenario, &wanted, &explain);
        cr_assert(ne(u64, wanted.after, 0));
        cr_log_info("seed %u: %s, %s", (unsigned)wanted.after, tp_explain_kind(&explain),
                    explain.unkept);
        look(&explain);
    }
}

static void is_missing(const struct tp_explain *explain)
{
    cr_expect(eq(int, (int)explain->how, TP_EXPLAINED_BARRIER));
    cr_expect(eq(int, (int)explain->barriers[0].own_how, TP_OWN_NONE));
    cr_expect(eq(u32, explain->barriers[0].after.op, TP_WRITE));
    cr_expect(explain->by_sync);
}

Test(told, is_before_a_sync_of_another_process_that_has_failed)
{
    explain_all(NEVER, FAMILY(SYNC) | FAMILY(KILL), is_missing);
}

static void is_early(const struct tp_explain *explain)
{
    cr_expect(eq(int, (int)explain->how, TP_EXPLAINED_EARLY));
    cr_expect(eq(u32, explain->told.op, TP_SEND));
    cr_expect(eq(u32, explain->failed.op, TP_FSYNC));
}

Test(told, is_before_the_sync_that_has_failed)
{
    explain_all(EARLY, FAMILY(SYNC), is_early);
}

static void is_believed(const struct tp_explain *explain)
{
    cr_expect(eq(int, (int)explain->how, TP_EXPLAINED_UNHEARD));
    cr_expect(eq(u32, explain->failed.op, TP_FSYNC));
    cr_expect(explain->is_believed);
}

Test(told, is_behind_a_sync_that_has_failed_and_is_believed)
{
    explain_all(BELIEVES, FAMILY(SYNC) | FAMILY(KILL), is_believed);
}
