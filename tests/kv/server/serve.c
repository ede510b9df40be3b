/* tempest-kv as a user meets it: a process, a socket, a directory. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/kv/server/process.h"
#include "tests/kv/server/talk.h"

static struct process process;
static struct talk talk, other;

static void start(const char *name, const char *option, const char *value)
{
    talk.fd = other.fd = -1;
    process_init(&process, name);
    process.args[0] = option;
    process.args[1] = value;
    cr_assert(process_start(&process), "it has not started");
}

static void open_talk(void)
{
    cr_assert(talk_open(&talk, process.port));
}

static void end_well(void)
{
    talk_close(&talk);
    talk_close(&other);
    if (process.pid > 0)
        cr_assert(eq(int, process_end(&process, SIGTERM), 0));
}

Test(serve, answers, .fini = end_well)
{
    start("answers", NULL, NULL);
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "PING"), "+PONG"));
    cr_assert(eq(str, talk_ask(&talk, "SET hello world"), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "GET hello"), "world"));
    cr_assert(eq(str, talk_ask(&talk, "GET nobody"), "(nil)"));
    cr_assert(eq(str, talk_ask(&talk, "INCR n"), ":1"));
    cr_assert(eq(str, talk_ask(&talk, "MGET hello nobody n"), "[world (nil) 1]"));
    cr_assert(eq(str, talk_ask(&talk, "NONSENSE"),
                 "-ERR unknown command 'NONSENSE', with args beginning with: "));
    cr_assert(eq(str, talk_ask(&talk, "MULTI"), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "SET a 1"), "+QUEUED"));
    cr_assert(eq(str, talk_ask(&talk, "INCR a"), "+QUEUED"));
    cr_assert(eq(str, talk_ask(&talk, "EXEC"), "[+OK :2]"));
    cr_assert(process_has_said(&process, "talk to it: redis-cli"));
}

Test(serve, keeps_what_it_was_told, .fini = end_well)
{
    start("keeps", NULL, NULL);
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "MSET a 1 b 2"), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "SET c 3 EX 1000"), "+OK"));
    talk_close(&talk);
    cr_assert(eq(int, process_end(&process, SIGKILL), 128 + SIGKILL));
    cr_assert(process_start(&process));
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "MGET a b c"), "[1 2 3]"));
    cr_assert(eq(str, talk_ask(&talk, "DEL a"), ":1"));
    cr_assert(eq(str, talk_ask(&talk, "SAVE"), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "SET d 4"), "+OK"));
    talk_close(&talk);
    cr_assert(eq(int, process_end(&process, SIGTERM), 0));
    cr_assert(process_start(&process));
    cr_assert(process_has_said(&process, "2 entries of a snapshot, 1 records of the log"));
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "MGET a b c d"), "[(nil) 2 3 4]"));
}

/* Any split of the bytes, one at a time included, and requests behind requests. */
Test(serve, takes_requests_in_any_pieces, .fini = end_well)
{
    static const char stream[] =
        "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\n1\r\n23\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
        "PING\r\nSET b \"x y\"\r\nMGET a b\r\n";

    start("pieces", NULL, NULL);
    open_talk();
    for (uint32_t piece = 1; piece < sizeof stream; piece = piece * 2 + 1) {
        for (uint32_t at = 0; at < sizeof stream - 1; at += piece) {
            uint32_t left = (uint32_t)sizeof stream - 1 - at;

            cr_assert(talk_send(&talk, stream + at, left < piece ? left : piece));
        }
        cr_assert(eq(str, talk_read(&talk), "+OK"));
        cr_assert(eq(str, talk_read(&talk), "1\r\n23"));
        cr_assert(eq(str, talk_read(&talk), "+PONG"));
        cr_assert(eq(str, talk_read(&talk), "+OK"));
        cr_assert(eq(str, talk_read(&talk), "[1\r\n23 x y]"));
    }
}

