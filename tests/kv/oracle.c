/* The oracle of the simulation must accept whatever a sound server answers, and find what
 * an unsound one does. Its clients talk to the engine itself here, without a connection. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "apps/kv/resp.h"
#include "apps/kv/sim/script.h"
#include "tests/kv/fixture.h"

enum { OWNERS = 4, STEPS = 300 };

static struct fixture fixture;
static struct kv_oracle oracle;
static struct kv_script scripts[OWNERS];
static struct kv_session sessions[OWNERS];
static struct kv_reply reply;
static int64_t now_ms;

static void set_up(void)
{
    fixture_init(&fixture, &(struct fixture_config){.with_replica = true});
    kv_oracle_init(&oracle);
    now_ms = 1800000000000;
    for (uint32_t i = 0; i < OWNERS; i++) {
        kv_script_init(&scripts[i], &oracle, i, 1000 + i, STEPS);
        scripts[i].owners = OWNERS;
    }
}

static void disconnect(uint32_t i)
{
    kv_session_close(&fixture.engine, &sessions[i]);
    kv_script_disconnected(&scripts[i]);
}

static void tear_down(void)
{
    for (uint32_t i = 0; i < OWNERS; i++) {
        if (sessions[i].id != 0)
            kv_session_close(&fixture.engine, &sessions[i]);
        kv_script_deinit(&scripts[i]);
    }
    kv_reply_deinit(&reply);
    fixture_deinit(&fixture);
}

static void connect_again(uint32_t i)
{
    kv_session_open(&fixture.engine, &sessions[i]);
    kv_script_connected(&scripts[i]);
}

/* Executes what a client asks, at most `requests_max` requests. */
static void serve(uint32_t i, uint32_t requests_max)
{
    struct kv_script *script = &scripts[i];
    struct kv_resp_limits limits = {.args_max = 100, .argument_max = 1 << 20};
    struct kv_resp resp;
    uint32_t at = 0;

    kv_resp_init(&resp, &limits);
    reply.len = 0;
    kv_engine_set_clock(&fixture.engine, now_ms * 1000, now_ms - 1500000000000);
    for (uint32_t n = 0; at < script->request_len && n < requests_max; n++) {
        struct kv_result result;

        cr_assert(eq(int,
                     kv_resp_read(&resp, script->request + at, script->request_len - at),
                     KV_RESP_REQUEST));
        kv_execute(&fixture.engine, &sessions[i], resp.argv, resp.argc, &reply, &result);
        cr_assert(eq(int, result.outcome, KV_DONE));
        at += resp.used;
        kv_resp_next(&resp);
    }
    kv_resp_deinit(&resp);
    script->request_len = 0;
}

/* Gives a client its answers; the first `tokens_max` of them. */
static void answer(uint32_t i, uint32_t tokens_max)
{
    uint32_t at = 0;

    for (uint32_t n = 0; at < reply.len && n < tokens_max; n++) {
        struct kv_answer token = kv_answer_read(reply.bytes + at, reply.len - at);

        cr_assert(ne(int, token.kind, KV_ANSWER_MORE));
        cr_assert(ne(int, token.kind, KV_ANSWER_WRONG));
        kv_script_answer(&scripts[i], &token, now_ms);
        at += token.used;
    }
}

/* Lets client `i` ask and be answered once. */
static void turn(uint32_t i)
{
    scripts[i].pausing = false;
    while (kv_script_wants(&scripts[i], 20))
        kv_script_ask(&scripts[i], now_ms);
    serve(i, UINT32_MAX);
    now_ms += i % 2 * 7;
    answer(i, UINT32_MAX);
}

static bool is_done(void)
{
    for (uint32_t i = 0; i < OWNERS; i++) {
        if (!kv_script_done(&scripts[i]))
            return false;
    }
    return true;
}

static void run(void)
{
    for (uint32_t i = 0; i < OWNERS; i++)
        connect_again(i);
    for (uint32_t round = 0; !is_done(); round++) {
        cr_assert(lt(u32, round, 100000));
        cr_assert(eq(str, oracle.violation, ""));
        for (uint32_t i = 0; i < OWNERS; i++)
            turn(i);
    }
}

Test(oracle, accepts_what_a_sound_server_answers, .init = set_up, .fini = tear_down)
{
    run();
    cr_assert(eq(str, oracle.violation, ""));
    cr_assert(eq(u64, oracle.stats.steps_acked, OWNERS * STEPS));
    cr_assert(lt(u64, 50, oracle.stats.reads_of_others));
    cr_assert(lt(u64, 50, oracle.stats.counts));
    cr_assert(fixture_replica_agrees(&fixture));
}

