/** tests/kv/refusals.c - the log has no room, no space, or has failed: nothing changes, the
 * client is told why, and reads go on. */
#include <criterion/criterion.h>
#include <errno.h>
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
    cr_assert(fixture_replica_agrees(&fixture));
    client_close(&one);
    client_close(&two);
    fixture_deinit(&fixture);
}

TestSuite(refusals, .init = begin, .fini = end);

/* What all commands below find. */
static void fill(void)
{
    expect(&one, "FLUSHALL", "+OK");
    expect(&one, "MSET text hello number 10 float 1.5", "+OK");
    expect(&one, "SET mortal v EX 100", "+OK");
}

/* Each changes something; its reply. */
static const struct written {
    const char *line, *reply;
} writes[] = {
    {"SET new v", "+OK"},
    {"SET text v GET", "$5 hello"},
    {"SET text v PXAT 1", "+OK"},
    {"SETNX new v", ":1"},
    {"SETEX new 100 v", "+OK"},
    {"PSETEX new 100000 v", "+OK"},
    {"GETSET text v", "$5 hello"},
    {"GETDEL text", "$5 hello"},
    {"GETEX text EX 100", "$5 hello"},
    {"GETEX mortal PERSIST", "$1 v"},
    {"GETEX text PXAT 1", "$5 hello"},
    {"MSET new 1 text 2", "+OK"},
    {"MSETNX new 1 other 2", ":1"},
    {"APPEND text !", ":6"},
    {"APPEND new v", ":1"},
    {"SETRANGE text 10 x", ":11"},
    {"INCR number", ":11"},
    {"DECR new", ":-1"},
    {"INCRBY number 5", ":15"},
    {"DECRBY number 5", ":5"},
    {"INCRBYFLOAT float 0.25", "$4 1.75"},
    {"DEL text number nothing", ":2"},
    {"UNLINK text", ":1"},
    {"RENAME text new", "+OK"},
    {"RENAMENX text new", ":1"},
    {"EXPIRE text 100", ":1"},
    {"PEXPIRE text 100000", ":1"},
    {"EXPIREAT text 99999999999", ":1"},
    {"PEXPIREAT text 99999999999999", ":1"},
    {"PEXPIREAT text 1", ":1"},
    {"PERSIST mortal", ":1"},
    {"FLUSHDB", "+OK"},
    {"FLUSHALL", "+OK"},
};

enum { WRITES = sizeof writes / sizeof writes[0] };

#define NO_SPACE                                                                         \
    "-MISCONF Errors writing to the log: No space left on device. Nothing was changed; " \
    "reads go "                                                                          \
    "on, and writes will as soon as there is room"
#define FAILED                                                                         \
    "-MISCONF Errors writing to the log: EIO. Writes are refused until the server is " \
    "restarted; "                                                                      \
    "reads go on"

static void expect_reads(void)
{
    expect(&two, "GET text", "$5 hello");
    expect(&two, "MGET number nothing", "*2 $2 10 $-1");
    expect(&two, "EXISTS text mortal", ":2");
    expect(&two, "DBSIZE", ":4");
    expect(&two, "PING", "+PONG");
    expect(&two, "MULTI", "+OK");
    expect(&two, "GET text", "+QUEUED");
    expect(&two, "EXEC", "*1 $5 hello");
}

/* Refused once, and nothing has changed; then it works. */
static void expect_refused(const struct written *write, int32_t error, const char *reply)
{
    uint64_t before, lsn;

    fill();
    before = fixture_digest(fixture.store);
    lsn = fixture.lsn;
    fixture.refusal = error;
    fixture.refuse_in = 0;
    expect(&one, write->line, reply);
    cr_assert_eq(one.result.outcome, error == -EAGAIN ? KV_AGAIN : KV_DONE, "%s",
                 write->line);
    cr_assert_eq(fixture_digest(fixture.store), before, "%s", write->line);
    cr_assert_eq(fixture.lsn, lsn, "%s", write->line);
    expect_reads();
    cr_assert_eq(fixture.refusal, 0);
    expect(&one, write->line, write->reply);
    cr_assert_eq(one.result.outcome, KV_DONE);
    cr_assert_eq(fixture.lsn, lsn + 1, "%s", write->line);
    cr_assert_eq(one.result.lsn, lsn + 1, "%s", write->line);
}

Test(refusals, without_room_a_write_comes_again)
{
    for (uint32_t i = 0; i < WRITES; i++)
        expect_refused(&writes[i], -EAGAIN, "");
}

Test(refusals, without_space_a_write_is_an_error)
{
    for (uint32_t i = 0; i < WRITES; i++)
        expect_refused(&writes[i], -ENOSPC, NO_SPACE);
}

Test(refusals, after_a_failure_every_write_is_an_error)
{
    fill();
    fixture.failure = -EIO;
    for (uint32_t i = 0; i < WRITES; i++)
        expect(&one, writes[i].line, FAILED);
    expect_reads();
    cr_assert_not_null(strstr(client_ask(&one, "INFO"), "aof_last_write_status:err"));
}

