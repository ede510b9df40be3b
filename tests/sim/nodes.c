/* Many nodes: a server and its clients through everything, idle ones for nothing, clocks.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

#include "fixture.h"

/* ------------------------------------------------------------------ a server, its clients
 */

enum { SERVER, CLIENT, PORT = 80, WAIT_NS = 200000000, AGAIN_NS = 5000000 };

struct oracle {
    uint64_t begun, promised;
    uint64_t failures; /* requests that had to be made again */
    bool recovered;
};

/* Keeps a tally: a byte from a client is a stroke, made durable, then answered. */
struct server {
    struct tp_machine machine;
    struct tp_node *node;
    struct oracle *oracle;
    struct tp_fd file, listener, peer;
    struct tp_statx statx;
    struct tp_address address;
    struct tp_buf buf;
    char byte;
    uint64_t count;
};

static void compare(const struct server *s)
{
    if (s->count < s->oracle->promised || s->count > s->oracle->begun)
        tp_sim_fail(tp_node_sim(s->node), "%llu strokes, promised were %llu",
                    (unsigned long long)s->count, (unsigned long long)s->oracle->promised);
}

static enum tp_step server_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct server *s = tp_container_of(machine, struct server, machine);
    struct tp_open_options options = {.write = true, .create = true};
    struct tp_socket_options plain = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/tally", options), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    s->file = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    TP_AWAIT(cx, tp_fstat(cx, s->file, &s->statx), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    s->count = s->statx.size;
    compare(s);
    s->address = tp_node_address(s->node, PORT);
    TP_AWAIT(cx, tp_listen(cx, &s->address, plain), &result);
    if (result.value < 0)
        return tp_end(machine, result.value);
    s->listener = tp_into_fd(cx, result);
    s->oracle->recovered = true;
    for (;;) {
        TP_AWAIT(cx, tp_accept(cx, s->listener), &result);
        if (result.value < 0)
            continue;
        s->peer = tp_into_fd(cx, result);
        for (;;) {
            s->buf = tp_buf_empty(&s->byte, 1);
            TP_AWAIT(cx, tp_recv(cx, s->peer, &s->buf), &result);
            if (result.value <= 0)
                break;
            s->buf = tp_buf_full("|", 1);
            TP_AWAIT(cx, tp_write_at(cx, s->file, &s->buf, s->count), &result);
            if (result.value < 0)
                return tp_end(machine, result.value);
            TP_AWAIT(cx, tp_fsync(cx, s->file, TP_DATA_ONLY), &result);
            if (result.value < 0)
                return tp_end(machine, result.value);
            s->count++;
            s->buf = tp_buf_full("!", 1);
            TP_AWAIT(cx, tp_send(cx, s->peer, &s->buf), &result);
            if (result.value < 0)
                break;
        }
        TP_AWAIT(cx, tp_close(cx, s->peer), &result);
    }
    TP_END(cx);
}

struct client {
    struct tp_machine machine;
    struct tp_node *node;
    struct oracle *oracle;
    struct tp_address address;
    struct tp_fd fd;
    struct tp_buf buf;
    char byte;
    bool told;
};

static enum tp_step client_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct client *c = tp_container_of(machine, struct client, machine);
    struct tp_socket_options plain = {0};
    struct tp_result result;

    TP_BEGIN(cx);
    while (tp_node_more(c->node)) {
        c->told = false;
        while (!c->told) {
            TP_AWAIT(cx, tp_deadline(cx, tp_connect(cx, &c->address, plain), WAIT_NS),
                     &result);
            if (result.value >= 0) {
                c->fd = tp_into_fd(cx, result);
                c->oracle->begun++; /* perhaps a second one for the same: both count */
                c->buf = tp_buf_full("?", 1);
                TP_AWAIT(cx, tp_send(cx, c->fd, &c->buf), &result);
                c->buf = tp_buf_empty(&c->byte, 1);
                TP_AWAIT(cx, tp_deadline(cx, tp_recv(cx, c->fd, &c->buf), WAIT_NS),
                         &result);
                c->told = result.value == 1;
                c->oracle->promised += c->told;
                TP_AWAIT(cx, tp_close(cx, c->fd), &result);
            }
            if (!c->told) {
                c->oracle->failures++;
                TP_AWAIT(cx, tp_timer(cx, AGAIN_NS), &result);
            }
        }
    }
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_server(struct tp_node *node)
{
    struct server *s = tp_node_new(node, sizeof *s);

    s->node = node;
    s->oracle = tp_sim_state(tp_node_sim(node));
    s->oracle->recovered = false;
    tp_node_spawn(node, &s->machine, server_tick, "server");
}

