#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/bench/file.h"
#include "io/base.h"

enum { START_LOOKS = 3000, WORDS_MAX = 24 };
#define LOOK_NS UINT64_C(10000000)
#define END_NS  UINT64_C(30000000000)

/* The path of the program of that name, if it is on the PATH. */
static bool on_path(const char *name, char path[BENCH_PATH_MAX])
{
    const char *at = getenv("PATH");

    while (at != NULL && *at != '\0') {
        int len = (int)strcspn(at, ":");
        int needed = snprintf(path, BENCH_PATH_MAX, "%.*s/%s", len, at, name);

        if (needed > 0 && needed < BENCH_PATH_MAX && access(path, X_OK) == 0)
            return true;
        at += len;
        at += *at == ':' ? 1 : 0;
    }
    return false;
}

/* Debian's redis-tools have the server, too, under the name of a tool. */
static bool find(const char *program, char path[BENCH_PATH_MAX])
{
    if (strncmp(program, "tempest-", 8) == 0)
        return bench_file_neighbour(program, path);
    return on_path(program, path) ||
           (strcmp(program, "redis-server") == 0 && on_path("redis-check-rdb", path));
}

bool bench_kv_there(const char *program)
{
    char path[BENCH_PATH_MAX];

    if (find(program, path))
        return true;
    (void)bench_complain(program, -ENOENT);
    return false;
}

/* ------------------------------------------------------------------ the process */

/* What the child needs: its command line, and where its output goes. */
struct birth {
    char program[BENCH_PATH_MAX], port[8];
    char *words[WORDS_MAX];
    int log;
};

static int live(void *context)
{
    struct birth *birth = context;

    if (dup2(birth->log, STDOUT_FILENO) < 0 || dup2(birth->log, STDERR_FILENO) < 0 ||
        fcntl(birth->log, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    (void)execv(birth->program, birth->words);
    return bench_complain(birth->program, -errno);
}

/* What each is called with. Redis does nothing beside: no snapshots, no rewriting of its
 * log. Both write a log; replies wait for the disk when it is to be durable. */
static int describe(struct birth *birth, struct bench_kv_server *s, bool durable)
{
    char *const redis[WORDS_MAX] = {"redis-server",
                                    "--port",
                                    birth->port,
                                    "--bind",
                                    "127.0.0.1",
                                    "--dir",
                                    s->directory,
                                    "--save",
                                    "",
                                    "--appendonly",
                                    "yes",
                                    "--appendfsync",
                                    durable ? "always" : "no",
                                    "--auto-aof-rewrite-percentage",
                                    "0",
                                    "--daemonize",
                                    "no",
                                    "--loglevel",
                                    "warning",
                                    NULL};
    char *const tempest[WORDS_MAX] = {
        "tempest-kv", "--port",    birth->port,
        "--bind",     "127.0.0.1", "--dir",
        s->directory, "--sync",    durable ? "always" : "none",
        NULL};
    const bool ours = strcmp(s->name, "tempest") == 0;

    (void)snprintf(birth->port, sizeof birth->port, "%u", s->port);
    memcpy(birth->words, ours ? tempest : redis, sizeof birth->words);
    return find(birth->words[0], birth->program) ? 0 : -ENOENT;
}

static int spawn(struct bench_kv_server *s, bool durable, const char *log)
{
    struct birth birth;
    int result = describe(&birth, s, durable);

    if (result < 0)
        return result;
    birth.log = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (birth.log < 0)
        return -errno;
    result = bench_service_start(&s->service, live, &birth, birth.log);
    (void)close(birth.log);
    return result;
}

/* A port that nobody has at present. */
static int find_port(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = 0;

    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        result = -errno;
    (void)close(fd);
    *ret_port = ntohs(address.sin_port);
    return result;
}

/* ------------------------------------------------------------------ life */

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static int remove_tree(const char *path)
{
    return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT ? -errno
                                                                                  : 0;
}

static int wait_until_it_answers(const struct bench_kv_server *s)
{
    const struct timespec pause = {0, LOOK_NS};

    for (uint32_t i = 0; i < START_LOOKS; i++) {
        if (!bench_service_runs(&s->service))
            return -ECHILD;
        if (bench_kv_answers(s->port))
            return 0;
        (void)nanosleep(&pause, NULL);
    }
    return -ETIMEDOUT;
}

int bench_kv_start(struct bench_kv_server *s, const char *name, bool durable,
                   const struct bench_options *options)
{
    char inside[32], log[BENCH_PATH_MAX];
    int result;

    tp_assert(s->service.pid == 0);
    s->name = name;
    (void)snprintf(inside, sizeof inside, "kv-%s.log", name);
    result = bench_file_place(options, inside, log);
    if (result == 0) {
        (void)snprintf(inside, sizeof inside, "kv-%s/", name);
        result = bench_file_place(options, inside, s->directory);
    }
    if (result < 0)
        return result;
    s->directory[strlen(s->directory) - 1] = '\0';
    result = remove_tree(s->directory);
    if (result == 0 && mkdir(s->directory, 0777) < 0)
        result = -errno;
    if (result == 0)
        result = find_port(&s->port);
    if (result == 0)
        result = spawn(s, durable, log);
    if (result == 0)
        result = wait_until_it_answers(s);
    if (result == -ECHILD)
        fprintf(stderr, "tempest-bench: %s has ended: %s\n", name, log);
    return result < 0 ? bench_complain(name, result) : 0;
}

int bench_kv_stop(struct bench_kv_server *s)
{
    int result = bench_service_stop(&s->service, SIGTERM, END_NS);
    int removed = s->directory[0] != '\0' ? remove_tree(s->directory) : 0;

    if (result == 0)
        result = removed;
    return result < 0 ? bench_complain(s->name, result) : 0;
}
