/* A server among thousands of bad clients, for as long as is said: test-kv-soak SECONDS.
 *
 * They come and go, end one side, reset, send garbage, send byte by byte, never read, say
 * nothing. Meanwhile honest clients are served, and get what they are due. In the end, and
 * half way, all bad ones leave: the server must have as many files open as before, and no
 * more memory than half way; while they are there its memory has a bound. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/base.h"
#include "tests/kv/server/process.h"
#include "tests/kv/server/talk.h"

enum {
    GUESTS = 2000,
    HONEST = 4,
    FILES_WANTED = 4 * GUESTS,
    VISITS_EACH_TURN = 300,
    BIG_BYTES = 60000,
    FILES_OF_LOG = 2, /* that may be open or not: a segment and its directory */
    TURNS_MIN = 20,   /* however busy the machine is */
    PATIENCE_S = 60,
    GROWTH_MAX = 8 << 20,
};

/* Of every guest that never reads, the server keeps the replies of what it has read, up to
 * a mark; then it reads no more from him. */
#define RESIDENT_MAX ((uint64_t)1200 << 20)

enum manner {
    VISITOR,  /* comes and goes */
    HALF,     /* asks, ends his side, and reads to the end */
    RESETTER, /* asks, and resets */
    GARBAGE,  /* sends anything */
    TRICKLER, /* sends byte by byte */
    DEAF,     /* asks for much, and never reads */
    SILENT,   /* says nothing */
    MANNERS
};

struct guest {
    int fd; /* -1: not there */
    enum manner manner;
    uint32_t visits, visits_max;
};

static struct process server;
static struct guest guests[GUESTS];
static struct talk honest[HONEST];
static uint64_t counts[HONEST]; /* that each was told of */
static uint64_t come, heard_all, resident_top;
static uint64_t chance = 1;

static uint32_t draw(uint32_t below)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (uint32_t)(chance % below);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------ what the server has */

static uint32_t count_files(void)
{
    char path[64];
    uint32_t count = 0;
    DIR *dir;

    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)server.pid);
    dir = opendir(path);
    tp_assert(dir != NULL);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count - 2;
}

static uint64_t count_resident(void)
{
    char path[64], line[128];
    char *at;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)server.pid);
    file = fopen(path, "re");
    tp_assert(file != NULL && fgets(line, sizeof line, file) != NULL);
    (void)fclose(file);
    at = strchr(line, ' ');
    tp_assert(at != NULL);
    return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ------------------------------------------------------------------ bad clients */

static void leave(struct guest *g)
{
    (void)close(g->fd);
    g->fd = -1;
}

static void come_in(struct guest *g)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    g->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    tp_assert(g->fd >= 0);
    g->manner = (enum manner)draw(MANNERS);
    g->visits = 0;
    g->visits_max = 1 + draw(40);
    if (connect(g->fd, (struct sockaddr *)&address, sizeof address) < 0 &&
        errno != EINPROGRESS)
        leave(g);
    else
        come++;
}