static void boot_client(struct tp_node *node)
{
    struct client *c = tp_node_new(node, sizeof *c);

    c->node = node;
    c->oracle = tp_sim_state(tp_node_sim(node));
    c->address = tp_node_address(tp_sim_node(tp_node_sim(node), SERVER), PORT);
    tp_node_spawn(node, &c->machine, client_tick, "client");
}

static void set_up(struct tp_sim *sim)
{
    struct tp_node_config server = {.name = "server", .boot = boot_server};
    struct tp_node_config client = {.name = "client", .boot = boot_client, .spared = true};

    (void)tp_sim_add_node(sim, &server);
    for (uint64_t more = tp_sim_draw(sim, 3) + 1; more > 0; more--)
        (void)tp_sim_add_node(sim, &client);
}

static bool served(struct tp_sim *sim)
{
    const struct oracle *oracle = tp_sim_state(sim);

    for (uint32_t i = CLIENT; i < tp_sim_nodes(sim); i++) {
        if (!tp_node_has_finished(tp_sim_node(sim, i)))
            return false;
    }
    return oracle->recovered;
}

static const struct tp_scenario service = {
    .name = "service",
    .state_bytes = sizeof(struct oracle),
    .setup = set_up,
    .done = served,
    .commands = 12,
};

Test(nodes, a_service_bears_everything)
{
    struct s_total total = s_run(&service, 120);

    cr_assert(eq(u32, total.failed, 0), "seed %llu: %s: %s",
              (unsigned long long)total.first_seed, tp_verdict_name(total.first.verdict),
              total.first.message);
    for (uint32_t family = TP_FAMILY_KILL; family <= TP_FAMILY_REFUSE; family++)
        cr_assert(lt(u64, 0, total.fired[family]), "%s never fired",
                  tp_family_name(family));
}

/* ------------------------------------------------------------------ idle nodes */

struct sleeper {
    struct tp_machine machine;
};

static enum tp_step sleep_for_ever(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_result result;

    (void)machine;
    TP_BEGIN(cx);
    for (;;)
        TP_AWAIT(cx, tp_timer(cx, UINT64_C(3600000000000)), &result);
    TP_END(cx);
}

/* The first works, the others sleep. */
static void boot_one_of_many(struct tp_node *node)
{
    if (tp_node_index(node) == 0) {
        boot_server(node);
    } else {
        struct sleeper *s = tp_node_new(node, sizeof *s);

        tp_node_spawn(node, &s->machine, sleep_for_ever, "sleeper");
    }
}

static void set_up_crowd(struct tp_sim *sim)
{
    const uint32_t *count = tp_sim_context(sim);
    struct tp_node_config plain = {.boot = boot_one_of_many};
    struct tp_node_config client = {.name = "client", .boot = boot_client, .spared = true};

    for (uint32_t i = 0; i < *count; i++)
        (void)tp_sim_add_node(sim, i == CLIENT ? &client : &plain);
}

static bool client_has_finished(struct tp_sim *sim)
{
    const struct oracle *oracle = tp_sim_state(sim);

    return oracle->recovered && tp_node_has_finished(tp_sim_node(sim, CLIENT));
}

/* What idle nodes cost is their boots; not one event of the work is theirs. */
Test(nodes, five_hundred_idle_ones_cost_nothing)
{
    uint32_t few = 2, many = 500;
    struct tp_scenario crowd = service;
    struct tp_sim_outcome alone, among;

    crowd.setup = set_up_crowd;
    crowd.done = client_has_finished;
    crowd.commands = 400;
    crowd.context = &few;
    alone = s_with(&crowd, 1, 0, S_ALL);
    crowd.context = &many;
    among = s_with(&crowd, 1, 0, S_ALL);
    cr_assert(eq(u32, alone.verdict, TP_VERDICT_PASSED), "%s", alone.message);
    cr_assert(eq(u32, among.verdict, TP_VERDICT_PASSED), "%s", among.message);
    cr_assert(lt(u64, 1000, alone.events));
    cr_assert(eq(u64, alone.events, among.events));
}

/* ------------------------------------------------------------------ other versions, disks
 */

/* Counts boots in a file: what a disk that is wiped, or as it was, has forgotten. */
struct seen {
    uint32_t boots, versions, lowest, forgot;
};

struct booter {
    struct tp_machine machine;
    struct tp_node *node;
    struct tp_fd fd;
    struct tp_statx statx;
    struct tp_buf buf;
};

