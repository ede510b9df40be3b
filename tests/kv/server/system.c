/* tempest-kv and the system around it: ports that are taken, files that run out, signals,
 * connections that break, snapshots. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/kv/server/process.h"
#include "tests/kv/server/talk.h"

enum {
    VALUE_BYTES = 6 << 20,
    TRIES = 500, /* ten milliseconds apart */
};

static struct process process;
static struct talk talk, other;

static void prepare(const char *name, const char *option, const char *value)
{
    talk.fd = other.fd = -1;
    process_init(&process, name);
    process.args[0] = option;
    process.args[1] = value;
}

static void start(const char *name, const char *option, const char *value)
{
    prepare(name, option, value);
    cr_assert(process_start(&process), "it has not started");
    cr_assert(talk_open(&talk, process.port));
}

static void end_well(void)
{
    talk_close(&talk);
    talk_close(&other);
    if (process.pid > 0)
        cr_assert(eq(int, process_end(&process, SIGTERM), 0));
}

static void wait_a_little(void)
{
    (void)usleep(10000);
}

/* Asks until the answer has this in it. */
static void expect_soon(const char *line, const char *part)
{
    for (int i = 0; i < TRIES && strstr(talk_ask(&talk, line), part) == NULL; i++)
        wait_a_little();
    cr_assert(ne(ptr, strstr(talk.text, part), NULL), "%s: no '%s' in %s", line, part,
              talk.text);
}

/* Sets a key to a value as long as few are. */
static char *set_large(uint32_t key)
{
    static char value[VALUE_BYTES];
    char head[64];

    memset(value, 'v', sizeof value);
    (void)snprintf(head, sizeof head, "*3\r\n$3\r\nSET\r\n$4\r\nk%03u\r\n$%d\r\n", key,
                   VALUE_BYTES);
    (void)talk_say(&talk, head);
    (void)talk_send(&talk, value, sizeof value);
    (void)talk_say(&talk, "\r\n");
    return talk_read(&talk);
}

/* ------------------------------------------------------------------ addresses */

Test(addresses, may_be_of_ipv6, .fini = end_well)
{
    prepare("ipv6", "--bind", "::1");
    if (!process_start(&process) && (process_has_said(&process, "EADDRNOTAVAIL") ||
                                     process_has_said(&process, "EAFNOSUPPORT")))
        cr_skip_test("there is no ::1 here");
    cr_assert(lt(int, 0, (int)process.pid));
    cr_assert(talk_open_v6(&talk, process.port));
    cr_assert(eq(str, talk_ask(&talk, "SET a 1"), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "GET a"), "1"));
    cr_assert(ne(ptr, strstr(talk_ask(&talk, "CLIENT LIST"), " addr=[::1]:"), NULL));
    cr_assert(not(talk_open(&other, process.port)), "nobody listens on 127.0.0.1");
}

Test(addresses, of_others_are_not_taken, .fini = end_well)
{
    static struct process second;
    char port[16];

    start("port", NULL, NULL);
    (void)snprintf(port, sizeof port, "%u", process.port);
    process_init(&second, "port-second");
    second.args[0] = "--port";
    second.args[1] = port;
    cr_assert(not(process_start(&second)));
    cr_assert(eq(int, second.status, 1));
    cr_assert(process_has_said(&second, "it cannot be listened on: EADDRINUSE"));
    cr_assert(eq(str, talk_ask(&talk, "PING"), "+PONG"));
}

/* ------------------------------------------------------------------ files */

/* More strangers than there are files: the log and the snapshots get theirs all the same.
 */
Test(files, are_left_to_the_log_by_a_crowd, .fini = end_well)
{
    enum { FILES = 200, CROWD = 330, VALUES = 20 };
    int crowd[CROWD];

    prepare("crowd-of-files", NULL, NULL);
    process.files_max = FILES;
    cr_assert(process_start(&process));
    cr_assert(process_has_said(&process, "clients only (ulimit -n)"));
    cr_assert(talk_open(&talk, process.port));
    cr_assert(eq(str, talk_ask(&talk, "PING"), "+PONG"));
    for (uint32_t i = 0; i < CROWD; i++) {
        cr_assert(talk_open(&other, process.port));
        crowd[i] = other.fd;
    }
    other.fd = -1;
    (void)usleep(200000); /* until it has taken as many as it takes */
    for (uint32_t i = 0; i < VALUES; i++)
        cr_assert(eq(str, set_large(0), "+OK"), "value %u", i);
    cr_assert(not(process_has_said(&process, "failed")), "no snapshot, either");
    for (uint32_t i = 0; i < CROWD; i++)
        (void)close(crowd[i]);
}

