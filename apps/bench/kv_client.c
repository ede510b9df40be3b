#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/base.h"

/* ------------------------------------------------------------------ a plain client */

enum {
    CHUNK = 500, /* commands that are sent together */
    COMMAND_BYTES_MAX = 192,
    ANSWER_BYTES_MAX = 96,
    PATIENCE_S = 60, /* for an answer */
};

static int connect_to(uint16_t port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {PATIENCE_S, 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int result = -errno;

        (void)close(fd);
        return result;
    }
    return fd;
}

static int send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t count = send(fd, text, len, MSG_NOSIGNAL);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        text += count;
        len -= (size_t)count;
    }
    return 0;
}

/* A call that may take no longer than a time is not begun again by the kernel when
 * something interrupts it, the end of a ring that was closed before, say. */
static int recv_all(int fd, char *ret_bytes, size_t len)
{
    while (len > 0) {
        ssize_t count = recv(fd, ret_bytes, len, 0);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -ENODATA;
        ret_bytes += count;
        len -= (size_t)count;
    }
    return 0;
}

/* Sends all of `text`, and receives `len` bytes. */
static int ask(int fd, const char *text, size_t text_len, char *ret_answer, size_t len)
{
    int result = send_all(fd, text, text_len);

    return result < 0 ? result : recv_all(fd, ret_answer, len);
}

bool bench_kv_answers(uint16_t port)
{
    static const char pong[] = "+PONG\r\n";
    char answer[sizeof pong - 1];
    int fd = connect_to(port);
    bool right;

    if (fd < 0)
        return false;
    right = ask(fd, "PING\r\n", 6, answer, sizeof answer) == 0 &&
            memcmp(answer, pong, sizeof answer) == 0;
    (void)close(fd);
    return right;
}

/* Every key, as redis-benchmark names them, through `write`; each answer is `shape`, in
 * which a '?' is any byte. */
static int walk_keys(uint16_t port, int (*write)(char *text, uint32_t key),
                     const char *shape)
{
    const size_t len = strlen(shape);
    char *text = malloc((size_t)CHUNK * (COMMAND_BYTES_MAX + ANSWER_BYTES_MAX));
    int fd = connect_to(port);
    int result = text == NULL ? -ENOMEM : fd < 0 ? fd : 0;

    tp_assert(len <= ANSWER_BYTES_MAX && BENCH_KV_KEYS % CHUNK == 0);
    for (uint32_t key = 0; result == 0 && key < BENCH_KV_KEYS; key += CHUNK) {
        char *answers = text + (size_t)CHUNK * COMMAND_BYTES_MAX;
        size_t used = 0;

        for (uint32_t i = 0; i < CHUNK; i++)
            used += (size_t)write(text + used, key + i);
        result = ask(fd, text, used, answers, CHUNK * len);
        for (size_t i = 0; result == 0 && i < CHUNK * len; i++) {
            if (shape[i % len] != '?' && shape[i % len] != answers[i])
                result = -EBADMSG;
        }
    }
    if (fd >= 0)
        (void)close(fd);
    free(text);
    return result;
}

static int write_set(char *text, uint32_t key)
{
    static const char value[] =
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    tp_assert(sizeof value - 1 == BENCH_KV_VALUE_BYTES);
    return snprintf(text, COMMAND_BYTES_MAX,
                    "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012u\r\n$%d\r\n%s\r\n", key,
                    BENCH_KV_VALUE_BYTES, value);
}

static int write_get(char *text, uint32_t key)
{
    return snprintf(text, COMMAND_BYTES_MAX, "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012u\r\n",
                    key);
}

int bench_kv_fill(uint16_t port)
{
    return walk_keys(port, write_set, "+OK\r\n");
}

int bench_kv_verify(uint16_t port)
{
    return walk_keys(port, write_get,
                     "$64\r\n"
                     "????????????????????????????????"
                     "????????????????????????????????\r\n");
}

/* ------------------------------------------------------------------ redis-benchmark */

enum { OUTPUT_BYTES = 4096 };

/* Reads to the end what there is, and makes a string of it. */
static int read_all(int fd, char ret_text[OUTPUT_BYTES])
{
    size_t used = 0;

    for (;;) {
        ssize_t count = read(fd, ret_text + used, OUTPUT_BYTES - 1 - used);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            ret_text[used] = '\0';
            return count < 0 ? -errno : 0;
        }
        used += (size_t)count;
        if (used == OUTPUT_BYTES - 1)
            return -EMSGSIZE;
    }
}

static int run(char *const argv[], char ret_output[OUTPUT_BYTES])
{
    posix_spawn_file_actions_t actions;
    int ends[2], status, result;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    result = posix_spawn_file_actions_init(&actions);
    if (result == 0) {
        result = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        if (result == 0)
            result = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)close(ends[1]);
    if (result == 0)
        result = -read_all(ends[0], ret_output);
    (void)close(ends[0]);
    if (result != 0)
        return -result;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

/* The number below the heading `name` in two lines of fields, each in quotes. */
static int find_field(const char *output, const char *name, double *ret_value)
{
    const char *heading = output, *value = strchr(output, '\n');
    const size_t len = strlen(name);

    while (value != NULL && *heading == '"') {
        bool found = strncmp(heading + 1, name, len) == 0 && heading[1 + len] == '"';
        char *end;

        value++;
        if (*value != '"')
            return -EPROTO;
        if (found) {
            *ret_value = strtod(value + 1, &end);
            return *end == '"' && end > value + 1 ? 0 : -EPROTO;
        }
        heading += strcspn(heading, ",\n");
        value += strcspn(value, ",\n");
        if (*heading != ',' || *value != ',')
            return -EPROTO;
        heading++;
    }
    return -EPROTO;
}

int bench_kv_race(uint16_t port, const struct bench_setting *setting, uint64_t requests,
                  struct bench_kv_figures *ret_figures)
{
    char numbers[6][24], output[OUTPUT_BYTES], lower[8] = "";
    const uint64_t values[6] = {port,     setting->connections, setting->depth,
                                requests, BENCH_KV_KEYS,        BENCH_KV_VALUE_BYTES};
    char *argv[] = {"redis-benchmark",
                    "-h",
                    "127.0.0.1",
                    "-p",
                    numbers[0],
                    "-c",
                    numbers[1],
                    "-P",
                    numbers[2],
                    "-n",
                    numbers[3],
                    "-r",
                    numbers[4],
                    "-d",
                    numbers[5],
                    "-t",
                    lower,
                    "--csv",
                    NULL};
    int result;

    for (uint32_t i = 0; i < 6; i++)
        (void)snprintf(numbers[i], sizeof numbers[i], "%llu",
                       (unsigned long long)values[i]);
    for (uint32_t i = 0; setting->command[i] != '\0' && i < sizeof lower - 1; i++)
        lower[i] = (char)(setting->command[i] | 0x20);
    result = run(argv, output);
    if (result == 0)
        result = find_field(output, "rps", &ret_figures->ops_s);
    if (result == 0)
        result = find_field(output, "p50_latency_ms", &ret_figures->p50_us);
    if (result == 0)
        result = find_field(output, "p99_latency_ms", &ret_figures->p99_us);
    if (result < 0)
        return bench_complain("redis-benchmark", result);
    /* Of a run shorter than its clock's millisecond it says "inf". */
    ret_figures->ops_s = isfinite(ret_figures->ops_s) ? ret_figures->ops_s : 0;
    ret_figures->p50_us *= 1000;
    ret_figures->p99_us *= 1000;
    return 0;
}