/* What was asked before the client ended its side is answered, then the server ends its. */
Test(serve, answers_who_has_ended_his_side, .fini = end_well)
{
    start("half", NULL, NULL);
    open_talk();
    cr_assert(talk_say(&talk, "SET a 1\r\nINCR a\r\nGET a\r\n"));
    cr_assert(eq(int, shutdown(talk.fd, SHUT_WR), 0));
    cr_assert(eq(str, talk_read(&talk), "+OK"));
    cr_assert(eq(str, talk_read(&talk), ":2"));
    cr_assert(eq(str, talk_read(&talk), "2"));
    cr_assert(eq(str, talk_read(&talk), "(end)"));
}

Test(serve, says_what_is_wrong_and_closes, .fini = end_well)
{
    start("wrong", NULL, NULL);
    open_talk();
    cr_assert(talk_say(&talk, "PING\r\n*1\r\n!\r\n"));
    cr_assert(eq(str, talk_read(&talk), "+PONG"));
    cr_assert(eq(str, talk_read(&talk), "-ERR Protocol error: expected '$', got '!'"));
    cr_assert(eq(str, talk_read(&talk), "(end)"));
    talk_close(&talk);
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "QUIT"), "+OK"));
    cr_assert(eq(str, talk_read(&talk), "(end)"));
}

Test(serve, lets_one_client_sleep, .fini = end_well)
{
    start("sleeps", NULL, NULL);
    open_talk();
    cr_assert(talk_open(&other, process.port));
    cr_assert(talk_say(&talk, "DEBUG SLEEP 0.5\r\nPING\r\n"));
    for (int i = 0; i < 20; i++)
        cr_assert(eq(str, talk_ask(&other, "SET a 1"), "+OK"));
    cr_assert(eq(str, talk_read(&talk), "+OK"));
    cr_assert(eq(str, talk_read(&talk), "+PONG"));
}

/* A value as long as one may be, and one that is longer. */
Test(serve, takes_large_values, .fini = end_well)
{
    static char value[6 << 20];

    start("large", NULL, NULL);
    open_talk();
    memset(value, 'v', sizeof value);
    cr_assert(talk_say(&talk, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$6291456\r\n"));
    cr_assert(talk_send(&talk, value, sizeof value));
    cr_assert(talk_say(&talk, "\r\n"));
    cr_assert(eq(str, talk_read(&talk), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "STRLEN a"), ":6291456"));
    cr_assert(eq(str, talk_ask(&talk, "GETRANGE a 6291450 -1"), "vvvvvv"));
    cr_assert(talk_say(&talk, "*2\r\n$3\r\nGET\r\n$9000000\r\n"));
    cr_assert(eq(str, talk_read(&talk), "-ERR Protocol error: invalid bulk length"));
}

/* Who does not read is not read from, and disturbs nobody; he gets all of it in the end. */
Test(serve, waits_for_who_does_not_read, .fini = end_well)
{
    enum { VALUES = 400, BYTES = 100000 };
    static char value[BYTES];
    uint64_t received = 0;

    start("backpressure", NULL, NULL);
    open_talk();
    cr_assert(talk_open(&other, process.port));
    memset(value, 'v', sizeof value);
    cr_assert(talk_say(&talk, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100000\r\n"));
    cr_assert(talk_send(&talk, value, sizeof value));
    cr_assert(talk_say(&talk, "\r\n"));
    cr_assert(eq(str, talk_read(&talk), "+OK"));
    for (uint32_t i = 0; i < VALUES; i++)
        cr_assert(talk_say(&talk, "GET a\r\n"));
    for (int i = 0; i < 20; i++)
        cr_assert(eq(str, talk_ask(&other, "SET b 1"), "+OK"));
    cr_assert(lt(int, 100, (int)strlen(talk_ask(&other, "CLIENT LIST"))));
    while (received < (uint64_t)VALUES * (BYTES + 11)) {
        ssize_t count = recv(talk.fd, talk.in, sizeof talk.in, 0);

        cr_assert(lt(i64, 0, count));
        received += (uint64_t)count;
    }
}

Test(serve, says_that_there_are_too_many, .fini = end_well)
{
    start("crowd", "--max-clients", "2");
    open_talk();
    cr_assert(talk_open(&other, process.port));
    cr_assert(eq(str, talk_ask(&talk, "PING"), "+PONG"));
    cr_assert(eq(str, talk_ask(&other, "PING"), "+PONG"));
    {
        static struct talk third;

        cr_assert(talk_open(&third, process.port));
        cr_assert(eq(str, talk_read(&third), "-ERR max number of clients reached"));
        cr_assert(eq(str, talk_read(&third), "(end)"));
        talk_close(&third);
        talk_close(&other);
        /* The place is free as soon as the server knows that the client has gone. */
        for (int i = 0; i < 1000; i++) {
            cr_assert(talk_open(&third, process.port));
            if (strcmp(talk_ask(&third, "PING"), "+PONG") == 0)
                break;
            talk_close(&third);
            (void)usleep(1000);
        }
        cr_assert(ne(int, third.fd, -1));
        talk_close(&third);
    }
}

Test(serve, closes_who_is_idle, .fini = end_well)
{
    start("idle", "--timeout", "1");
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "PING"), "+PONG"));
    cr_assert(eq(str, talk_read(&talk), "(end)"));
    talk_close(&talk);
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "CONFIG SET timeout 0"), "+OK"));
    (void)sleep(2);
    cr_assert(eq(str, talk_ask(&talk, "PING"), "+PONG"));
    cr_assert(talk_open(&other, process.port));
    cr_assert(eq(str, talk_ask(&talk, "CONFIG SET timeout 1"), "+OK"));
    cr_assert(eq(str, talk_read(&other), "(end)"), "the idle one is not asked again");
}