/* A file that may not be as long as one of the log is (ulimit -f): a clear error. */
Test(files, that_may_not_grow_are_an_error)
{
    prepare("short-files", NULL, NULL);
    process.file_bytes_max = 1 << 20;
    cr_assert(not(process_start(&process)));
    cr_assert(eq(int, process.status, 1));
    cr_assert(process_has_said(&process, "no new segment can be made: EFBIG"));
    process.file_bytes_max = 0;
    cr_assert(process_start(&process));
    cr_assert(eq(int, process_end(&process, SIGTERM), 0));
}

/* ------------------------------------------------------------------ snapshots */

Test(snapshots, are_there_when_save_says_so, .fini = end_well)
{
    char path[PROCESS_PATH_MAX + 16];
    struct stat status;

    start("save", NULL, NULL);
    cr_assert(talk_open(&other, process.port));
    for (uint32_t i = 0; i < 4; i++)
        cr_assert(eq(str, set_large(i), "+OK"));
    (void)snprintf(path, sizeof path, "%s/snapshot", process.dir);
    cr_assert(eq(int, stat(path, &status), -1));
    cr_assert(eq(str, talk_ask(&talk, "LASTSAVE"), ":0"));
    cr_assert(talk_say(&talk, "SAVE\r\nSET behind 1\r\n"));
    cr_assert(eq(str, talk_ask(&other, "SET beside 1"), "+OK"));
    cr_assert(eq(str, talk_read(&talk), "+OK"));
    cr_assert(eq(int, stat(path, &status), 0));
    cr_assert(ge(i64, status.st_size, 4 * VALUE_BYTES));
    cr_assert(eq(str, talk_read(&talk), "+OK"));
    cr_assert(ne(str, talk_ask(&talk, "LASTSAVE"), ":0"));
    cr_assert(
        ne(ptr, strstr(talk_ask(&talk, "INFO persistence"), "rdb_bgsave_in_progress:0\r\n"),
           NULL));
    cr_assert(eq(int, process_end(&process, SIGKILL), 128 + SIGKILL));
    talk_close(&talk);
    cr_assert(process_start(&process));
    cr_assert(talk_open(&talk, process.port));
    cr_assert(eq(str, talk_ask(&talk, "MGET behind beside"), "[1 1]"));
    cr_assert(eq(str, talk_ask(&talk, "STRLEN k003"), ":6291456"));
}

/* An end in order does not wait for one that nobody asked to have before. */
Test(snapshots, are_cut_off_by_sigterm, .fini = end_well)
{
    enum { VALUES = 5 };
    char wanted[16];

    start("cut-off", NULL, NULL);
    for (uint32_t i = 0; i < VALUES; i++)
        cr_assert(eq(str, set_large(i), "+OK"));
    cr_assert(eq(str, talk_ask(&talk, "BGSAVE"), "+Background saving started"));
    cr_assert(eq(int, process_end(&process, SIGTERM), 0));
    cr_assert(process_has_said(&process, "SIGTERM: ending in order"));
    cr_assert(not(process_has_said(&process, "failed")));
    talk_close(&talk);
    cr_assert(process_start(&process));
    cr_assert(talk_open(&talk, process.port));
    (void)snprintf(wanted, sizeof wanted, ":%d", VALUES);
    cr_assert(eq(str, talk_ask(&talk, "DBSIZE"), wanted));
    for (uint32_t i = 0; i < VALUES; i++)
        cr_assert(eq(str, talk_askf(&talk, "STRLEN k%03u", i), ":6291456"));
    cr_assert(eq(str, talk_ask(&talk, "SAVE"), "+OK"));
}

/* ------------------------------------------------------------------ connections */

static uint16_t port_of(const struct talk *of)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;

    cr_assert(eq(int, getsockname(of->fd, (struct sockaddr *)&address, &len), 0));
    return ntohs(address.sin_port);
}

/* After how much silence the server's end of a connection will be probed, in hundredths of
 * a second, as the system tells; 0: never; -1: something else is to be done before. */
