/** tests/kv/engine_main.c - serves the engine on a Unix socket, so that what it replies can
 * be compared with what another server replies to the same bytes.
 *
 *     engine SOCKET [password=TEXT] [bulk=BYTES] [again=N] [verify]
 *
 * The log is a counter; with again=N every N-th reservation has to come again, with
 * `verify` every record is replayed into a second store, which must agree at the end. It
 * ends, with 0 when all was well, when its standard input ends or a client says SHUTDOWN.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "apps/kv/grow.h"
#include "apps/kv/resp.h"
#include "tests/kv/fixture.h"

enum { CLIENTS_MAX = 64, READ_BYTES = 64 << 10 };

struct client {
    int fd; /* -1: free */
    bool close;
    struct kv_session session;
    struct kv_resp resp;
    uint8_t *input;
    uint32_t input_len, input_capacity;
    struct kv_reply output;
    uint32_t sent;
    int64_t asleep_until_ms;
};

static struct fixture fixture;
static struct client clients[CLIENTS_MAX];
static uint32_t again_every;
static bool stopping;

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tick(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    kv_engine_set_clock(&fixture.engine, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
                        clock_ms(CLOCK_MONOTONIC));
    (void)kv_store_work(fixture.store, 100);
    (void)kv_engine_expire(&fixture.engine, 20);
}

/* ------------------------------------------------------------------ clients */

static void open_client(int fd)
{
    struct client *client = clients;

    while (client < clients + CLIENTS_MAX && client->fd >= 0)
        client++;
    if (client == clients + CLIENTS_MAX) {
        (void)close(fd);
        return;
    }
    *client = (struct client){.fd = fd};
    kv_resp_init(&client->resp, &(struct kv_resp_limits){.args_max = KV_RESP_ARGS_MAX});
    kv_session_open(&fixture.engine, &client->session);
    client->session.on_unix = true;
    client->session.number = fd;
}

static void close_client(struct client *client)
{
    (void)close(client->fd);
    kv_session_close(&fixture.engine, &client->session);
    kv_resp_deinit(&client->resp);
    kv_reply_deinit(&client->output);
    free(client->input);
    client->fd = -1;
}

static void execute(struct client *client)
{
    struct kv_result result;

    do {
        if (again_every > 0 && fixture.refusal == 0) {
            fixture.refusal = -EAGAIN;
            fixture.refuse_in = again_every;
        }
        kv_execute(&fixture.engine, &client->session, client->resp.argv, client->resp.argc,
                   &client->output, &result);
    } while (result.outcome != KV_DONE);
    tp_assert(result.lsn <= fixture.lsn);
    client->close |= result.close;
    if (result.sleep_us > 0)
        client->asleep_until_ms =
            clock_ms(CLOCK_MONOTONIC) + (int64_t)(result.sleep_us / 1000);
    stopping |= result.shutdown != KV_STAY;
}

static bool awake(const struct client *client)
{
    return client->asleep_until_ms <= clock_ms(CLOCK_MONOTONIC);
}

/* Executes what is there whole. */
static void serve(struct client *client)
{
    enum kv_resp_status status = KV_RESP_REQUEST;
    uint32_t used = 0;

    while (status == KV_RESP_REQUEST && !client->close && !stopping && awake(client)) {
        client->resp.limits.argument_max = fixture.engine.config.argument_max;
        client->resp.limits.stranger = !client->session.known;
        status =
            kv_resp_read(&client->resp, client->input + used, client->input_len - used);
        if (status == KV_RESP_WRONG) {
            kv_reply_unreadable(&fixture.engine, &client->session, client->resp.error,
                                &client->output);
            client->close = true;
        } else if (status == KV_RESP_REQUEST) {
            execute(client);
            used += client->resp.used;
            kv_resp_next(&client->resp);
        }
    }
    client->input_len -= used;
    if (used > 0)
        memmove(client->input, client->input + used, client->input_len);
}