Test(serve, ends_when_a_client_says_so)
{
    start("shutdown", NULL, NULL);
    open_talk();
    cr_assert(talk_open(&other, process.port));
    cr_assert(eq(str, talk_ask(&talk, "SET a 1"), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "SHUTDOWN SAVE"), "(end)"));
    cr_assert(eq(str, talk_read(&other), "(end)"));
    cr_assert(eq(int, process_wait(&process), 0));
    cr_assert(process_has_said(&process, "SHUTDOWN by 127.0.0.1:"));
    cr_assert(process_has_said(&process, "snapshot of 1 entries"));
}

Test(serve, refuses_a_directory_that_is_used, .fini = end_well)
{
    static struct process second;

    start("twice", NULL, NULL);
    process_init(&second, "twice-other");
    (void)snprintf(second.dir, sizeof second.dir, "%s", process.dir);
    cr_assert(not(process_start(&second)));
    cr_assert(process_has_said(&second, "another"), "it says why");
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "PING"), "+PONG"));
}

Test(serve, listens_on_a_path, .fini = end_well)
{
    char path[PROCESS_PATH_MAX];

    process_init(&process, "unix");
    (void)snprintf(path, sizeof path, "/tmp/tempest-kv-test-%d.sock", (int)getpid());
    start("unix", "--unix", path);
    cr_assert(talk_open_unix(&other, path));
    cr_assert(eq(str, talk_ask(&other, "SET a 1"), "+OK"));
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "GET a"), "1"));
    talk_close(&other);
    talk_close(&talk);
    /* The name that a killed server left is no obstacle; a file that is no socket stays. */
    cr_assert(eq(int, process_end(&process, SIGKILL), 128 + SIGKILL));
    cr_assert(process_start(&process));
    cr_assert(talk_open_unix(&other, path));
    talk_close(&other);
    {
        static struct process second;

        process_init(&second, "unix-other");
        second.args[0] = "--unix";
        second.args[1] = path;
        cr_assert(not(process_start(&second)), "somebody listens there");
        cr_assert(process_has_said(&second, "EADDRINUSE"));
        cr_assert(talk_open_unix(&other, path));
        talk_close(&other);
    }
    cr_assert(eq(int, process_end(&process, SIGTERM), 0));
    cr_assert(eq(int, access(path, F_OK), -1), "it is gone with the server");
    {
        FILE *file = fopen(path, "we");

        cr_assert(ne(ptr, file, NULL));
        (void)fclose(file);
        cr_assert(not(process_start(&process)));
        cr_assert(eq(int, access(path, F_OK), 0), "somebody's file");
        (void)unlink(path);
    }
    cr_assert(process_start(&process));
}