/* A connection that ends after some of its requests were executed, and before all of them
 * were answered: what happened is found out, whatever it was. */
Test(oracle, resolves_what_a_broken_connection_left, .init = set_up, .fini = tear_down)
{
    for (uint32_t i = 0; i < OWNERS; i++)
        connect_again(i);
    for (uint32_t round = 0; !is_done(); round++) {
        uint32_t i = round % OWNERS;

        cr_assert(lt(u32, round, 100000));
        cr_assert(eq(str, oracle.violation, ""));
        if (round % 7 != 0 || scripts[i].stage != KV_SCRIPT_RUN ||
            scripts[i].steps_left == 0) {
            turn(i);
            continue;
        }
        while (kv_script_wants(&scripts[i], 20))
            kv_script_ask(&scripts[i], now_ms);
        serve(i, round / 7 % 12);
        answer(i, round / 7 % 5);
        disconnect(i);
        connect_again(i);
    }
    cr_assert(eq(str, oracle.violation, ""));
    cr_assert(lt(u64, 20, oracle.stats.survived));
    cr_assert(lt(u64, oracle.stats.survived, oracle.stats.steps_unknown));
    cr_assert(fixture_replica_agrees(&fixture));
}

/* A connection comes and goes while its predecessor is still there, with requests that were
 * never executed: the one after it waits for that predecessor all the same. */
Test(oracle, waits_for_a_connection_that_outlives_its_successor, .init = set_up,
     .fini = tear_down)
{
    struct kv_session old;

    connect_again(0);
    while (scripts[0].stage != KV_SCRIPT_RUN)
        turn(0);
    /* The server does not know yet that the client has gone: its session stays. */
    kv_session_close(&fixture.engine, &sessions[0]);
    fixture.engine.session_id--;
    kv_session_open(&fixture.engine, &old);
    cr_assert(eq(i64, (int64_t)old.id, scripts[0].id));
    kv_script_disconnected(&scripts[0]);
    for (uint32_t i = 0; i < 3; i++) {
        connect_again(0);
        turn(0);
        cr_assert(eq(int, scripts[0].stage, KV_SCRIPT_LIST));
        turn(0);
        cr_assert(eq(int, scripts[0].stage, KV_SCRIPT_LIST), "successor %u", i);
        disconnect(0);
    }
    kv_session_close(&fixture.engine, &old);
    connect_again(0);
    turn(0);
    turn(0);
    cr_assert(eq(int, scripts[0].stage, KV_SCRIPT_RESOLVE));
}

/* ------------------------------------------------------------------ what it must find */

static const char *key_name(uint32_t key)
{
    static const char *const names[] = {"alpha", "beta", "gamma", "delta", "number"};

    return names[key];
}

static bool find(uint32_t owner, uint32_t *ret_key, struct kv_view *ret_view)
{
    for (*ret_key = 0; *ret_key < 5; ++*ret_key) {
        if (kv_store_get(fixture.store, owner, kv_slice_text(key_name(*ret_key)), ret_view))
            return true;
    }
    return false;
}

/* Runs for a while, changes the store behind the back of all, and runs on. */
static void run_with_damage(void (*damage)(uint32_t owner))
{
    for (uint32_t i = 0; i < OWNERS; i++)
        connect_again(i);
    for (uint32_t round = 0; round < 3000 && !kv_oracle_is_broken(&oracle); round++) {
        turn(round % OWNERS);
        if (round > 100 && round % 10 == 0)
            damage(round / 10 % OWNERS);
        if (is_done())
            break;
    }
    cr_assert(ne(str, oracle.violation, ""));
}

static void lose_a_key(uint32_t owner)
{
    struct kv_effect effect;
    struct kv_view view;
    uint32_t key;

    if (!find(owner, &key, &view))
        return;
    effect = kv_effect_del(owner, kv_slice_text(key_name(key)));
    kv_store_apply(fixture.store, &effect, fixture.lsn);
}

Test(oracle, finds_a_lost_key, .init = set_up, .fini = tear_down)
{
    run_with_damage(lose_a_key);
}

static void invent_a_value(uint32_t owner)
{
    struct kv_effect effect =
        kv_effect_set(owner, kv_slice_text("alpha"), kv_slice_text("nobody wrote this"), 0);

    kv_store_apply(fixture.store, &effect, fixture.lsn);
}

Test(oracle, finds_an_invented_value, .init = set_up, .fini = tear_down)
{
    run_with_damage(invent_a_value);
}