/* False: the client has gone. */
static bool receive(struct client *client)
{
    ssize_t len;

    client->input = kv_grow(client->input, &client->input_capacity,
                            (uint64_t)client->input_len + READ_BYTES, 1);
    len = recv(client->fd, client->input + client->input_len, READ_BYTES, 0);
    if (len <= 0)
        return len < 0 && errno == EAGAIN;
    client->input_len += (uint32_t)len;
    return true;
}

static bool send_output(struct client *client)
{
    while (client->sent < client->output.len) {
        ssize_t len = send(client->fd, client->output.bytes + client->sent,
                           client->output.len - client->sent, MSG_NOSIGNAL);

        if (len < 0)
            return errno == EAGAIN;
        client->sent += (uint32_t)len;
    }
    client->output.len = client->sent = 0;
    return !client->close;
}

static void handle(struct client *client, short events)
{
    bool alive = true;

    if (events & (POLLIN | POLLHUP | POLLERR))
        alive = receive(client);
    if (alive)
        serve(client);
    if (alive)
        alive = send_output(client);
    if (!alive)
        close_client(client);
}

/* ------------------------------------------------------------------ the program */

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, CLIENTS_MAX) != 0)
        return -1;
    return fd;
}

static void loop(int listener)
{
    struct pollfd fds[CLIENTS_MAX + 2];

    while (!stopping) {
        fds[0] = (struct pollfd){.fd = 0, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = listener, .events = POLLIN};
        for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
            bool full = clients[i].fd >= 0 && clients[i].output.len > 0;

            fds[2 + i] =
                (struct pollfd){.fd = clients[i].fd, .events = full ? POLLOUT : POLLIN};
        }
        (void)poll(fds, CLIENTS_MAX + 2, 5);
        tick();
        if (fds[0].revents != 0)
            return;
        for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
            if (clients[i].fd >= 0)
                handle(&clients[i], fds[2 + i].revents);
        }
        if (fds[1].revents != 0) {
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

            if (fd >= 0)
                open_client(fd);
        }
    }
}

/* The text behind NAME=, or NULL. */
static const char *value_of(const char *argument, const char *name)
{
    size_t len = strlen(name);

    return strncmp(argument, name, len) == 0 ? argument + len : NULL;
}

int main(int argc, char **argv)
{
    struct fixture_config config = {.with_replica = false};
    const char *value;
    uint32_t bulk = 0;
    bool agrees;
    int listener;

    for (int i = 2; i < argc; i++) {
        if ((value = value_of(argv[i], "password=")) != NULL)
            config.password = value;
        else if ((value = value_of(argv[i], "bulk=")) != NULL)
            bulk = (uint32_t)strtoul(value, NULL, 10);
        else if ((value = value_of(argv[i], "again=")) != NULL)
            again_every = (uint32_t)strtoul(value, NULL, 10);
        else
            config.with_replica = strcmp(argv[i], "verify") == 0;
    }
    listener = argc < 2 ? -1 : listen_at(argv[1]);
    if (listener < 0) {
        (void)fprintf(stderr, "usage: %s SOCKET [OPTION...]; or it cannot be listened at\n",
                      argv[0]);
        return 2;
    }
    for (uint32_t i = 0; i < CLIENTS_MAX; i++)
        clients[i].fd = -1;
    fixture_init(&fixture, &config);
    if (bulk > 0)
        fixture.engine.config.argument_max = bulk;
    loop(listener);
    for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
        if (clients[i].fd >= 0)
            close_client(&clients[i]);
    }
    (void)close(listener);
    (void)unlink(argv[1]);
    agrees = fixture.replica == NULL || fixture_replica_agrees(&fixture);
    fixture_deinit(&fixture);
    if (!agrees)
        (void)fprintf(stderr, "the records do not add up to what the store holds\n");
    return agrees ? 0 : 1;
}