Test(refusals, another_error_is_named)
{
    fill();
    fixture.refusal = -EMFILE;
    expect(
        &one, "SET a 1",
        "-MISCONF Errors writing to the log: EMFILE. Nothing was changed; reads go on, and "
        "writes will when that has passed, or after a restart");
    expect(&one, "SET a 1", "+OK");
}

/* ------------------------------------------------------------------ transactions */

/* All of the writes that do not undo each other's keys, in one. */
static void queue_all(struct client *client)
{
    expect(client, "MULTI", "+OK");
    for (uint32_t i = 0; i < WRITES; i++)
        expect(client, writes[i].line, "+QUEUED");
}

Test(refusals, a_transaction_is_executed_whole_or_not_at_all)
{
    uint64_t before, lsn;

    fill();
    before = fixture_digest(fixture.store);
    lsn = fixture.lsn;
    queue_all(&one);
    fixture.refusal = -EAGAIN;
    expect(&one, "EXEC", "");
    cr_assert_eq(one.result.outcome, KV_AGAIN);
    cr_assert_eq(fixture_digest(fixture.store), before);
    fixture.refusal = -ENOSPC;
    expect(&one, "EXEC",
           "-EXECABORT Transaction discarded because of: MISCONF Errors writing to "
           "the log: No space left on device. Nothing was changed; reads go on, and "
           "writes will as soon as there is room");
    cr_assert_eq(fixture_digest(fixture.store), before);
    cr_assert_eq(fixture.lsn, lsn);
    expect(&one, "EXEC", "-ERR EXEC without MULTI");
    queue_all(&one);
    (void)client_ask(&one, "EXEC");
    cr_assert_eq(fixture.lsn, lsn + 1, "one record");
    cr_assert_eq(one.result.lsn, lsn + 1);
    cr_assert_eq(kv_store_count(fixture.store, 0), 0, "it ends with FLUSHALL");
}

Test(refusals, a_transaction_that_comes_again_is_as_it_was)
{
    fill();
    expect(&one, "WATCH text", "+OK");
    expect(&one, "MULTI", "+OK");
    expect(&one, "APPEND text x", "+QUEUED");
    expect(&one, "GET text", "+QUEUED");
    for (int i = 0; i < 3; i++) {
        fixture.refusal = -EAGAIN;
        expect(&one, "EXEC", "");
        cr_assert(one.session.in_multi);
    }
    expect(&one, "EXEC", "*2 :6 $6 hellox");
    expect(&one, "MULTI", "+OK");
    expect(&one, "APPEND text y", "+QUEUED");
    fixture.refusal = -EAGAIN;
    expect(&one, "EXEC", "");
    expect(&one, "DISCARD", "+OK");
    expect(&one, "GET text", "$6 hellox");
}

/* ------------------------------------------------------------------ any reservation */

/* A life of a client, whose every reservation is refused once in its turn. */
static const char *const life[] = {
    "SET a 1",         "INCR a",       "APPEND b hello", "EXPIRE b 100",
    "MSET c 1 d 2",    "RENAME c e",   "MULTI",          "INCR a",
    "DEL d nothing",   "RENAME e f",   "EXEC",           "GETDEL a",
    "SETRANGE b 3 x",  "MULTI",        "GET b",          "EXEC",
    "SELECT 1",        "SET z 1 PX 1", "WATCH z",        "MULTI",
    "INCRBYFLOAT z 1", "EXEC",         "FLUSHDB",        "PERSIST b",
};

/* Runs it; with -EAGAIN a command is repeated, with others it is left out. */
static void live(uint32_t nth, int32_t error)
{
    fixture.refusal = error;
    fixture.refuse_in = nth;
    for (uint32_t i = 0; i < sizeof life / sizeof life[0]; i++) {
        do {
            (void)client_ask(&one, life[i]);
        } while (one.result.outcome != KV_DONE);
    }
    fixture.refusal = 0;
    (void)client_ask(&one, "DISCARD");
}

Test(refusals, any_of_them_leaves_store_and_log_alike)
{
    static const int32_t errors[] = {-EAGAIN, -ENOSPC};
    uint64_t undisturbed;

    live(1000, -EAGAIN);
    undisturbed = fixture.reservations;
    cr_assert_gt(undisturbed, 10);
    for (uint32_t nth = 0; nth < undisturbed; nth++) {
        for (uint32_t i = 0; i < 2; i++) {
            expect(&one, "FLUSHALL", "+OK");
            expect(&one, "SELECT 0", "+OK");
            live(nth, errors[i]);
            cr_assert(fixture_replica_agrees(&fixture), "reservation %u refused with %s",
                      nth, tp_errno_name(errors[i]));
        }
    }
}

/* ------------------------------------------------------------------ expiry */

static void pass_seconds(int64_t seconds)
{
    struct kv_engine *engine = &fixture.engine;

    kv_engine_set_clock(engine, engine->wall_us + seconds * 1000000,
                        engine->clock_ms + seconds * 1000);
}

