/** tests/kv/waiting.c - which record must be durable before a reply is sent. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/kv/client.h"

static struct fixture fixture;
static struct client one, two;

static void begin(void)
{
    fixture_init(&fixture, &(struct fixture_config){.with_replica = true});
    client_open(&one, &fixture);
    client_open(&two, &fixture);
}

static void end(void)
{
    client_close(&one);
    client_close(&two);
    fixture_deinit(&fixture);
}

TestSuite(waiting, .init = begin, .fini = end);

static uint64_t waits_for(struct client *client, const char *line)
{
    (void)client_ask(client, line);
    cr_assert_eq(client->result.outcome, KV_DONE, "%s", line);
    return client->result.lsn;
}

#define expect_wait(client, line, lsn) \
    cr_assert_eq(waits_for(client, line), lsn, "%s", line)

/* a is record 1, b 2, c was made by 3 and deleted by 4. */
static void fill(void)
{
    expect_wait(&one, "SET a hello EX 1000", 1);
    expect_wait(&one, "SET b 5", 2);
    expect_wait(&one, "SET c 1", 3);
    expect_wait(&one, "DEL c", 4);
}

Test(waiting, a_read_waits_for_the_keys_it_looks_at)
{
    fill();
    expect_wait(&two, "GET a", 1);
    expect_wait(&two, "GET b", 2);
    expect_wait(&two, "GET c", 4);
    expect_wait(&two, "GET d", 0);
    expect_wait(&two, "MGET a b", 2);
    expect_wait(&two, "MGET a d", 1);
    expect_wait(&two, "MGET d c a", 4);
    expect_wait(&two, "STRLEN c", 4);
    expect_wait(&two, "GETRANGE a 0 1", 1);
    expect_wait(&two, "EXISTS a c", 4);
    expect_wait(&two, "TYPE a", 1);
    expect_wait(&two, "TTL a", 1);
    expect_wait(&two, "PTTL c", 4);
    expect_wait(&two, "EXPIRETIME b", 2);
    expect_wait(&two, "PEXPIRETIME b", 2);
}

Test(waiting, what_tells_of_all_keys_waits_for_all_writes)
{
    fill();
    expect_wait(&two, "DBSIZE", 4);
    expect_wait(&two, "KEYS nothing", 4);
    expect_wait(&two, "SCAN 0", 4);
    expect_wait(&two, "RANDOMKEY", 4);
    expect_wait(&one, "SELECT 3", 0);
    expect_wait(&one, "SET x 1", 5);
    expect_wait(&two, "DBSIZE", 4);
    expect_wait(&one, "FLUSHALL", 6);
    expect_wait(&two, "DBSIZE", 6);
    expect_wait(&two, "GET a", 6);
    expect_wait(&two, "FLUSHALL", 6);
    expect_wait(&two, "FLUSHDB", 6);
}

Test(waiting, a_write_that_changes_nothing_waits_for_what_it_saw)
{
    fill();
    expect_wait(&two, "SET a x NX", 1);
    expect_wait(&two, "SET c x XX", 4);
    expect_wait(&two, "SETNX b x", 2);
    expect_wait(&two, "MSETNX d 1 b 2", 2);
    expect_wait(&two, "DEL c d", 4);
    expect_wait(&two, "PERSIST b", 2);
    expect_wait(&two, "EXPIRE b 10 XX", 2);
    expect_wait(&two, "EXPIRE c 10", 4);
    expect_wait(&two, "RENAMENX b a", 2);
    expect_wait(&two, "RENAME c x", 4);
    expect_wait(&two, "INCR a", 1);
    expect_wait(&two, "GETDEL c", 4);
    expect_wait(&two, "GETEX a", 1);
    expect_wait(&two, "SETRANGE a 0 ''", 1);
    expect_wait(&two, "INCRBYFLOAT a 1", 1);
    cr_assert_eq(fixture.lsn, 4);
    expect_wait(&two, "SET a x", 5);
    expect_wait(&two, "SET a x GET", 6);
    cr_assert(fixture_replica_agrees(&fixture));
}