static long probed_after(const struct talk *of)
{
    FILE *file = fopen("/proc/net/tcp", "re");
    unsigned mine = port_of(of), local, remote, timer;
    unsigned long when;
    char line[256];
    long found = -1;

    if (file == NULL)
        cr_skip_test("there is no /proc/net/tcp");
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, " %*u: %*8x:%x %*8x:%x %*x %*x:%*x %x:%lx", &local, &remote,
                   &timer, &when) == 4 &&
            local == process.port && remote == mine)
            found = timer == 2 ? (long)when : timer == 0 ? 0 : -1;
    }
    (void)fclose(file);
    return found;
}

static bool is_probed_between(const struct talk *of, long least, long most)
{
    for (int i = 0; i < TRIES; i++) {
        long ticks = probed_after(of);

        if (ticks >= least && ticks <= most)
            return true;
        wait_a_little();
    }
    return false;
}

Test(connections, are_probed_as_it_was_set, .fini = end_well)
{
    start("keepalive", NULL, NULL);
    cr_assert(eq(str, talk_ask(&talk, "CONFIG GET tcp-keepalive"), "[tcp-keepalive 300]"));
    cr_assert(is_probed_between(&talk, 20000, 30000));
    cr_assert(eq(str, talk_ask(&talk, "CONFIG SET tcp-keepalive 50"), "+OK"));
    cr_assert(talk_open(&other, process.port));
    cr_assert(eq(str, talk_ask(&other, "CONFIG GET tcp-keepalive"), "[tcp-keepalive 50]"));
    cr_assert(is_probed_between(&other, 1000, 5000));
    talk_close(&other);
    cr_assert(eq(str, talk_ask(&talk, "CONFIG SET tcp-keepalive 0"), "+OK"));
    cr_assert(talk_open(&other, process.port));
    cr_assert(eq(str, talk_ask(&other, "CONFIG GET tcp-keepalive"), "[tcp-keepalive 0]"));
    cr_assert(is_probed_between(&other, 0, 0));
    talk_close(&other);
    cr_assert(eq(str, talk_ask(&talk, "CONFIG SET tcp-keepalive 300"), "+OK"));
    cr_assert(talk_open(&other, process.port));
    cr_assert(eq(str, talk_ask(&other, "PING"), "+PONG"));
    cr_assert(is_probed_between(&other, 20000, 30000));
}

/* Ends the connection as a process does that is killed with something unread. */
static void reset(struct talk *of)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(of->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    talk_close(of);
}

Test(connections, that_break_are_not_slept_through, .fini = end_well)
{
    start("asleep", NULL, NULL);
    cr_assert(talk_open(&other, process.port));
    cr_assert(talk_say(&other, "DEBUG SLEEP 3000\r\n"));
    expect_soon("CLIENT LIST", " cmd=debug ");
    reset(&other);
    expect_soon("INFO clients", "connected_clients:1\r\n");
}

Test(connections, are_not_slept_through_at_the_end)
{
    start("asleep-at-the-end", NULL, NULL);
    cr_assert(talk_open(&other, process.port));
    cr_assert(talk_say(&other, "DEBUG SLEEP 3000\r\n"));
    expect_soon("CLIENT LIST", " cmd=debug ");
    talk_close(&talk);
    cr_assert(eq(int, kill(process.pid, SIGTERM), 0));
    cr_assert(eq(str, talk_read(&other), "+OK"));
    cr_assert(eq(str, talk_read(&other), "(end)"));
    talk_close(&other);
    cr_assert(eq(int, process_wait(&process), 0));
}

Test(connections, are_as_many_as_there_is_room_for, .fini = end_well)
{
    start("room", "--max-clients", "3");
    cr_assert(eq(str, talk_ask(&talk, "CONFIG SET maxclients 4"),
                 "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - The "
                 "operating system is not able to handle the specified number of clients, "
                 "try with 3"));
    cr_assert(eq(str, talk_ask(&talk, "CONFIG GET maxclients"), "[maxclients 3]"));
    cr_assert(eq(str, talk_ask(&talk, "CONFIG SET maxclients 1"), "+OK"));
    cr_assert(talk_open(&other, process.port));
    cr_assert(eq(str, talk_read(&other), "-ERR max number of clients reached"));
    talk_close(&other);
    cr_assert(eq(str, talk_ask(&talk, "CONFIG SET maxclients 2"), "+OK"));
    cr_assert(talk_open(&other, process.port));
    cr_assert(eq(str, talk_ask(&other, "PING"), "+PONG"));
}