/* Starts it with its standard error in a pipe, of which the other end is returned. */
static int start_piped(const char *unix_path)
{
    int ends[2];

    cr_assert(eq(int, pipe(ends), 0));
    process.pid = fork();
    cr_assert(ge(int, (int)process.pid, 0));
    if (process.pid == 0) {
        (void)dup2(ends[1], 2);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)execl(getenv("TEMPEST_KV"), "tempest-kv", "--dir", process.dir, "--port", "0",
                    "--unix", unix_path, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    return ends[0];
}

Test(serve, goes_on_when_nobody_reads_what_it_says, .fini = end_well)
{
    char path[PROCESS_PATH_MAX], said[1024];
    int said_fd;

    talk.fd = other.fd = -1;
    process_init(&process, "piped");
    (void)snprintf(path, sizeof path, "/tmp/tempest-kv-piped-%d.sock", (int)getpid());
    said_fd = start_piped(path);
    do {
        ssize_t count = read(said_fd, said, sizeof said - 1);

        cr_assert(lt(i64, 0, count));
        said[count] = '\0';
    } while (strstr(said, path) == NULL);
    (void)close(said_fd);
    cr_assert(talk_open_unix(&talk, path));
    cr_assert(eq(str, talk_ask(&talk, "SET a 1"), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "SAVE"), "+OK"), "and it says so");
    cr_assert(eq(str, talk_ask(&talk, "GET a"), "1"));
}

static void write_password(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    cr_assert(ne(ptr, file, NULL));
    (void)fputs(text, file);
    (void)fclose(file);
}

Test(serve, asks_for_the_password, .fini = end_well)
{
    write_password("secret.txt", "open sesame\nnot this\n");
    start("password", "--password-file", "secret.txt");
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "GET a"), "-NOAUTH Authentication required."));
    cr_assert(eq(str, talk_ask(&talk, "AUTH wrong"),
                 "-WRONGPASS invalid username-password pair or user is disabled."));
    cr_assert(eq(str, talk_ask(&talk, "AUTH \"open sesame\""), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "GET a"), "(nil)"));
    cr_assert(talk_open(&other, process.port));
    cr_assert(talk_say(&other, "*1\r\n$20000\r\n"));
    cr_assert(
        eq(str, talk_read(&other), "-ERR Protocol error: unauthenticated bulk length"));
}

/* ------------------------------------------------------------------ the command line */

static int run(const char *a, const char *b, const char *c, const char *d)
{
    const char *const args[] = {a, b, c, d, NULL};

    return process_run(&process, args);
}

Test(usage, is_refused_when_it_is_wrong)
{
    process_init(&process, "wrong-usage");
    cr_assert(eq(int, run(NULL, NULL, NULL, NULL), 2));
    cr_assert(process_has_said(&process, "--dir DIR is missing"));
    cr_assert(eq(int, run("--dir", "x", "--port", "70000"), 2));
    cr_assert(eq(int, run("--dir", "x", "--sync", "sometimes"), 2));
    cr_assert(eq(int, run("--dir", "x", "operand", NULL), 2));
    cr_assert(eq(int, run("--dir", "x", "--seed", "1"), 2));
    cr_assert(eq(int, run("--io=virtual", "--check", "x", NULL), 2));
    cr_assert(eq(int, run("--io=virtual", "--dir", "x", NULL), 2));
    cr_assert(eq(int, run("--check", "x", "--dir", "y"), 2));
    cr_assert(process_has_said(&process, "name the directory themselves: 'x'; no --dir"));
    cr_assert(eq(int, run("--dir", "y", "--dump", "x"), 2));
    cr_assert(eq(int, run("--check", "x", "--check", "y"), 2));
    cr_assert(process_has_said(&process, "take one directory: 'x' or 'y'?"));
    cr_assert(eq(int, run("--check", "x", "--dump", "y"), 2));
    cr_assert(eq(int, run("--io=virtual", "--seed", "3-2", NULL), 2));
    cr_assert(eq(int, run("--io=virtual", "--seed", "3-", NULL), 2));
    cr_assert(eq(int, run("--dir", "x", "--bind", "nowhere"), 2));
    cr_assert(eq(int, run("--dir", "x", "--password-file", "y") == 2, 0));
    cr_assert(eq(int, run("--help", NULL, NULL, NULL), 0));
    cr_assert(process_has_said(&process, "usage: tempest-kv"));
    cr_assert(eq(int, run("--version", NULL, NULL, NULL), 0));
    cr_assert(eq(int, run("--io=virtual", "--seed", "2-3", NULL), 0));
    cr_assert(process_has_said(&process, "seeds 2 to 3: nothing was lost"));
}