static void turn_back_a_counter(uint32_t owner)
{
    struct kv_effect effect = kv_effect_set(KV_COUNTERS_DB, kv_slice_text("a"),
                                            kv_slice_text(owner % 2 == 0 ? "1" : "7"), 0);

    kv_store_apply(fixture.store, &effect, fixture.lsn);
}

Test(oracle, finds_a_number_given_twice, .init = set_up, .fini = tear_down)
{
    run_with_damage(turn_back_a_counter);
}

static struct kv_sight seen(const char *text)
{
    struct kv_sight sight = {.after_ms = 10, .before_ms = 20};

    if (text != NULL)
        sight.value = kv_slice_text(text);
    return sight;
}

/* Three steps, of which the first was acknowledged. */
static void make_three_steps(void)
{
    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 0, kv_slice_text("one"), 0);
    kv_oracle_ack(&oracle, 0, 1);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 0, kv_slice_text("two"), 0);
    kv_oracle_put(&oracle, 0, 1, kv_slice_text("two"), 0);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_remove(&oracle, 0, 0);
    kv_oracle_doubt(&oracle, 0);
}

static char *resolve(const char *first, const char *second)
{
    struct kv_sight sights[KV_KEYS];

    for (uint32_t i = 0; i < KV_KEYS; i++)
        sights[i] = seen(NULL);
    sights[0] = seen(first);
    sights[1] = seen(second);
    kv_oracle_resolve(&oracle, 0, sights);
    return oracle.violation;
}

Test(oracle, takes_any_step_from_the_acknowledged_one_on)
{
    make_three_steps();
    cr_assert(eq(str, resolve("one", NULL), ""));
    cr_assert(eq(u64, oracle.owners[0].sent, 1));
    make_three_steps();
    cr_assert(eq(str, resolve("two", "two"), ""));
    cr_assert(eq(u64, oracle.owners[0].sent, 2));
    make_three_steps();
    cr_assert(eq(str, resolve(NULL, "two"), ""));
    cr_assert(eq(u64, oracle.owners[0].sent, 3));
}

Test(oracle, finds_half_a_step)
{
    make_three_steps();
    cr_assert(ne(str, resolve("two", NULL), ""));
    make_three_steps();
    cr_assert(ne(str, resolve("one", "two"), ""));
}

Test(oracle, finds_a_lost_step)
{
    make_three_steps();
    cr_assert(ne(str, resolve(NULL, NULL), ""));
}

/* A read that was under way for long may show what is not remembered any more, even if
 * there is room again for versions to be remembered. */
Test(oracle, does_not_judge_what_it_has_forgotten)
{
    struct kv_sight sights[KV_KEYS], old = seen("2"), wrong = seen("none");
    char text[8];

    kv_oracle_init(&oracle);
    for (uint32_t step = 1; step <= KV_VERSIONS + 10; step++) {
        (void)kv_oracle_step(&oracle, 0);
        (void)snprintf(text, sizeof text, "%u", step);
        kv_oracle_put(&oracle, 0, 0, kv_slice_text(text), 0);
    }
    kv_oracle_ack(&oracle, 0, 50);
    kv_oracle_doubt(&oracle, 0);
    for (uint32_t i = 0; i < KV_KEYS; i++)
        sights[i] = seen(i == 0 ? "52" : NULL);
    kv_oracle_resolve(&oracle, 0, sights);
    kv_oracle_see(&oracle, 0, 0, 2, UINT64_MAX, &old);
    cr_assert(eq(str, oracle.violation, ""));
    kv_oracle_see(&oracle, 0, 0, 51, UINT64_MAX, &wrong);
    cr_assert(ne(str, oracle.violation, ""), "what it remembers it judges");
}

/* What somebody was shown must be there as if it had been acknowledged. */
Test(oracle, finds_that_a_sight_was_lost)
{
    struct kv_sight sight = seen("two");

    make_three_steps();
    kv_oracle_see(&oracle, 0, 0, 1, UINT64_MAX, &sight);
    cr_assert(eq(str, oracle.violation, ""));
    cr_assert(ne(str, resolve("one", NULL), ""));
}

Test(oracle, finds_a_refused_step_that_happened)
{
    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 0, kv_slice_text("one"), 0);
    kv_oracle_refuse(&oracle, 0, 1);
    cr_assert(ne(str, resolve("one", NULL), ""));
}

