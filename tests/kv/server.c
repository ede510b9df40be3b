/** tests/kv/server.c - what the engine tells of itself, and what it asks of the server. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "apps/kv/command.h"
#include "tests/kv/client.h"

static struct fixture fixture;
static struct client one, two;

static void begin(void)
{
    fixture_init(&fixture, &(struct fixture_config){.password = NULL});
    client_open(&one, &fixture);
    client_open(&two, &fixture);
}

static void end(void)
{
    client_close(&one);
    client_close(&two);
    fixture_deinit(&fixture);
}

TestSuite(server, .init = begin, .fini = end);

/* ------------------------------------------------------------------ INFO */

static void expect_line(const char *line)
{
    char all[CLIENT_LINE_MAX];

    (void)snprintf(all, sizeof all, " %s", client_ask(&one, "INFO"));
    cr_assert_not_null(strstr(all, line), "%s in %s", line, all);
}

Test(server, info_has_what_clients_look_for)
{
    expect(&one, "SET a 1", "+OK");
    expect(&one, "SET b 1 EX 10", "+OK");
    expect(&one, "SELECT 3", "+OK");
    expect(&one, "SET c 1", "+OK");
    expect(&one, "GET c", "$1 1");
    expect(&one, "GET d", "$-1");
    expect(&one, "NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: ");
    expect(
        &one, "EXEC x",
        "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
        "command");
    fixture.engine.config.port = 7379;
    expect_line(" # Server ");
    expect_line(" redis_version:7.0.15 ");
    expect_line(" tcp_port:7379 ");
    expect_line(" process_id:1234 ");
    expect_line(" server_time_usec:1700000000123456 ");
    expect_line(" connected_clients:2 ");
    expect_line(" maxclients:10000 ");
    expect_line(" maxmemory:0 maxmemory_human:0B maxmemory_policy:noeviction ");
    expect_line(" mem_allocator:libc ");
    expect_line(" loading:0 ");
    expect_line(" rdb_last_save_time:1600000000 ");
    expect_line(" aof_enabled:1 aof_last_write_status:ok log_lsn:3 ");
    expect_line(" total_connections_received:2 ");
    expect_line(" keyspace_hits:1 keyspace_misses:1 total_error_replies:2 ");
    expect_line(" role:master ");
    expect_line(" used_cpu_sys:0.000042 used_cpu_user:1.500000 ");
    expect_line(" # Errorstats errorstat_ERR:count=1 errorstat_EXECABORT:count=1 ");
    expect_line(" cluster_enabled:0 ");
    expect_line(
        " # Keyspace db0:keys=2,expires=1,avg_ttl=0 db3:keys=1,expires=0,avg_ttl=0 ");
    kv_engine_set_clock(&fixture.engine, 0, 1000 + INT64_C(90061000));
    expect_line(" uptime_in_seconds:90061 uptime_in_days:1 ");
}

Test(server, info_gives_the_sections_that_are_asked_for)
{
    expect(&one, "INFO CLUSTER", "$30 # Cluster cluster_enabled:0 ");
    expect(&one, "INFO modules nothing Cluster",
           "$43 # Modules  # Cluster cluster_enabled:0 ");
    expect(&one, "INFO nothing", "$0 ");
    expect(&one, "INFO keyspace", "$12 # Keyspace ");
    (void)client_ask(&one, "INFO");
    for (uint32_t i = 0; i < 3; i++) {
        static const char *const lines[] = {"INFO all", "INFO EVERYTHING", "INFO default"};

        cr_assert_not_null(strstr(client_ask(&two, lines[i]), "# Keyspace"));
    }
    (void)client_ask(&one, "HELLO 3");
    expect(&one, "INFO cluster", "=34 txt:# Cluster cluster_enabled:0 ");
}

Test(server, memory_is_told_to_a_person)
{
    static const struct {
        const char *set, *human;
    } rows[] = {
        {"CONFIG SET maxmemory 1023", "maxmemory_human:1023B "},
        {"CONFIG SET maxmemory 1kb", "maxmemory_human:1.00K "},
        {"CONFIG SET maxmemory 1536", "maxmemory_human:1.50K "},
        {"CONFIG SET maxmemory 104857600", "maxmemory_human:100.00M "},
        {"CONFIG SET maxmemory 2000000000", "maxmemory_human:1.86G "},
        {"CONFIG SET maxmemory 18446744073709551615", "maxmemory_human:15.99E "},
    };

    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(&one, rows[i].set, "+OK");
        expect_line(rows[i].human);
    }
}