Test(waiting, what_tells_of_no_key_waits_for_nothing)
{
    static const char *const lines[] = {
        "PING",      "ECHO a",       "TIME",          "SELECT 2",      "HELLO 2",
        "CLIENT ID", "CONFIG GET *", "COMMAND COUNT", "INFO",          "MULTI",
        "GET a",     "DISCARD",      "UNWATCH",       "LASTSAVE",      "NOSUCH",
        "GET",       "SET a 1 FOO",  "EXPIRE a x",    "DEBUG SLEEP 0", "FUNCTION FLUSH",
        "BGSAVE"};

    fill();
    for (uint32_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_wait(&two, lines[i], 0);
}

Test(waiting, a_transaction_waits_for_all_that_it_saw_and_did)
{
    fill();
    expect_wait(&two, "MULTI", 0);
    expect_wait(&two, "GET a", 0);
    expect_wait(&two, "GET b", 0);
    expect_wait(&two, "EXEC", 2);
    expect_wait(&two, "MULTI", 0);
    expect_wait(&two, "EXEC", 0);
    expect_wait(&two, "MULTI", 0);
    expect_wait(&two, "GET c", 0);
    expect_wait(&two, "SETNX a 1", 0);
    expect_wait(&two, "EXEC", 4);
    expect_wait(&two, "MULTI", 0);
    expect_wait(&two, "GET a", 0);
    expect_wait(&two, "INCR b", 0);
    expect_wait(&two, "EXEC", 5);
    expect_wait(&one, "GET b", 5);
}

Test(waiting, an_aborted_transaction_tells_of_what_was_watched)
{
    fill();
    expect_wait(&two, "WATCH a b", 2);
    expect_wait(&one, "SET b 6", 5);
    expect_wait(&one, "SET x 1", 6);
    expect_wait(&two, "MULTI", 0);
    expect_wait(&two, "GET x", 0);
    expect(&two, "EXEC", "*-1");
    cr_assert_eq(two.result.lsn, 5);
    expect_wait(&two, "WATCH x", 6);
    expect_wait(&one, "DEL x", 7);
    expect_wait(&two, "MULTI", 0);
    expect(&two, "EXEC", "*-1");
    cr_assert_eq(two.result.lsn, 7);
}

Test(waiting, dirty_reads_wait_for_nothing_and_writes_as_ever)
{
    fill();
    expect_wait(&one, "CONFIG SET dirty-reads yes", 0);
    expect_wait(&two, "GET a", 0);
    expect_wait(&two, "MGET a c", 0);
    expect_wait(&two, "DBSIZE", 0);
    expect_wait(&two, "MULTI", 0);
    expect_wait(&two, "GET c", 0);
    expect_wait(&two, "EXEC", 0);
    expect_wait(&two, "SET a x NX", 1);
    expect_wait(&two, "SET a x", 5);
    expect_wait(&two, "MULTI", 0);
    expect_wait(&two, "GET b", 0);
    expect_wait(&two, "SETNX c 1", 0);
    expect_wait(&two, "EXEC", 6);
    expect_wait(&one, "CONFIG SET dirty-reads no", 0);
    expect_wait(&two, "GET a", 5);
}

Test(waiting, an_expiry_that_was_shown_is_a_record)
{
    expect_wait(&one, "SET a v PX 10", 1);
    kv_engine_set_clock(&fixture.engine, fixture.engine.wall_us + 20000, 2000);
    expect_wait(&two, "GET a", 2);
    expect_wait(&two, "GET a", 2);
    cr_assert(fixture_replica_agrees(&fixture));
    /* The clock steps back: what has gone stays away. */
    kv_engine_set_clock(&fixture.engine, fixture.engine.wall_us - 1000000000, 2001);
    expect(&two, "GET a", "$-1");
    expect(&one, "SET b v PX 10", "+OK");
    expect(&two, "PTTL b", ":10");
    expect(&two, "TIME", "*2 $10 1699999000 $6 143456");
}

Test(waiting, a_watched_key_that_expires_has_changed)
{
    expect_wait(&one, "SET a v PX 10", 1);
    expect_wait(&two, "WATCH a b", 1);
    expect_wait(&two, "MULTI", 0);
    expect_wait(&two, "GET a", 0);
    kv_engine_set_clock(&fixture.engine, fixture.engine.wall_us + 20000, 2000);
    expect(&two, "EXEC", "*-1");
    cr_assert_eq(two.result.lsn, 1);
    /* One that had expired before it was watched has not. */
    expect_wait(&two, "WATCH a", 2);
    expect_wait(&two, "MULTI", 0);
    cr_assert_eq(kv_engine_expire(&fixture.engine, 10), 0);
    expect(&two, "EXEC", "*0");
}

Test(waiting, a_write_that_expires_a_key_first_is_one_record)
{
    expect_wait(&one, "SET a 5 PX 10", 1);
    kv_engine_set_clock(&fixture.engine, fixture.engine.wall_us + 20000, 2000);
    expect(&two, "INCR a", ":1");
    cr_assert_eq(two.result.lsn, 2);
    expect(&two, "TTL a", ":-1");
    cr_assert(fixture_replica_agrees(&fixture));
}

Test(waiting, expiry_in_the_background_is_logged_key_by_key)
{
    char line[64];

    for (uint32_t i = 0; i < 10; i++) {
        (void)snprintf(line, sizeof line, "SET key:%u v PX %u", i, 10 + i);
        (void)client_ask(&one, line);
    }
    cr_assert_eq(kv_engine_expire(&fixture.engine, 100), 0);
    kv_engine_set_clock(&fixture.engine, fixture.engine.wall_us + 15000, 2000);
    cr_assert_eq(kv_engine_expire(&fixture.engine, 3), 3);
    cr_assert_eq(kv_engine_expire(&fixture.engine, 3), 2, "those of 10 to 14 ms");
    cr_assert_eq(fixture.lsn, 15);
    cr_assert_eq(fixture.engine.stats.expired, 5);
    kv_engine_set_clock(&fixture.engine, fixture.engine.wall_us + 15000, 2000);
    fixture.refusal = -EAGAIN;
    fixture.refuse_in = 2;
    cr_assert_eq(kv_engine_expire(&fixture.engine, 100), -EAGAIN);
    cr_assert_eq(kv_engine_expire(&fixture.engine, 100), 3);
    cr_assert(fixture_replica_agrees(&fixture));
}