/* Others reach it only with a password, or when that is said in so many words. */
Test(usage, keeps_strangers_out)
{
    process_init(&process, "strangers");
    cr_assert(eq(int, run("--dir", "x", "--bind", "0.0.0.0"), 2));
    cr_assert(process_has_said(&process, "--password-file"));
    cr_assert(eq(int, run("--dir", "x", "--bind", "::"), 2));
    cr_assert(eq(int, run("--dir", "x", "--bind", "192.0.2.1:80"), 2));
    process_init(&process, "open");
    process.args[0] = "--bind";
    process.args[1] = "0.0.0.0";
    process.args[2] = "--no-auth";
    cr_assert(process_start(&process));
    cr_assert(process_has_said(&process, "warning"));
    cr_assert(eq(int, process_end(&process, SIGINT), 0));
}

/* What is in a directory can be verified and printed without a server, and typed into
 * another one. */
Test(usage, looks_at_a_directory)
{
    const char *const check[] = {"--check", process.dir, NULL};
    const char *const dump[] = {"--dump", process.dir, NULL};
    char log_file[PROCESS_PATH_MAX + 64];
    FILE *file;
    int byte;

    start("looks", NULL, NULL);
    cr_assert(eq(int, process_end(&process, SIGTERM), 0));
    cr_assert(process_start(&process));
    open_talk();
    cr_assert(eq(str, talk_ask(&talk, "SET \"a \\\"b\" \"\\x00x\\n\" PXAT 9999999999999"),
                 "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "SELECT 3"), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "SET c d"), "+OK"));
    talk_close(&talk);
    cr_assert(eq(int, process_run_beside(&process, check), 1));
    cr_assert(process_has_said(&process, "another"));
    cr_assert(eq(int, process_end(&process, SIGTERM), 0));
    cr_assert(eq(int, process_run(&process, check), 0));
    cr_assert(process_has_said(&process, "2 keys"));
    process.output = "/dev/full";
    cr_assert(eq(int, process_run(&process, check), 1));
    cr_assert(process_has_said(&process, "standard output: No space left on device"));
    cr_assert(eq(int, process_run(&process, dump), 1));
    cr_assert(process_has_said(&process, "standard output: No space left on device"));
    process.output = NULL;
    cr_assert(eq(int, process_run(&process, dump), 0));
    cr_assert(process_has_said(&process, "SELECT 0\nSET \"a \\\"b\" \"\\x00x\\n\" PXAT "
                                         "9999999999999\nSELECT 3\nSET \"c\" \"d\"\n"));
    (void)snprintf(log_file, sizeof log_file, "%s/log/0000000000000001.log", process.dir);
    file = fopen(log_file, "r+e");
    cr_assert(ne(ptr, file, NULL));
    cr_assert(eq(int, fseek(file, 100, SEEK_SET), 0));
    byte = fgetc(file) ^ 1;
    cr_assert(eq(int, fseek(file, 100, SEEK_SET), 0));
    cr_assert(eq(int, fputc(byte, file), byte));
    (void)fclose(file);
    cr_assert(eq(int, process_run(&process, check), 1));
    cr_assert(process_has_said(&process, "0000000000000001.log: offset"));
    cr_assert(not(process_start(&process)), "a start refuses it, too");
    cr_assert(process_has_said(&process, "0000000000000001.log: offset"));
}

Test(usage, fails_when_it_cannot_serve)
{
    process_init(&process, "cannot");
    cr_assert(eq(int, run("--dir", "/proc/no/such/thing", NULL, NULL), 1));
    cr_assert(eq(int, run("--dir", "x", "--password-file", "/no/such/file"), 1));
    cr_assert(process_has_said(&process, "ENOENT"));
    write_password("empty.txt", "\n");
    cr_assert(eq(int, run("--dir", "x", "--password-file", "empty.txt"), 1));
    cr_assert(process_has_said(&process, "empty"));
}