Test(server, resetstat_begins_anew)
{
    expect(&one, "NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: ");
    expect(&one, "CONFIG RESETSTAT", "+OK");
    expect_line(" total_error_replies:0 ");
    expect_line(" total_commands_processed:2 ");
}

Test(server, error_codes_are_counted_up_to_a_limit)
{
    char code[32];

    for (uint32_t i = 0; i < KV_ERROR_CODES_MAX + 10; i++) {
        int len = snprintf(code, sizeof code, "-CODE%u what\r\n", i);

        kv_stats_count_error(&fixture.engine.stats, kv_slice_of(code, (uint32_t)len));
    }
    kv_stats_count_error(&fixture.engine.stats,
                         kv_slice_text("-ACODETHATHASMORELETTERSTHANTHEREISROOM x"));
    cr_assert_eq(fixture.engine.stats.errors, KV_ERROR_CODES_MAX + 11);
    cr_assert_str_eq(fixture.engine.stats.codes[31].code, "CODE31");
    cr_assert_eq(fixture.engine.stats.codes[31].count, 1);
}

/* ------------------------------------------------------------------ CLIENT */

Test(server, client_list_has_a_line_for_each)
{
    (void)snprintf(one.session.address, KV_ADDRESS_BYTES, "127.0.0.1:4000");
    (void)snprintf(one.session.local_address, KV_ADDRESS_BYTES, "127.0.0.1:7379");
    one.session.number = 8;
    one.session.input_bytes = 10;
    two.session.on_unix = true;
    expect(&one, "CLIENT SETNAME me", "+OK");
    expect(&one, "CLIENT SETINFO LIB-NAME redis-py", "+OK");
    expect(&one, "CLIENT SETINFO lib-ver 5.0", "+OK");
    expect(&one, "SELECT 4", "+OK");
    expect(&two, "WATCH a", "+OK");
    expect(&two, "MULTI", "+OK");
    expect(&two, "SET a 1", "+QUEUED");
    expect(&one, "SET a 1", "+OK");
    expect(&one, "SELECT 0", "+OK");
    expect(&one, "SET a 1", "+OK");
    kv_engine_set_clock(&fixture.engine, fixture.engine.wall_us, 6500);
    (void)client_ask(&one, "CLIENT LIST");
    cr_assert_not_null(strstr(
        one.text, "id=1 addr=127.0.0.1:4000 laddr=127.0.0.1:7379 fd=8 name=me age=5 "
                  "idle=5 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=10 qbuf-free=0 "
                  "argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=10 "
                  "events=r cmd=client|list user=default redir=-1 resp=2 "
                  "lib-name=redis-py lib-ver=5.0\nid=2 addr= laddr= fd=0 name= age=5 "
                  "idle=5 flags=xdU db=0 sub=0 psub=0 ssub=0 multi=1 "));
    cr_assert_not_null(strstr(one.text,
                              "events=r cmd=set user=default redir=-1 resp=2 lib-name= "
                              "lib-ver=\n"));
    cr_assert_not_null(strstr(client_ask(&one, "CLIENT LIST ID 2 1"), "id=2 "));
    cr_assert_lt(strstr(one.text, "id=2 "), strstr(one.text, "id=1 "));
    expect(&one, "CLIENT LIST ID 3 99", "$0 ");
    expect(&one, "CLIENT LIST TYPE pubsub", "$0 ");
}

Test(server, client_setinfo_takes_two_attributes)
{
    expect(&one, "CLIENT SETINFO foo bar", "-ERR Unrecognized option 'foo'");
    expect(&one, "CLIENT SETINFO lib-name 'a b'",
           "-ERR lib-name cannot contain spaces, newlines or special characters.");
    expect(&one, "CLIENT SETINFO lib-name",
           "-ERR wrong number of arguments for 'client|setinfo' command");
    expect(&one, "CLIENT SETINFO LIB-VER ''", "+OK");
}

/* ------------------------------------------------------------------ asked of it */

Test(server, command_tells_of_all)
{
    static const char *const lines[] = {"COMMAND", "COMMAND INFO"};
    char count[32];

    (void)snprintf(count, sizeof count, "*%u ", kv_command_count);
    for (uint32_t i = 0; i < 2; i++) {
        (void)client_ask(&one, lines[i]);
        cr_assert_eq(strncmp(one.text, count, strlen(count)), 0, "%s", one.text);
    }
    for (uint32_t i = 1; i < kv_command_count; i++)
        cr_assert_lt(strcmp(kv_commands[i - 1].name, kv_commands[i].name), 0,
                     "the table is in order: %s", kv_commands[i].name);
}