static enum tp_step booter_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct booter *b = tp_container_of(machine, struct booter, machine);
    struct seen *seen = tp_sim_state(tp_node_sim(b->node));
    struct tp_open_options options = {.write = true, .create = true, .dsync = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/boots", options), &result);
    b->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_fstat(cx, b->fd, &b->statx), &result);
    seen->forgot += b->statx.size < seen->boots;
    b->buf = tp_buf_full("x", 1);
    TP_AWAIT(cx, tp_write_at(cx, b->fd, &b->buf, b->statx.size), &result);
    TP_AWAIT(cx, tp_sync_dir(cx, "/"), &result);
    seen->boots++;
    seen->versions |= 1U << tp_node_version(b->node);
    while (tp_node_more(b->node))
        TP_AWAIT(cx, tp_fstat(cx, b->fd, &b->statx), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_booter(struct tp_node *node)
{
    struct booter *b = tp_node_new(node, sizeof *b);

    b->node = node;
    tp_node_spawn(node, &b->machine, booter_tick, "booter");
}

static void set_up_versions(struct tp_sim *sim)
{
    struct tp_node_config config = {.boot = boot_booter, .versions = 3};

    (void)tp_sim_add_node(sim, &config);
}

static struct seen last; /* of the run that has ended */

static void look(struct tp_sim *sim)
{
    last = *(const struct seen *)tp_sim_state(sim);
}

static struct seen see(enum tp_family family, uint64_t seeds, uint64_t *ret_fired)
{
    static const struct tp_scenario scenario = {.name = "versions",
                                                .state_bytes = sizeof(struct seen),
                                                .setup = set_up_versions,
                                                .check = look,
                                                .commands = 200};
    struct seen all = {0};

    *ret_fired = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct tp_sim_outcome outcome =
            s_with(&scenario, seed, TP_FAMILY_BIT(family), S_ALL);

        cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
        all.boots += last.boots;
        all.versions |= last.versions;
        all.forgot += last.forgot;
        *ret_fired += outcome.fired[family];
    }
    return all;
}

Test(nodes, a_restart_may_be_with_another_version)
{
    uint64_t fired;
    struct seen seen = see(TP_FAMILY_UPGRADE, 20, &fired);

    cr_assert(lt(u64, 3, fired));
    cr_assert(eq(u32, seen.versions, 7));
    cr_assert(eq(u32, seen.forgot, 0));
}

Test(nodes, a_disk_may_be_wiped_or_be_as_it_was)
{
    for (enum tp_family family = TP_FAMILY_ROLLBACK; family <= TP_FAMILY_WIPE; family++) {
        uint64_t fired;
        struct seen seen = see(family, 20, &fired);

        cr_assert(lt(u64, 3, fired));
        cr_assert(ge(u32, seen.forgot, (uint32_t)fired));
    }
}

/* Adds to a file that setup() has made, and wants to have its disk as it was. */
static enum tp_step goes_back_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct booter *b = tp_container_of(machine, struct booter, machine);
    struct seen *seen = tp_sim_state(tp_node_sim(b->node));
    struct tp_open_options options = {.write = true, .dsync = true};
    struct tp_result result;

    TP_BEGIN(cx);
    TP_AWAIT(cx, tp_open(cx, "/boots", options), &result);
    b->fd = tp_into_fd(cx, result);
    TP_AWAIT(cx, tp_fstat(cx, b->fd, &b->statx), &result);
    seen->boots++;
    seen->forgot += b->statx.size == 1;
    b->buf = tp_buf_full("x", 1);
    TP_AWAIT(cx, tp_write_at(cx, b->fd, &b->buf, b->statx.size), &result);
    if (seen->boots >= 4)
        return tp_end(machine, 0);
    tp_node_rollback(b->node);
    tp_node_start(b->node, 1000);
    TP_AWAIT(cx, tp_timer(cx, 1000000), &result);
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_goes_back(struct tp_node *node)
{
    struct booter *b = tp_node_new(node, sizeof *b);

    b->node = node;
    tp_node_spawn(node, &b->machine, goes_back_tick, "booter");
}

static void set_up_snapshot(struct tp_sim *sim)
{
    struct tp_node_config config = {.boot = boot_goes_back};
    struct tp_node *node = tp_sim_add_node(sim, &config);

    cr_assert(eq(i32, tp_disk_write_file(tp_node_disk(node), "/boots", "x", 1), 0));
    if (tp_sim_context(sim) == NULL)
        tp_node_snapshot(node);
}

Test(nodes, a_disk_goes_back_to_what_setup_has_made)
{
    static const struct tp_scenario scenario = {.name = "back",
                                                .state_bytes = sizeof(struct seen),
                                                .setup = set_up_snapshot,
                                                .check = look};
    struct tp_sim_outcome outcome = s_with(&scenario, 1, 0, S_ALL);

    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
    cr_assert(eq(u32, last.boots, 5), "four, and one in the recovery");
    cr_assert(eq(u32, last.forgot, 4));
}