Test(oracle, knows_when_a_key_expires)
{
    struct kv_sight sight = seen("mortal");

    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 5, kv_slice_text("mortal"), 15);
    kv_oracle_see(&oracle, 0, 5, 1, 1, &sight); /* asked at 10: it may have been there */
    sight.value = kv_slice_of(NULL, 0);
    kv_oracle_see(&oracle, 0, 5, 1, 1, &sight); /* answered at 20: it may have gone */
    cr_assert(eq(str, oracle.violation, ""));
    sight.before_ms = 15;
    kv_oracle_see(&oracle, 0, 5, 1, 1, &sight);
    cr_assert(ne(str, oracle.violation, ""), "it was still there at 15");
    oracle.violation[0] = '\0';
    oracle.owners[0].keys[5].versions[0].gone = 0;
    sight = (struct kv_sight){
        .value = kv_slice_text("mortal"), .after_ms = 16, .before_ms = 20};
    kv_oracle_see(&oracle, 0, 5, 1, 1, &sight);
    cr_assert(ne(str, oracle.violation, ""), "it had gone by 16");
}

/* The clock may go back, but not what has expired come back. */
Test(oracle, finds_a_key_that_comes_back_with_the_clock)
{
    struct kv_sight there = seen("mortal"), gone = seen(NULL);

    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 5, kv_slice_text("mortal"), 15);
    kv_oracle_see(&oracle, 0, 5, 1, 1, &gone);
    kv_oracle_see(&oracle, 0, 5, 1, 1, &there);
    cr_assert(eq(str, oracle.violation, ""),
              "it was asked for before it was seen to have gone");
    there.moment = oracle.moment;
    kv_oracle_see(&oracle, 0, 5, 1, 1, &there);
    cr_assert(ne(str, oracle.violation, ""));
}

/* But if the log was not told of it, it may. */
Test(oracle, lets_a_key_come_back_whose_end_was_not_logged)
{
    struct kv_sight there = seen("mortal"), gone = seen(NULL);

    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 5, kv_slice_text("mortal"), 15);
    gone.unlogged = true;
    kv_oracle_see(&oracle, 0, 5, 1, 1, &gone);
    there.moment = oracle.moment;
    kv_oracle_see(&oracle, 0, 5, 1, 1, &there);
    cr_assert(eq(str, oracle.violation, ""));
}

/* A key is not there: its first value has expired, and whether it was given a second one,
 * which has expired as well, was not answered. Nobody was told. Then either may come back.
 */
Test(oracle, does_not_guess_which_value_has_expired)
{
    struct kv_sight sights[KV_KEYS], back = seen("first"), none = seen(NULL);

    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 5, kv_slice_text("first"), 12);
    kv_oracle_ack(&oracle, 0, 1);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 5, kv_slice_text("second"), 15);
    kv_oracle_doubt(&oracle, 0);
    for (uint32_t i = 0; i < KV_KEYS; i++)
        sights[i] = seen(NULL);
    sights[5].unlogged = true;
    kv_oracle_resolve(&oracle, 0, sights);
    kv_oracle_see(&oracle, 0, 5, 2, 2, &back);
    back.value = kv_slice_text("second");
    kv_oracle_see(&oracle, 0, 5, 2, 2, &back);
    kv_oracle_see(&oracle, 0, 5, 2, 2, &none);
    cr_assert(eq(str, oracle.violation, ""));
    back.moment = oracle.moment;
    kv_oracle_see(&oracle, 0, 5, 2, 2, &back);
    cr_assert(ne(str, oracle.violation, ""), "now it was logged");
}

/* A key that expires, and a step behind it that removes it and was not answered; then it is
 * not there, and nobody was told. */
static void leave_unknown_whether_it_was_removed(void)
{
    struct kv_sight sights[KV_KEYS];

    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 5, kv_slice_text("mortal"), 15);
    kv_oracle_ack(&oracle, 0, 1);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_remove(&oracle, 0, 5);
    kv_oracle_doubt(&oracle, 0);
    for (uint32_t i = 0; i < KV_KEYS; i++)
        sights[i] = seen(NULL);
    sights[5].unlogged = true;
    kv_oracle_resolve(&oracle, 0, sights);
}

static uint64_t choose_size(void *context, uint64_t bound)
{
    (void)context;
    cr_assert(eq(u64, bound, 100));
    return 75;
}

/* Owner 0 asks how many keys there are. */
static char *ask_for_size(int64_t size)
{
    struct kv_answer number = {.kind = KV_ANSWER_NUMBER, .number = size};

    kv_script_init(&scripts[0], &oracle, 0, 1, 1);
    scripts[0].stage = KV_SCRIPT_RUN;
    scripts[0].choose = choose_size;
    kv_script_ask(&scripts[0], 20);
    cr_assert(eq(int, scripts[0].expects[0].kind, KV_EXPECT_SIZE));
    kv_script_answer(&scripts[0], &number, 20);
    kv_script_deinit(&scripts[0]);
    return oracle.violation;
}