Test(server, sleep_is_the_clients_own)
{
    expect(&one, "DEBUG SLEEP 1.5", "+OK");
    cr_assert_eq(one.result.sleep_us, 1500000);
    expect(&one, "DEBUG SLEEP 0.0000019", "+OK");
    cr_assert_eq(one.result.sleep_us, 1);
    expect(&one, "DEBUG SLEEP -1", "+OK");
    cr_assert_eq(one.result.sleep_us, 0);
    expect(&one, "DEBUG SLEEP 1e2", "+OK");
    cr_assert_eq(one.result.sleep_us, 100000000);
    expect(&one, "DEBUG SLEEP 1e300", "+OK");
    cr_assert_eq(one.result.sleep_us, KV_SLEEP_US_MAX);
    expect(&one, "DEBUG SLEEP inf", "+OK");
    cr_assert_eq(one.result.sleep_us, KV_SLEEP_US_MAX);
    expect(&one, "DEBUG SLEEP x", "+OK");
    cr_assert_eq(one.result.sleep_us, 0);
    expect(&one, "MULTI", "+OK");
    expect(&one, "DEBUG SLEEP 1", "+QUEUED");
    expect(&one, "DEBUG SLEEP 2", "+QUEUED");
    expect(&one, "EXEC", "*2 +OK +OK");
    cr_assert_eq(one.result.sleep_us, 3000000);
    expect(&one, "MULTI", "+OK");
    expect(&one, "DEBUG SLEEP 3599", "+QUEUED");
    expect(&one, "DEBUG SLEEP inf", "+QUEUED");
    expect(&one, "EXEC", "*2 +OK +OK");
    cr_assert_eq(one.result.sleep_us, KV_SLEEP_US_MAX);
}

Test(server, shutdown_replies_nothing)
{
    static const char *const lines[] = {"SHUTDOWN", "SHUTDOWN NOSAVE", "shutdown now force",
                                        "SHUTDOWN NOSAVE NOW"};

    for (uint32_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        expect(&one, lines[i], "");
        cr_assert_eq(one.result.shutdown, KV_SHUTDOWN);
        cr_assert_eq(one.reply.len, 0);
    }
    expect(&one, "SHUTDOWN SAVE", "");
    cr_assert_eq(one.result.shutdown, KV_SHUTDOWN_SAVE);
    expect(&one, "SHUTDOWN ABORT", "-ERR No shutdown in progress.");
    cr_assert_eq(one.result.shutdown, KV_STAY);
}

Test(server, save_holds_its_reply_until_the_snapshot_ends)
{
    expect(&one, "SAVE", "+OK");
    cr_assert(one.result.holds_snapshot);
    cr_assert_eq(fixture.snapshots, 1);
    expect(&one, "BGSAVE", "+Background saving started");
    cr_assert_not(one.result.holds_snapshot);
    fixture.snapshot = -EBUSY;
    expect(&one, "SAVE", "-ERR Background save already in progress");
    cr_assert_not(one.result.holds_snapshot);
    expect(&one, "BGSAVE", "-ERR Background save already in progress");
    expect(&one, "BGSAVE SCHEDULE", "+Background saving scheduled");
    cr_assert_eq(fixture.snapshots_scheduled, 1);
    fixture.snapshot = -EIO;
    expect(&one, "SAVE", "-ERR the snapshot could not be begun: EIO");
    expect(&one, "BGSAVE SCHEDULE", "-ERR the snapshot could not be begun: EIO");
    expect(&one, "LASTSAVE", ":1600000000");
    fixture.snapshot = 0;
    expect(&one, "MULTI", "+OK");
    expect(&one, "BGSAVE", "+QUEUED");
    expect(&one, "EXEC", "*1 +Background saving scheduled");
    cr_assert_eq(fixture.snapshots, 2);
}

Test(server, replies_in_place_of_others_are_errors)
{
    one.reply.len = 0;
    fixture.failure = -EIO;
    kv_reply_unknown(&fixture.engine, &one.session, &one.reply);
    kv_reply_snapshot_failed(&fixture.engine, &one.session, &one.reply);
    kv_reply_unreadable(&fixture.engine, &one.session, "Protocol error: x", &one.reply);
    one.reply.bytes[one.reply.len - 1] = '\0';
    cr_assert_str_eq(
        (const char *)one.reply.bytes,
        "-MISCONF Errors writing to the log: EIO. Whether what this reply tells of is "
        "durable is unknown until the server is restarted\r\n"
        "-ERR the snapshot could not be written\r\n-ERR Protocol error: x\r");
    cr_assert_eq(fixture.engine.stats.errors, 3);
}

/* ------------------------------------------------------------------ AUTH */