Test(nodes, a_disk_goes_back_to_a_snapshot_only, .signal = SIGABRT)
{
    static const struct tp_scenario scenario = {.name = "back",
                                                .state_bytes = sizeof(struct seen),
                                                .setup = set_up_snapshot,
                                                .context = "none"};

    (void)s_with(&scenario, 1, 0, S_ALL);
}

/* It wants its disk to be copied while it is at work. */
static void boot_copies(struct tp_node *node)
{
    tp_node_snapshot(node);
}

Test(nodes, a_disk_is_not_copied_while_its_node_is_up, .signal = SIGABRT)
{
    static const struct tp_scenario scenario = {.name = "copies", .boot = boot_copies};

    (void)s_with(&scenario, 1, 0, S_ALL);
}

/* ------------------------------------------------------------------ clocks that are wrong
 */

#define SECOND UINT64_C(1000000000)
#define START  (UINT64_C(1577836800) * SECOND) /* what a wall clock shows at first */

/* What the clocks of a node show, beside the world's time. */
struct shown {
    int64_t wall_off_ns[2]; /* at the first boot, and at the last */
    uint64_t passed_ns;     /* of the world, while the last boot waited a second */
};

struct looker {
    struct tp_machine machine;
    struct tp_node *node;
    uint64_t began_ns;
};

static enum tp_step looker_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct looker *l = tp_container_of(machine, struct looker, machine);
    struct tp_sim *sim = tp_node_sim(l->node);
    struct tp_result result;

    TP_BEGIN(cx);
    l->began_ns = tp_sim_now_ns(sim);
    TP_AWAIT(cx, tp_timer(cx, SECOND), &result);
    ((struct shown *)tp_sim_state(sim))->passed_ns = tp_sim_now_ns(sim) - l->began_ns;
    return tp_end(machine, 0);
    TP_END(cx);
}

static void boot_looker(struct tp_node *node)
{
    struct looker *l = tp_node_new(node, sizeof *l);
    struct shown *shown = tp_sim_state(tp_node_sim(node));

    shown->wall_off_ns[tp_node_boots(node) > 0] =
        (int64_t)(tp_io_wall_ns(tp_node_io(node)) - START -
                  tp_sim_now_ns(tp_node_sim(node)));
    l->node = node;
    tp_node_spawn(node, &l->machine, looker_tick, "looker");
}

static struct shown last_shown; /* in the run that has ended */

static void look_at_clocks(struct tp_sim *sim)
{
    last_shown = *(const struct shown *)tp_sim_state(sim);
}

static const struct tp_scenario clocks = {.name = "clocks",
                                          .state_bytes = sizeof(struct shown),
                                          .boot = boot_looker,
                                          .check = look_at_clocks};

Test(nodes, clocks_are_wrong_from_the_first_boot_to_the_last)
{
    uint32_t ahead = 0, behind = 0, fast = 0, slow = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct tp_sim_outcome outcome =
            s_with(&clocks, seed, TP_FAMILY_BIT(TP_FAMILY_CLOCK), S_ALL);
        int64_t gained_ns = (int64_t)(SECOND - last_shown.passed_ns);

        cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
        cr_assert(ge(i64, gained_ns, -500500)); /* 500 ppm */
        cr_assert(le(i64, gained_ns, 500500));
        if (outcome.fired[TP_FAMILY_CLOCK] == 0)
            cr_assert(eq(i64, last_shown.wall_off_ns[0], last_shown.wall_off_ns[1]));
        ahead += last_shown.wall_off_ns[0] > 0;
        behind += last_shown.wall_off_ns[0] < 0;
        fast += gained_ns > 0;
        slow += gained_ns < 0;
    }
    cr_assert(lt(u32, 8, ahead));
    cr_assert(lt(u32, 8, behind));
    cr_assert(lt(u32, 8, fast));
    cr_assert(lt(u32, 8, slow));
}

Test(nodes, clocks_are_right_where_nothing_goes_wrong)
{
    struct tp_sim_outcome outcome = s_with(&clocks, 1, 0, S_ALL);

    cr_assert(eq(u32, outcome.verdict, TP_VERDICT_PASSED), "%s", outcome.message);
    cr_assert(eq(i64, last_shown.wall_off_ns[0], 0));
    cr_assert(eq(i64, last_shown.wall_off_ns[1], 0));
    cr_assert(eq(u64, last_shown.passed_ns, SECOND));
}
