/** tests/kv/limits.c - what is too much: for the log, for memory, for a reply, for a
 * session. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/common/allocator.h"
#include "tests/kv/client.h"

static struct fixture fixture;
static struct client one, two;

static void begin_with(const struct fixture_config *config)
{
    fixture_init(&fixture, config);
    client_open(&one, &fixture);
    client_open(&two, &fixture);
}

static void begin(void)
{
    begin_with(&(struct fixture_config){.with_replica = true});
}

static void end(void)
{
    if (fixture.replica != NULL)
        cr_assert(fixture_replica_agrees(&fixture));
    client_close(&one);
    client_close(&two);
    fixture_deinit(&fixture);
}

TestSuite(limits, .init = begin, .fini = end);

/* `len` times a letter. */
static struct kv_slice letters(uint32_t len)
{
    static char memory[9 << 20];

    cr_assert_leq(len, sizeof memory);
    memset(memory, 'x', len);
    return kv_slice_of(memory, len);
}

/* COMMAND a VALUE, with a value of so many letters. */
static const char *ask_long(struct client *client, const char *command, const char *key,
                            uint32_t len)
{
    struct kv_slice words[] = {kv_slice_text(command), kv_slice_text(key), letters(len)};

    return client_ask_words(client, words, 3);
}

/* ------------------------------------------------------------------ of the log */

#define TOO_LONG                                                                 \
    "ERR the change is too long for the log: keys and values of one command or " \
    "transaction "                                                               \
    "may have about 8388544 bytes together"

Test(limits, a_change_must_fit_into_a_record)
{
    uint32_t max = FIXTURE_RECORD_MAX;

    cr_assert_str_eq(ask_long(&one, "SET", "a", max), "-" TOO_LONG);
    cr_assert_eq(fixture.lsn, 0);
    cr_assert_str_eq(ask_long(&one, "SET", "a", max - 200), "+OK");
    expect(&one, "STRLEN a", ":8388344");
    cr_assert_str_eq(ask_long(&one, "SETNX", "b", max), "-" TOO_LONG);
    expect(&one, "RENAME a b", "+OK");
    expect(&one, "STRLEN b", ":8388344");
}

Test(limits, a_transaction_must_fit_into_a_record)
{
    uint32_t half = FIXTURE_RECORD_MAX / 2 - 1000;

    expect(&one, "SET before 1", "+OK");
    expect(&one, "MULTI", "+OK");
    expect(&one, "INCR before", "+QUEUED");
    for (uint32_t i = 0; i < 2; i++)
        cr_assert_str_eq(ask_long(&one, "SET", "a", half), "+QUEUED");
    expect(&one, "EXEC", "*3 :2 +OK +OK");
    expect(&one, "MULTI", "+OK");
    expect(&one, "INCR before", "+QUEUED");
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_str_eq(ask_long(&one, "SET", "a", half), "+QUEUED");
    expect(&one, "EXEC", "-EXECABORT Transaction discarded because of: " TOO_LONG);
    expect(&one, "GET before", "$1 2");
}

/* Short keys by the hundred thousand: what is reserved for them is what they take. */
enum { KEYS_MANY = 150000, KEY_BYTES = 8 };

static char many_keys[KEYS_MANY][KEY_BYTES + 1];
static struct kv_slice many_words[1 + 2 * KEYS_MANY];

/* COMMAND key ..., each key with a value if there is one. How many words that is. */
static uint32_t many(const char *command, const char *value)
{
    uint32_t count = 0;

    many_words[count++] = kv_slice_text(command);
    for (uint32_t i = 0; i < KEYS_MANY; i++) {
        (void)snprintf(many_keys[i], sizeof many_keys[i], "k%07u", i);
        many_words[count++] = kv_slice_text(many_keys[i]);
        if (value != NULL)
            many_words[count++] = kv_slice_text(value);
    }
    return count;
}

Test(limits, very_many_short_keys_fit_into_a_record)
{
    cr_assert_str_eq(client_ask_words(&one, many_words, many("MSET", "v")), "+OK");
    cr_assert_eq(fixture.spare, 0);
    cr_assert_str_eq(client_ask_words(&one, many_words, many("EXISTS", NULL)), ":150000");
    cr_assert_str_eq(client_ask_words(&one, many_words, many("DEL", NULL)), ":150000");
    cr_assert_eq(fixture.spare, 0);
    cr_assert_str_eq(client_ask_words(&one, many_words, many("MSETNX", "v")), ":1");
    cr_assert_str_eq(client_ask_words(&one, many_words, many("UNLINK", NULL)), ":150000");
    cr_assert_eq(fixture.lsn, 4);
    cr_assert_str_eq(
        client_ask_words(&one, many_words,
                         many("MSET", "a value that is much too long for so many keys")),
        "-" TOO_LONG);
}