Test(server, a_password_is_right_or_wrong)
{
    static const char *const wrong[] = {"''",     "secre",       "secret!",
                                        "Secret", "secret\\x00", "s"};
    struct fixture locked;
    struct client client;
    char line[64];

    fixture_init(&locked, &(struct fixture_config){.password = "secret"});
    client_open(&client, &locked);
    expect(&client, "GET a", "-NOAUTH Authentication required.");
    for (uint32_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(line, sizeof line, "AUTH \"%s\"", wrong[i]);
        expect(&client, line,
               "-WRONGPASS invalid username-password pair or user is disabled.");
        cr_assert_not(client.session.known);
    }
    cr_assert_eq(kv_engine_password_is(&locked.engine, kv_slice_of("secret\0", 7)), false);
    expect(&client, "AUTH secret", "+OK");
    expect(&client, "GET a", "$-1");
    client_close(&client);
    fixture_deinit(&locked);
}

Test(server, a_long_password_counts_to_its_end)
{
    char password[KV_PASSWORD_MAX + 2];
    struct fixture locked;

    memset(password, 'p', sizeof password);
    password[KV_PASSWORD_MAX] = '\0';
    fixture_init(&locked, &(struct fixture_config){.password = password});
    cr_assert(
        kv_engine_password_is(&locked.engine, kv_slice_of(password, KV_PASSWORD_MAX)));
    cr_assert_not(
        kv_engine_password_is(&locked.engine, kv_slice_of(password, KV_PASSWORD_MAX - 1)));
    password[KV_PASSWORD_MAX] = 'p';
    cr_assert_not(
        kv_engine_password_is(&locked.engine, kv_slice_of(password, KV_PASSWORD_MAX + 1)));
    password[KV_PASSWORD_MAX - 1] = 'q';
    cr_assert_not(
        kv_engine_password_is(&locked.engine, kv_slice_of(password, KV_PASSWORD_MAX)));
    fixture_deinit(&locked);
}

/* ------------------------------------------------------------------ CONFIG */

Test(server, config_shows_what_is_fixed)
{
    fixture.engine.config.dir = "/data";
    fixture.engine.config.port = 7379;
    fixture.engine.config.sync = KV_SYNC_INTERVAL;
    expect(&one, "CONFIG GET dir port appendfsync appendonly dirty-reads unixsocket",
           "*12 $11 dirty-reads $2 no $10 appendonly $3 yes $11 appendfsync $8 everysec $4 "
           "port $4 "
           "7379 $10 unixsocket $0  $3 dir $5 /data");
    expect(&one, "CONFIG SET dirty-reads maybe",
           "-ERR CONFIG SET failed (possibly related to argument 'dirty-reads') - argument "
           "must "
           "be 'yes' or 'no'");
    for (uint32_t i = 0; i < kv_config_count(); i++) {
        char line[128];

        (void)snprintf(line, sizeof line, "CONFIG GET %s", kv_config_name(i));
        cr_assert_eq(client_ask(&one, line)[1], '2', "%s", one.text);
    }
}

/* What is said to be set is what counts. */
Test(server, config_set_refuses_what_there_is_no_room_for)
{
    fixture.engine.config.clients_max_max = 20000;
    expect(&one, "CONFIG SET maxclients 20001",
           "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - The "
           "operating system is not able to handle the specified number of clients, try "
           "with 20000");
    expect(&one, "CONFIG GET maxclients", "*2 $10 maxclients $5 10000");
    expect(&one, "CONFIG SET maxclients 20000", "+OK");
    expect_line(" maxclients:20000 ");
    expect(&one, "CONFIG SET tcp-keepalive 32768",
           "-ERR CONFIG SET failed (possibly related to argument 'tcp-keepalive') - "
           "argument must be between 0 and 32767 inclusive");
    expect(&one, "CONFIG SET tcp-keepalive 32767", "+OK");
    expect(&one, "CONFIG GET tcp-keepalive", "*2 $13 tcp-keepalive $5 32767");
}

Test(server, config_set_is_all_or_nothing)
{
    expect(
        &one, "CONFIG SET maxclients 5 timeout 7 dirty-reads yes dir /etc",
        "-ERR CONFIG SET failed (possibly related to argument 'dir') - can't set immutable "
        "config");
    expect(&one, "CONFIG GET maxclients timeout dirty-reads",
           "*6 $10 maxclients $5 10000 $7 timeout $1 0 $11 dirty-reads $2 no");
    expect(&one, "CONFIG SET maxclients 5 timeout 7 dirty-reads YES", "+OK");
    expect(&one, "CONFIG GET maxclients timeout dirty-reads",
           "*6 $10 maxclients $1 5 $7 timeout $1 7 $11 dirty-reads $3 yes");
}