Test(refusals, without_room_a_read_of_an_expired_key_comes_again)
{
    expect(&one, "SET a v EX 1", "+OK");
    expect(&one, "SET b v EX 1", "+OK");
    pass_seconds(2);
    fixture.refusal = -EAGAIN;
    fixture.refuse_in = 1;
    expect(&one, "MGET a b", "");
    cr_assert_eq(one.result.outcome, KV_AGAIN);
    expect(&one, "MGET a b", "*2 $-1 $-1");
    cr_assert_eq(fixture.lsn, 4, "each expiry that was shown is in the log");
    cr_assert_eq(one.result.lsn, 4);
}

Test(refusals, without_space_an_expired_key_is_not_shown_all_the_same)
{
    expect(&one, "SET a v EX 1", "+OK");
    expect(&one, "SET b v", "+OK");
    pass_seconds(2);
    fixture.refusal = -ENOSPC;
    fixture.refuse_on = true;
    expect(&one, "GET a", "$-1");
    expect(&one, "EXISTS a b", ":1");
    expect(&one, "KEYS *", "*1 $1 b");
    expect(&one, "SCAN 0", "*2 $1 0 *1 $1 b");
    expect(&one, "RANDOMKEY", "$1 b");
    expect(&one, "MULTI", "+OK");
    expect(&one, "GET a", "+QUEUED");
    expect(&one, "TTL a", "+QUEUED");
    expect(&one, "EXEC", "*2 $-1 :-2");
    cr_assert_eq(kv_store_count(fixture.store, 0), 2);
    fixture.refusal = 0;
    expect(&one, "GET a", "$-1");
    cr_assert_eq(kv_store_count(fixture.store, 0), 1, "and goes when there is space");
}

/* A reading transaction must not stop halfway: what has expired goes before it begins. */
Test(refusals, without_room_a_reading_transaction_comes_again)
{
    expect(&one, "MSET a 1 b 2 c 3", "+OK");
    expect(&one, "EXPIRE b 1", ":1");
    expect(&one, "SELECT 1", "+OK");
    expect(&one, "SET b 2 EX 1", "+OK");
    expect(&one, "SELECT 0", "+OK");
    pass_seconds(2);
    expect(&one, "MULTI", "+OK");
    expect(&one, "HELLO 3", "+QUEUED");
    expect(&one, "MGET a b c", "+QUEUED");
    expect(&one, "SELECT 1", "+QUEUED");
    expect(&one, "GET b", "+QUEUED");
    for (uint32_t i = 0; i < 2; i++) {
        fixture.refusal = -EAGAIN;
        expect(&one, "EXEC", "");
        cr_assert_eq(one.result.outcome, KV_AGAIN);
        cr_assert_eq(one.session.version, KV_RESP2);
        cr_assert_eq(one.session.db, 0);
    }
    (void)client_ask(&one, "EXEC");
    cr_assert_eq(one.session.db, 1);
    cr_assert_not_null(strstr(one.text, "*3 $1 1 _ $1 3 +OK _"), "%s", one.text);
}

/* A disk with no room for the delete of a long key may have some for a short one, and the
 * log may be busy by then: a transaction that has begun must not be told to come again. */
Test(refusals, what_was_not_taken_before_a_reading_transaction_is_not_tried_in_it)
{
    expect(&one, "SET a v EX 1", "+OK");
    expect(&one, "SET b v", "+OK");
    pass_seconds(2);
    expect(&one, "MULTI", "+OK");
    expect(&one, "MGET a b", "+QUEUED");
    fixture.refusal = -ENOSPC;
    fixture.refusal_next = -EAGAIN;
    expect(&one, "EXEC", "*1 *2 $-1 $1 v");
    cr_assert_eq(fixture.refusal, -EAGAIN, "the log was asked once");
    fixture.refusal = 0;
    expect(&one, "GET a", "$-1");
    cr_assert_eq(kv_store_count(fixture.store, 0), 1);
}

Test(refusals, many_expired_keys_are_removed_before_all_are_told_of)
{
    char line[64];

    for (uint32_t i = 0; i < 2500; i++) {
        (void)snprintf(line, sizeof line, "SET key:%u v EX 1", i);
        (void)client_ask(&one, line);
    }
    expect(&one, "SET last v", "+OK");
    pass_seconds(2);
    for (uint32_t i = 0; i < 2; i++) {
        expect(&one, "DBSIZE", "");
        cr_assert_eq(one.result.outcome, KV_SOON);
    }
    expect(&one, "DBSIZE", ":1");
    cr_assert_eq(one.result.lsn, fixture.lsn);
    expect(&one, "SET more v EX 1", "+OK");
    pass_seconds(2);
    fixture.refusal = -EAGAIN;
    expect(&one, "KEYS *", "");
    cr_assert_eq(one.result.outcome, KV_AGAIN);
    expect(&one, "KEYS *", "*1 $4 last");
}
