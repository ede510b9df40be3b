/* Kills a real server at random moments under load, again and again: nothing that it has
 * acknowledged is lost.
 *
 *     kills ROUNDS
 *
 * The clients are those of the simulation (apps/kv/sim), over real sockets. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "apps/kv/sim/script.h"
#include "tests/kv/server/process.h"
#include "tests/kv/server/talk.h"

enum {
    GUESTS = 6,
    DEPTH = 30,
    STEPS_LAST = 50,
    LIFE_MS_MAX = 120, /* of a server that is killed */
    START_MS_MAX = 150,
    PATIENCE_MS = 60000,
    IN_BYTES = 256 << 10,
};

struct guest {
    struct kv_script script;
    int fd; /* -1: not connected */
    uint32_t sent, in_len;
    uint8_t in[IN_BYTES];
};

static struct process process;
static struct kv_oracle oracle;
static struct guest guests[GUESTS];

static int64_t now_ms(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_REALTIME, &time); /* as the server has it */
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static uint32_t below(uint32_t bound)
{
    uint32_t number = 0;

    (void)!getrandom(&number, sizeof number, 0);
    return number % bound;
}

/* ------------------------------------------------------------------ a guest */

static void come(struct guest *guest)
{
    static struct talk talk;

    if (!talk_open(&talk, process.port))
        return;
    guest->fd = talk.fd;
    guest->sent = guest->in_len = 0;
    kv_script_connected(&guest->script);
}

static void go(struct guest *guest)
{
    if (guest->fd < 0)
        return;
    (void)close(guest->fd);
    guest->fd = -1;
    kv_script_disconnected(&guest->script);
}

static void ask(struct guest *guest)
{
    struct kv_script *script = &guest->script;
    ssize_t count;

    if (guest->sent == script->request_len)
        guest->sent = script->request_len = 0;
    while (kv_script_wants(script, DEPTH))
        kv_script_ask(script, now_ms());
    count = send(guest->fd, script->request + guest->sent,
                 script->request_len - guest->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0)
        guest->sent += (uint32_t)count;
}

/* Understands what has come. */
static void understand(struct guest *guest)
{
    uint32_t at = 0;

    for (;;) {
        struct kv_answer answer = kv_answer_read(guest->in + at, guest->in_len - at);

        if (answer.kind == KV_ANSWER_MORE)
            break;
        if (answer.kind == KV_ANSWER_WRONG) {
            kv_oracle_violate(&oracle, "client %u was sent no reply", guest->script.owner);
            return;
        }
        kv_script_answer(&guest->script, &answer, now_ms());
        at += answer.used;
    }
    guest->in_len -= at;
    memmove(guest->in, guest->in + at, guest->in_len);
}

/* False: the connection has ended. */
static bool listen_to(struct guest *guest)
{
    ssize_t count =
        recv(guest->fd, guest->in + guest->in_len, IN_BYTES - guest->in_len, MSG_DONTWAIT);

    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        return false;
    if (count > 0) {
        guest->in_len += (uint32_t)count;
        understand(guest);
    }
    if (guest->script.stage == KV_SCRIPT_STUCK)
        kv_oracle_violate(&oracle, "a sound disk was said to be out of order");
    return true;
}

/* ------------------------------------------------------------------ all of them */

static bool are_done(void)
{
    for (uint32_t i = 0; i < GUESTS; i++) {
        if (!kv_script_done(&guests[i].script))
            return false;
    }
    return true;
}

/* Everybody does what he can, then all wait a moment for something to do. */
static void go_round(void)
{
    struct pollfd fds[GUESTS];

    for (uint32_t i = 0; i < GUESTS; i++) {
        struct guest *guest = &guests[i];

        if (guest->fd < 0)
            come(guest);
        if (guest->fd >= 0) {
            guest->script.pausing = false;
            ask(guest);
            if (!listen_to(guest))
                go(guest);
        }
        fds[i] = (struct pollfd){.fd = guest->fd, .events = POLLIN};
    }
    (void)poll(fds, GUESTS, 1);
}

static void start(void)
{
    if (process_start(&process))
        return;
    kv_oracle_violate(&oracle, "the server does not start; see %s", process.log);
}

/* One life of a server. */
static void live_and_be_killed(void)
{
    int64_t until_ms;

    if (below(4) == 0) /* in its start, most likely */
        process_start_and_kill(&process, below(START_MS_MAX));
    start();
    until_ms = now_ms() + below(LIFE_MS_MAX);
    while (now_ms() < until_ms && !kv_oracle_is_broken(&oracle))
        go_round();
    if (process.pid > 0)
        (void)process_end(&process, SIGKILL);
    for (uint32_t i = 0; i < GUESTS; i++) {
        /* What was sent before the end can still be read. */
        while (guests[i].fd >= 0 && listen_to(&guests[i]))
            ;
        go(&guests[i]);
        guests[i].script.old_id = 0; /* no connection outlives its server */
    }
}

static void run_to_the_end(void)
{
    int64_t until_ms = now_ms() + PATIENCE_MS;

    while (!are_done() && !kv_oracle_is_broken(&oracle)) {
        go_round();
        if (now_ms() > until_ms)
            kv_oracle_violate(&oracle, "nothing goes on any more");
    }
}

/* The scripts are followed to their end; then everybody looks at everything there is. */
static void live_and_end(void)
{
    start();
    for (uint32_t i = 0; i < GUESTS; i++)
        guests[i].script.steps_left = STEPS_LAST;
    run_to_the_end();
    for (uint32_t i = 0; i < GUESTS; i++) {
        go(&guests[i]);
        kv_oracle_doubt(&oracle, i);
    }
    run_to_the_end();
    for (uint32_t i = 0; i < GUESTS; i++)
        go(&guests[i]);
    if (process.pid > 0 && process_end(&process, SIGTERM) != 0)
        kv_oracle_violate(&oracle, "the server did not end in order");
}

int main(int argc, char **argv)
{
    uint32_t rounds = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    char name[32];

    if (rounds == 0)
        return 2;
    (void)snprintf(name, sizeof name, "kills-%" PRIu32, rounds);
    process_init(&process, name);
    kv_oracle_init(&oracle);
    for (uint32_t i = 0; i < GUESTS; i++) {
        guests[i].fd = -1;
        kv_script_init(&guests[i].script, &oracle, i, below(UINT32_MAX), UINT64_MAX);
        guests[i].script.owners = GUESTS;
    }
    for (uint32_t i = 0; i < rounds && !kv_oracle_is_broken(&oracle); i++)
        live_and_be_killed();
    if (!kv_oracle_is_broken(&oracle))
        live_and_end();
    for (uint32_t i = 0; i < GUESTS; i++)
        kv_script_deinit(&guests[i].script);
    (void)printf("%" PRIu32 " kills; %" PRIu64 " writes acknowledged, %" PRIu64
                 " without an answer, of which %" PRIu64 " were there; %" PRIu64 " reads\n",
                 rounds, oracle.stats.steps_acked, oracle.stats.steps_unknown,
                 oracle.stats.survived, oracle.stats.reads);
    if (!kv_oracle_is_broken(&oracle))
        return oracle.stats.steps_acked > rounds && oracle.stats.resolved > rounds ? 0 : 1;
    (void)printf("%s\n", oracle.violation);
    return 1;
}