Test(limits, very_many_short_writes_fit_into_a_transaction)
{
    char line[64];

    expect(&one, "MULTI", "+OK");
    for (uint32_t i = 0; i < KEYS_MANY; i++) {
        (void)snprintf(line, sizeof line, "SET k%07u v", i);
        (void)client_ask(&one, line);
    }
    (void)client_ask(&one, "EXEC");
    cr_assert_eq(one.reply.bytes[0], '*', "%s", one.text);
    cr_assert_eq(fixture.spare, 0);
    expect(&one, "DBSIZE", ":150000");
}

/* A line with the key in place of each '@'. */
static void put_key(char line[4096], const char *text, const char *key)
{
    size_t len = 0;

    for (; *text != '\0'; text++)
        len += (size_t)snprintf(line + len, 4096 - len, "%.*s", *text == '@' ? 4096 : 1,
                                *text == '@' ? key : text);
}

/* Whatever a command comes to: kv_change_apply() asserts that there is. */
Test(limits, room_is_there_for_each_command_and_its_expired_keys)
{
    static const char *const lines[] = {
        "SET @ v",        "SET @ v EX 100",   "SET @ v XX GET",   "SET @ v KEEPTTL",
        "SET @ v PXAT 1", "SETNX @ v",        "SETEX @ 100 v",    "GETSET @ v",
        "GETDEL @",       "GETEX @ EX 100",   "GETEX @ PERSIST",  "GETEX @ PXAT 1",
        "MSET @ v o v",   "MSETNX @ v o v",   "APPEND @ tail",    "SETRANGE @ 9999 x",
        "INCR @",         "INCRBY @ 1000000", "INCRBYFLOAT @ .5", "DEL @ o",
        "UNLINK @ o @",   "RENAME @ o",       "RENAME o @",       "RENAMENX o @",
        "EXPIRE @ 100",   "PEXPIREAT @ 1",    "PERSIST @",        "FLUSHDB",
        "FLUSHALL"};
    char line[4096], key[1024] = {0};

    memset(key, 'k', sizeof key - 1);
    for (uint32_t i = 0; i < 4 * (sizeof lines / sizeof lines[0]); i++) {
        int64_t now_us = fixture.engine.wall_us;

        expect(&one, "FLUSHALL", "+OK");
        expect(&one, i % 4 == 3 ? "SET o 1 EX 1" : "SET o 1", "+OK");
        (void)snprintf(line, sizeof line, "SET %s 1%s", key, i % 4 == 0 ? "" : " EX 1");
        expect(&one, i % 4 == 2 ? "PING" : line, i % 4 == 2 ? "+PONG" : "+OK");
        if (i % 2 == 1)
            kv_engine_set_clock(&fixture.engine, now_us + 2000000,
                                fixture.engine.clock_ms + 2000);
        put_key(line, lines[i / 4], key);
        (void)client_ask(&one, line);
        cr_assert_eq(one.result.outcome, KV_DONE, "%s", line);
    }
}

/* Values that a transaction makes and renames are known only when it runs: a bound for them
 * must hold whatever they come to. kv_change_apply() asserts that it does. */
