/* tally.c - a counter over TCP, in memory: a line "INCR" adds one, "GET" asks, and both are
 * answered with the value. counter.h makes it durable. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <tempest/io/auto/auto.h>
#include <tempest/sm/service.h>
#include <tempest/tempest.h>

enum { LINE_BYTES = 64 };

static uint64_t value;

static bool is_word(const uint8_t *line, int32_t len, const char *word)
{
    return (size_t)len == strlen(word) + 1 && memcmp(line, word, strlen(word)) == 0;
}

static void answer(struct tp_connection *c, const uint8_t *line, int32_t len)
{
    char reply[32];

    if (is_word(line, len, "INCR"))
        value++;
    if (is_word(line, len, "INCR") || is_word(line, len, "GET"))
        snprintf(reply, sizeof reply, "%" PRIu64 "\n", value);
    else
        snprintf(reply, sizeof reply, "INCR or GET\n");
    tp_connection_write(c, reply, (uint32_t)strlen(reply));
}

static enum tp_step client_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct tp_connection *c = &tp_client_of(machine)->connection;
    const uint8_t *line;
    int32_t len;

    while ((len = tp_connection_peek_line(cx, c, LINE_BYTES, &line)) > 0) {
        answer(c, line, len);
        tp_connection_consume(c, (uint32_t)len);
    }
    return len == -EAGAIN ? TP_WAIT : tp_client_end(machine, cx);
}

int main(int argc, char **argv)
{
    static struct tp_service service;
    struct tp_service_config config = {.tick = client_tick,
                                       .stop_signals = TP_SIGNAL_TERM | TP_SIGNAL_INT};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    sigset_t signals;
    int error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "tally: %s\n", tp_auto_io_refusal(error)), 1;
    if (tp_address_parse(argc > 1 ? argv[1] : "127.0.0.1:7777", 7777, &config.address) < 0)
        return fprintf(stderr, "usage: tally [ADDRESS:PORT]\n"), 2;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    scheduler = tp_scheduler_create(io, 16384);
    tp_assert(scheduler != NULL);
    tp_service_spawn(scheduler, &service, &config);
    tp_scheduler_run(scheduler);
    if (service.machine.result < 0)
        fprintf(stderr, "tally: %s\n", tp_errno_name(service.machine.result));
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return service.machine.result < 0;
}