/* What removes a key may not have been executed; then the key, which the log takes no
 * removal of, counts on (seeds 15885 and 17651). */
Test(oracle, does_not_guess_whether_a_key_that_has_expired_counts)
{
    struct kv_sight gone = seen(NULL);

    leave_unknown_whether_it_was_removed();
    cr_assert(eq(str, ask_for_size(1), ""));
    cr_assert(eq(str, ask_for_size(0), ""));
    cr_assert(ne(str, ask_for_size(2), ""));
    leave_unknown_whether_it_was_removed();
    kv_oracle_see(&oracle, 0, 5, 2, 2, &gone);
    cr_assert(eq(str, ask_for_size(0), ""));
    cr_assert(ne(str, ask_for_size(1), ""), "now it was logged");
}

/* A key whose end was shown and logged is none that counts on. */
Test(oracle, finds_that_a_key_counts_whose_end_was_logged)
{
    struct kv_sight gone = seen(NULL);

    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 5, kv_slice_text("mortal"), 15);
    kv_oracle_ack(&oracle, 0, 1);
    cr_assert(eq(str, ask_for_size(1), ""));
    kv_oracle_see(&oracle, 0, 5, 1, 1, &gone);
    cr_assert(eq(str, ask_for_size(0), ""));
    cr_assert(ne(str, ask_for_size(1), ""));
}

/* What was not answered is of another key: this one was removed, and stays so. */
Test(oracle, finds_that_what_was_removed_comes_back)
{
    struct kv_sight sights[KV_KEYS], back = seen("mortal");

    kv_oracle_init(&oracle);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 5, kv_slice_text("mortal"), 15);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_remove(&oracle, 0, 5);
    kv_oracle_ack(&oracle, 0, 2);
    (void)kv_oracle_step(&oracle, 0);
    kv_oracle_put(&oracle, 0, 0, kv_slice_text("one"), 0);
    kv_oracle_doubt(&oracle, 0);
    for (uint32_t i = 0; i < KV_KEYS; i++)
        sights[i] = seen(i == 0 ? "one" : NULL);
    sights[5].unlogged = true;
    kv_oracle_resolve(&oracle, 0, sights);
    cr_assert(eq(str, oracle.violation, ""));
    kv_oracle_see(&oracle, 0, 5, 3, 3, &back);
    cr_assert(ne(str, oracle.violation, ""));
}

/* A client of server 2 asks something, and a write is refused. */
static char *refuse_a_write(uint32_t refusing_boot)
{
    struct kv_answer answer = {
        .kind = KV_ANSWER_ERROR,
        .text = kv_slice_text("MISCONF Errors writing to the log: EIO. Writes are refused "
                              "until the server is restarted; reads go on")};

    tear_down();
    set_up();
    oracle.refusing_boot = refusing_boot;
    connect_again(0);
    scripts[0].boot = 2;
    while (scripts[0].stage != KV_SCRIPT_RUN)
        turn(0);
    while (scripts[0].steps_open == 0)
        kv_script_ask(&scripts[0], now_ms);
    while (scripts[0].stage == KV_SCRIPT_RUN && oracle.violation[0] == '\0')
        kv_script_answer(&scripts[0], &answer, now_ms);
    return oracle.violation;
}

Test(oracle, finds_a_write_that_is_refused_without_a_reason, .init = set_up,
     .fini = tear_down)
{
    cr_assert(eq(str, refuse_a_write(2), ""));
    cr_assert(ne(str, refuse_a_write(1), ""), "only the server before had one");
}

/* Two seconds ahead and back: a key may have expired in between, and be there again. */
Test(oracle, follows_a_clock_that_steps)
{
    struct kv_clock clock = {.now_ms = 0};
    uint32_t asked;

    kv_clock_boot(&clock, 1000);
    asked = clock.epoch;
    kv_clock_see(&clock, 3000);
    kv_clock_see(&clock, 1010);
    cr_assert(eq(i64, kv_clock_earliest(&clock, asked, 1005), 1005));
    cr_assert(ge(i64, kv_clock_latest(&clock, asked), 3000));
    cr_assert(eq(i64, kv_clock_latest(&clock, clock.epoch), 1010));
    kv_clock_see(&clock, 500);
    cr_assert(eq(i64, kv_clock_earliest(&clock, asked, 1005), 500));
    for (uint32_t i = 0; i < KV_EPOCHS_MAX; i++)
        kv_clock_boot(&clock, 500);
    cr_assert(eq(i64, kv_clock_earliest(&clock, asked, 1005), INT64_MIN), "it forgets");
    cr_assert(eq(i64, kv_clock_latest(&clock, asked), INT64_MAX));
}