Test(limits, room_is_there_for_every_value_that_a_transaction_may_rename)
{
    static const char *const lines[] = {"SETRANGE grown 500000 end",
                                        "RENAME grown moved",
                                        "APPEND moved tail",
                                        "RENAME moved again",
                                        "SETRANGE again 3 x",
                                        "RENAMENX again last",
                                        "SELECT 1",
                                        "RENAME there elsewhere",
                                        "SELECT 0",
                                        "GETSET last short",
                                        "RENAME last grown",
                                        "SETRANGE grown x x",
                                        "SETRANGE grown 4294967296 x"};

    expect(&one, "SET grown begin", "+OK");
    expect(&one, "SELECT 1", "+OK");
    cr_assert_str_eq(ask_long(&one, "SET", "there", 700000), "+OK");
    expect(&one, "SELECT 0", "+OK");
    expect(&one, "MULTI", "+OK");
    for (uint32_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect(&one, lines[i], "+QUEUED");
    cr_assert_str_eq(ask_long(&one, "APPEND", "grown", 100000), "+QUEUED");
    expect(&one, "RENAME grown last", "+QUEUED");
    (void)client_ask(&one, "EXEC");
    cr_assert_eq(one.reply.bytes[0], '*', "%s", one.text);
    expect(&one, "STRLEN last", ":100005");
    expect(&one, "SELECT 1", "+OK");
    expect(&one, "STRLEN elsewhere", ":700000");
}

Test(limits, room_is_there_for_every_sum_that_a_transaction_may_come_to)
{
    static const char *const lines[] = {"INCRBYFLOAT a 1e300",
                                        "INCRBYFLOAT b 1",
                                        "RENAME b c",
                                        "INCRBYFLOAT c 9e299",
                                        "SET d 1",
                                        "APPEND d e4000",
                                        "INCRBYFLOAT d 0.5",
                                        "RENAME d e",
                                        "INCRBYFLOAT e 1e4001",
                                        "INCRBYFLOAT e -1e-17",
                                        "SETRANGE f 0 1e4900",
                                        "INCRBYFLOAT f 1",
                                        "RENAME f g",
                                        "INCRBYFLOAT g 1e4900",
                                        "INCRBYFLOAT n -0.5"};

    expect(&one, "SET b 999e200", "+OK");
    expect(&one, "SET n -9223372036854775808", "+OK");
    expect(&one, "MULTI", "+OK");
    for (uint32_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect(&one, lines[i], "+QUEUED");
    (void)client_ask(&one, "EXEC");
    cr_assert_eq(one.reply.bytes[0], '*', "%s", one.text);
    expect(&one, "STRLEN g", ":4901");
    expect(&one, "GET n", "$22 -9223372036854775808.5");
}

/* A bound of five thousand bytes for each would leave room for 1,600. */
Test(limits, many_sums_fit_into_a_transaction)
{
    expect(&one, "MULTI", "+OK");
    for (uint32_t i = 0; i < 50000; i++)
        (void)client_ask(&one, "INCRBYFLOAT total 0.1");
    (void)client_ask(&one, "EXEC");
    expect(&one, "GET total", "$4 5000");
}

Test(limits, a_value_has_one_of_its_own)
{
    expect(&one, "CONFIG SET proto-max-bulk-len 1mb", "+OK");
    expect(&one, "SETRANGE a 1048575 x", ":1048576");
    expect(&one, "SETRANGE a 1048576 x",
           "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    expect(&one, "APPEND a x",
           "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    expect(&one, "APPEND a ''", ":1048576");
    expect(&one, "CONFIG SET proto-max-bulk-len 9mb",
           "-ERR CONFIG SET failed (possibly related to argument 'proto-max-bulk-len') - "
           "argument must be between 1048576 and 8323008 inclusive");
    expect(&one, "CONFIG SET proto-max-bulk-len 99999999999999999999gb",
           "-ERR CONFIG SET failed (possibly related to argument 'proto-max-bulk-len') - "
           "argument must be between 1048576 and 8323008 inclusive");
    expect(&one, "CONFIG GET proto-max-bulk-len", "*2 $18 proto-max-bulk-len $7 1048576");
}

/* ------------------------------------------------------------------ of memory */

Test(limits, past_maxmemory_what_needs_memory_is_refused)
{
    static const char *const refused[] = {
        "SET b 1",  "SETNX b 1",  "SETEX b 10 1", "PSETEX b 10 1",  "GETSET b 1",
        "MSET b 1", "MSETNX b 1", "APPEND a x",   "SETRANGE a 0 x", "INCR b",
        "DECR b",   "INCRBY b 1", "DECRBY b 1",   "INCRBYFLOAT b 1"};

    cr_assert_str_eq(ask_long(&one, "SET", "a", 100000), "+OK");
    expect(&one, "SET n 1", "+OK");
    expect(&two, "MULTI", "+OK");
    expect(&two, "SET b 1", "+QUEUED");
    expect(&one, "CONFIG SET maxmemory 50kb", "+OK");
    for (uint32_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        expect(&one, refused[i],
               "-OOM command not allowed when used memory > 'maxmemory'.");
    expect(&two, "EXEC",
           "-EXECABORT Transaction discarded because of: OOM command not allowed "
           "when used memory > 'maxmemory'.");
    expect(&one, "STRLEN a", ":100000");
    expect(&one, "EXPIRE a 100", ":1");
    expect(&one, "RENAME n m", "+OK");
    expect(&one, "DEL a", ":1");
    expect(&one, "SET b 1", "+OK");
}

Test(limits, a_queued_command_is_refused_like_another)
{
    cr_assert_str_eq(ask_long(&one, "SET", "a", 100000), "+OK");
    expect(&one, "CONFIG SET maxmemory 50kb", "+OK");
    expect(&one, "MULTI", "+OK");
    expect(&one, "SET b 1", "-OOM command not allowed when used memory > 'maxmemory'.");
    expect(&one, "EXEC", "-EXECABORT Transaction discarded because of previous errors.");
}

Test(memory, without_it_writes_are_refused_until_there_is_some)
{
    static struct allocator heap;
    uint32_t stored = 0;

    allocator_init(&heap);
    begin_with(&(struct fixture_config){.allocator = &heap.hooks});
    heap.limit_bytes = heap.live_bytes + 300000;
    while (strcmp(ask_long(&one, "APPEND", "a", 50000),
                  "-OOM command not allowed when used memory > 'maxmemory'.") != 0)
        stored++;
    cr_assert_gt(stored, 2);
    expect(&one, "EXISTS a", ":1");
    expect(&one, "DEL a", ":1");
    while (kv_store_work(fixture.store, 100) > 0) {
    }
    expect(&one, "SET b 1", "+OK");
    end();
    cr_assert_eq(heap.live_bytes, 0);
}

Test(memory, without_it_for_a_record_a_write_is_refused)
{
    static struct allocator heap;

    allocator_init(&heap);
    begin_with(
        &(struct fixture_config){.record_allocator = &heap.hooks, .with_replica = true});
    expect(&one, "SET a 1", "+OK");
    heap.fail_in = 1;
    cr_assert_str_eq(ask_long(&one, "SET", "a", 200000),
                     "-OOM command not allowed: there is no memory left");
    expect(&one, "GET a", "$1 1");
    cr_assert_str_eq(ask_long(&one, "SET", "a", 200000), "+OK");
    end();
    cr_assert_eq(heap.live_bytes, 0);
}

/* ------------------------------------------------------------------ of a reply */

Test(limits, a_reply_that_is_too_long_is_cut_off_and_the_client_with_it)
{
    char line[64];

    cr_assert_str_eq(ask_long(&one, "SET", "a", 1000), "+OK");
    fixture.engine.config.reply_max = 5000;
    expect(&one, "MGET a a a a a", "-ERR the reply would have more than 5000 bytes");
    cr_assert(one.result.close);
    (void)client_ask(&two, "MGET a a a a");
    cr_assert_not(two.result.close);
    expect(&two, "MULTI", "+OK");
    for (uint32_t i = 0; i < 6; i++)
        expect(&two, "GETSET a 1", "+QUEUED");
    (void)client_ask(&two, "EXEC");
    cr_assert_not(two.result.close);
    expect(&two, "GET a", "$1 1");
    for (uint32_t i = 0; i < 600; i++) {
        (void)snprintf(line, sizeof line, "SET key:%u 1", i);
        (void)client_ask(&one, line);
    }
    expect(&two, "KEYS *", "-ERR the reply would have more than 5000 bytes");
    expect(&one, "SCAN 0 COUNT 10000", "-ERR the reply would have more than 5000 bytes");
}

/* What was written stays written: the log has it. */
Test(limits, a_transaction_whose_reply_is_too_long_was_executed)
{
    cr_assert_str_eq(ask_long(&one, "SET", "a", 4000), "+OK");
    fixture.engine.config.reply_max = 5000;
    expect(&one, "MULTI", "+OK");
    expect(&one, "GET a", "+QUEUED");
    expect(&one, "GET a", "+QUEUED");
    expect(&one, "SET b 1", "+QUEUED");
    expect(&one, "EXEC", "-ERR the reply would have more than 5000 bytes");
    cr_assert(one.result.close);
    cr_assert_eq(one.result.lsn, fixture.lsn);
    expect(&two, "GET b", "$1 1");
}

/* ------------------------------------------------------------------ of a session */

Test(limits, a_queue_has_64_mib)
{
    expect(&one, "MULTI", "+OK");
    for (uint32_t i = 0; i < 7; i++)
        cr_assert_str_eq(ask_long(&one, "ECHO", "a", 8 << 20),
                         "-ERR wrong number of arguments for 'echo' command");
    expect(&one, "DISCARD", "+OK");
    expect(&one, "MULTI", "+OK");
    for (uint32_t i = 0; i < 7; i++)
        cr_assert_str_eq(ask_long(&one, "APPEND", "a", 8 << 20), "+QUEUED");
    cr_assert_str_eq(
        ask_long(&one, "APPEND", "a", 8 << 20),
        "-ERR the transaction is too long: its commands may have 64 MiB together");
    expect(&one, "PING", "+QUEUED");
    expect(&one, "EXEC", "-EXECABORT Transaction discarded because of previous errors.");
    expect(&one, "GET a", "$-1");
}

Test(limits, a_session_watches_so_many_keys)
{
    char line[64];

    for (uint32_t i = 0; i < KV_WATCHED_MAX; i++) {
        (void)snprintf(line, sizeof line, "WATCH key:%u key:%u", i, i);
        (void)client_ask(&one, line);
    }
    cr_assert_eq(one.session.watcher.count, KV_WATCHED_MAX);
    expect(&one, "WATCH key:0", "+OK");
    expect(&one, "WATCH another", "-ERR no more than 65536 keys can be watched");
    expect(&two, "WATCH another key:7", "+OK");
    expect(&two, "SET another 1", "+OK");
    cr_assert(two.session.watcher.broken);
    cr_assert_not(one.session.watcher.broken);
    expect(&two, "SET key:65535 1", "+OK");
    cr_assert(one.session.watcher.broken);
    expect(&one, "UNWATCH", "+OK");
    cr_assert_eq(fixture.engine.watches.count, 2);
}

Test(limits, a_client_has_a_short_name)
{
    struct kv_slice set[] = {kv_slice_text("CLIENT"), kv_slice_text("SETNAME"),
                             letters(KV_NAME_MAX + 1)};
    struct kv_slice hello[] = {kv_slice_text("HELLO"), kv_slice_text("2"),
                               kv_slice_text("SETNAME"), letters(KV_NAME_MAX + 1)};
    struct kv_slice info[] = {kv_slice_text("CLIENT"), kv_slice_text("SETINFO"),
                              kv_slice_text("LIB-VER"), letters(KV_NAME_MAX + 1)};

    cr_assert_str_eq(client_ask_words(&one, set, 3),
                     "-ERR Client names can have 1024 bytes at most");
    cr_assert_str_eq(client_ask_words(&one, hello, 4),
                     "-ERR Client names can have 1024 bytes at most");
    cr_assert_str_eq(client_ask_words(&one, info, 4),
                     "-ERR lib-ver can have 1024 bytes at most");
    set[2].len = hello[3].len = info[3].len = KV_NAME_MAX;
    cr_assert_str_eq(client_ask_words(&one, set, 3), "+OK");
    cr_assert_eq(one.session.name.len, KV_NAME_MAX);
    cr_assert_eq(client_ask_words(&one, hello, 4)[0], '*');
    cr_assert_str_eq(client_ask_words(&one, info, 4), "+OK");
}

/* Written to its end this list would have more than 4 GiB. */
Test(limits, a_list_of_clients_that_is_too_long_is_not_written)
{
    enum { IDS = 1300000 };
    struct kv_slice *words = calloc(IDS, sizeof *words);
    struct kv_slice *name = words + 3;

    cr_assert_not_null(words);
    words[0] = kv_slice_text("CLIENT");
    words[1] = kv_slice_text("SETINFO");
    words[2] = kv_slice_text("LIB-NAME");
    *name = letters(KV_NAME_MAX);
    cr_assert_str_eq(client_ask_words(&one, words, 4), "+OK");
    words[2] = kv_slice_text("LIB-VER");
    cr_assert_str_eq(client_ask_words(&one, words, 4), "+OK");
    words[1] = kv_slice_text("SETNAME");
    words[2] = *name;
    cr_assert_str_eq(client_ask_words(&one, words, 3), "+OK");
    words[1] = kv_slice_text("LIST");
    words[2] = kv_slice_text("ID");
    for (uint32_t i = 3; i < IDS; i++)
        words[i] = kv_slice_text("1");
    fixture.engine.config.reply_max = 100000;
    cr_assert_str_eq(client_ask_words(&one, words, IDS),
                     "-ERR the reply would have more than 100000 bytes");
    free(words);
}

Test(limits, a_session_that_ends_leaves_nothing)
{
    expect(&one, "WATCH a b", "+OK");
    expect(&one, "CLIENT SETNAME me", "+OK");
    expect(&one, "MULTI", "+OK");
    expect(&one, "SET a 1", "+QUEUED");
    client_close(&one);
    cr_assert_eq(fixture.engine.watches.count, 0);
    cr_assert_eq(fixture.engine.session_count, 1);
    expect(&two, "SET a 2", "+OK");
    client_open(&one, &fixture);
    cr_assert_eq(one.session.id, 3, "no ID is given twice");
}