/* What the socket does not take is not said. */
static void say(const struct guest *g, const char *text, uint32_t len)
{
    (void)!send(g->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void ask_many(const struct guest *g, const char *request, uint32_t times)
{
    char many[8192];
    size_t used = 0;

    for (; times > 0 && sizeof many - used > strlen(request); times--)
        used += (size_t)snprintf(many + used, sizeof many - used, "%s", request);
    say(g, many, (uint32_t)used);
}

static void send_garbage(const struct guest *g)
{
    static const char *const starts[] = {"*3\r\n$", "*1000000\r\n", "*-7\r\n", "SET \"",
                                         ""};
    const char *start = starts[draw(5)];
    char bytes[600];
    uint32_t len = draw(sizeof bytes);

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (char)draw(256);
    say(g, start, (uint32_t)strlen(start));
    say(g, bytes, len);
}

static void send_byte(const struct guest *g)
{
    static const char request[] = "*3\r\n$3\r\nSET\r\n$1\r\nt\r\n$3\r\nt\r\n\r\n";

    say(g, request + g->visits % (sizeof request - 1), 1);
}

static void reset(struct guest *g)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(g->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    leave(g);
}

/* Reads what is there; false when there is an end. */
static bool hear(const struct guest *g)
{
    static char bytes[1 << 16];
    ssize_t count;

    do
        count = recv(g->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (count > 0);
    return count < 0 && (errno == EAGAIN || errno == ENOTCONN);
}

static void act(struct guest *g)
{
    switch (g->manner) {
    case HALF:
        if (g->visits == 1) {
            ask_many(g, "INCR halves\r\nGET big\r\n", 1 + draw(20));
            (void)shutdown(g->fd, SHUT_WR);
        }
        if (!hear(g)) {
            heard_all++;
            leave(g);
        }
        return;
    case RESETTER:
        ask_many(g, "INCR resets\r\n", 1 + draw(100));
        if (g->visits > 2)
            reset(g);
        return;
    case GARBAGE:
        send_garbage(g);
        if (!hear(g))
            leave(g);
        return;
    case TRICKLER:
        send_byte(g);
        if (!hear(g))
            leave(g);
        return;
    case DEAF:
        ask_many(g, "GET big\r\n", 900);
        return;
    case VISITOR:
        leave(g);
        return;
    case SILENT:
    case MANNERS:
        return;
    }
}

static void visit(struct guest *g)
{
    if (g->fd < 0) {
        come_in(g);
        return;
    }
    if (++g->visits > g->visits_max)
        leave(g);
    else
        act(g);
}

/* ------------------------------------------------------------------ honest clients */

static void be_honest(uint32_t i)
{
    char wanted[32];

    (void)snprintf(wanted, sizeof wanted, ":%" PRIu64, ++counts[i]);
    if (strcmp(talk_askf(&honest[i], "INCR honest:%u", i), wanted) != 0)
        tp_stopf(__FILE__, __LINE__, "honest client %u is told %s, not %s", i,
                 honest[i].text, wanted);
    tp_assert(strcmp(talk_askf(&honest[i], "SET value:%u %" PRIu64, i, counts[i]), "+OK") ==
              0);
    tp_assert(strcmp(talk_askf(&honest[i], "GET value:%u", i), wanted + 1) == 0);
}

static void open_honest(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};

    for (uint32_t i = 0; i < HONEST; i++) {
        tp_assert(talk_open(&honest[i], server.port));
        tp_assert(setsockopt(honest[i].fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
                             sizeof patience) == 0);
        tp_assert(strcmp(talk_ask(&honest[i], "PING"), "+PONG") == 0);
    }
}

/* ------------------------------------------------------------------ the soak */

static void set_big(void)
{
    static char big[BIG_BYTES];

    memset(big, 'b', sizeof big);
    tp_assert(talk_say(&honest[0], "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$60000\r\n"));
    tp_assert(talk_send(&honest[0], big, sizeof big) && talk_say(&honest[0], "\r\n"));
    tp_assert(strcmp(talk_read(&honest[0]), "+OK") == 0);
}

static void soak(uint64_t ms)
{
    uint64_t end_ms = now_ms() + ms;

    for (uint32_t turn = 0; turn < TURNS_MIN || now_ms() < end_ms; turn++) {
        uint64_t resident = count_resident();

        for (uint32_t i = 0; i < VISITS_EACH_TURN; i++)
            visit(&guests[draw(GUESTS)]);
        be_honest(turn % HONEST);
        resident_top = resident > resident_top ? resident : resident_top;
        tp_assert(resident_top <= RESIDENT_MAX);
    }
}

static bool only_honest_are_there(void)
{
    char wanted[40];

    (void)snprintf(wanted, sizeof wanted, "connected_clients:%d\r\n", HONEST);
    return strstr(talk_ask(&honest[0], "INFO clients"), wanted) != NULL;
}

/* All bad ones leave; the server must notice, and have no more files than it had. */
static void clear(uint32_t files)
{
    uint64_t end_ms = now_ms() + (uint64_t)PATIENCE_S * 1000;

    for (uint32_t i = 0; i < GUESTS; i++) {
        if (guests[i].fd >= 0)
            leave(&guests[i]);
    }
    while (count_files() > files + FILES_OF_LOG || !only_honest_are_there()) {
        if (now_ms() > end_ms)
            tp_stopf(__FILE__, __LINE__, "%u files are open, not %u", count_files(), files);
        be_honest(0);
        (void)usleep(20000);
    }
}

static void check_end(void)
{
    for (uint32_t i = 0; i < HONEST; i++)
        talk_close(&honest[i]);
    tp_assert(process_end(&server, SIGTERM) == 0);
    tp_assert(!process_has_said(&server, "Sanitizer"));
    tp_assert(!process_has_said(&server, "runtime error"));
    tp_assert(process_start(&server) && talk_open(&honest[0], server.port));
    for (uint32_t i = 0; i < HONEST; i++) {
        char wanted[32];

        (void)snprintf(wanted, sizeof wanted, "%" PRIu64, counts[i]);
        tp_assert(strcmp(talk_askf(&honest[0], "GET honest:%u", i), wanted) == 0);
    }
    talk_close(&honest[0]);
    tp_assert(process_end(&server, SIGTERM) == 0);
}

/* What the server frees leaves its resident memory at once, so that this shows what it
 * keeps: with glibc, with jemalloc, with AddressSanitizer. */
static void set_allocator(void)
{
    tp_assert(setenv("MALLOC_MMAP_THRESHOLD_", "16384", 1) == 0);
    tp_assert(setenv("MALLOC_TRIM_THRESHOLD_", "0", 1) == 0);
    tp_assert(setenv("MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0", 1) == 0);
    tp_assert(setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 0) == 0);
}

static bool raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max < FILES_WANTED)
        return false;
    limit.rlim_cur = limit.rlim_cur < FILES_WANTED ? FILES_WANTED : limit.rlim_cur;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int main(int argc, char **argv)
{
    uint64_t ms = argc == 2 ? strtoull(argv[1], NULL, 10) * 1000 : 0;
    uint64_t resident_half, resident_end;
    uint32_t files;
    char name[32];

    tp_assert(ms > 0);
    if (!raise_file_limit()) {
        (void)printf("skipped: the limit of open files is below %d\n", FILES_WANTED);
        return 77;
    }
    (void)snprintf(name, sizeof name, "soak-%" PRIu64, ms);
    set_allocator();
    process_init(&server, name);
    tp_assert(process_start(&server));
    for (uint32_t i = 0; i < GUESTS; i++)
        guests[i].fd = -1;
    open_honest();
    set_big();
    files = count_files();
    soak(ms / 2);
    clear(files);
    resident_half = count_resident();
    soak(ms / 2);
    clear(files);
    resident_end = count_resident();
    (void)printf("%" PRIu64 " came, %" PRIu64 " heard all; resident: top %" PRIu64
                 " MiB, half way %" PRIu64 ", end %" PRIu64 "; honest: %" PRIu64 "\n",
                 come, heard_all, resident_top >> 20, resident_half >> 20,
                 resident_end >> 20, counts[0] + counts[1] + counts[2] + counts[3]);
    (void)fflush(stdout);
    tp_assert(come > GUESTS && heard_all > 0 && counts[HONEST - 1] > 0);
    tp_assert(resident_end <= resident_half + GROWTH_MAX);
    check_end();
    return 0;
}
