/* counter_cuts.c - the durable counter of counter.h in a simulated world, whose power is
 * cut after every single event: no increment that a user was told of is lost. */
#include <stdlib.h>
#include <tempest/io/virtual/virtual.h>

#include "counter.h"

enum { INCREMENTS = 5 };

/* A user, who keeps what he was told beyond the end of the world. */
struct user {
    struct tp_machine machine;
    struct tp_connection connection;
    uint8_t memory[512];
    const char *request;
    uint32_t asks, asked;
    uint64_t told;
    const uint8_t *line;
    int32_t len;
};

static const struct tp_address address = {
    .family = TP_ADDRESS_IPV4, .port = 7777, .at.ipv4 = {127, 0, 0, 1}};

/* Asks again and again, and ends the world in order when that is done. */
static enum tp_step user_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct user *u = tp_container_of(machine, struct user, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (;;) { /* it takes the service a while to be there */
        TP_AWAIT(cx, tp_connect(cx, &address, (struct tp_socket_options){0}), &result);
        if (result.value != -ECONNREFUSED)
            break;
        TP_AWAIT(cx, tp_timer(cx, 100000), &result);
    }
    if (result.value < 0)
        return tp_end(machine, result.value);
    tp_connection_init(&u->connection, tp_into_fd(cx, result), u->memory, sizeof u->memory,
                       NULL);
    for (u->asked = 0; u->asked < u->asks; u->asked++) {
        tp_connection_write(&u->connection, u->request, (uint32_t)strlen(u->request));
        TP_AWAIT_UNTIL(cx, (u->len = tp_connection_peek_line(cx, &u->connection, LINE_BYTES,
                                                             &u->line)) != -EAGAIN);
        if (u->len <= 0)
            break;
        u->told = strtoull((const char *)u->line, NULL, 10);
        tp_connection_consume(&u->connection, (uint32_t)u->len);
    }
    TP_AWAIT_UNTIL(cx, tp_connection_close(cx, &u->connection));
    tp_virtual_io_signal(tp_ctx_io(cx), TP_SIGNAL_TERM);
    return tp_end(machine, u->connection.error);
    TP_END(cx);
}

/* One life of the program, to its end or to event `cut_at`. Whether it was cut. */
static bool boot(struct tp_disk *disk, uint64_t cut_at, struct user *user)
{
    static struct counter counter;
    struct tp_virtual_io_config io_config = {
        .disk = disk, .seed = cut_at, .ops_max = 1024, .recv_buf_count = 8};
    struct tp_scheduler_config small = {.ops_max = 256, .machines_max = 64, .seed = 1};
    struct tp_journal_config log = {
        .path = "/log", .group_bytes = 64 << 10, .segment_bytes = 256 << 10};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    bool cut;

    memset(&counter, 0, sizeof counter);
    counter.config.tick = client_tick;
    counter.config.client_bytes = sizeof(struct client);
    counter.config.stop_signals = TP_SIGNAL_TERM;
    counter.config.address = address;
    tp_assert(tp_virtual_io_create(&io_config, &io) == 0);
    tp_assert(tp_journal_init(&counter.log, &log) == 0);
    tp_assert(tp_scheduler_create_with(io, &small, &scheduler) == 0);
    tp_virtual_io_cut_at(io, cut_at);
    tp_spawn(scheduler, &counter.machine, counter_tick, "counter");
    tp_spawn(scheduler, &user->machine, user_tick, "user");
    tp_scheduler_run(scheduler);
    cut = tp_virtual_io_is_dead(io);
    if (cut) {
        tp_scheduler_crash(scheduler);
        tp_virtual_io_power_cut(io);
        tp_service_deinit(&counter.service);
    } else {
        tp_scheduler_destroy(scheduler);
    }
    tp_journal_deinit(&counter.log);
    tp_virtual_io_destroy(io);
    return cut;
}

int main(void)
{
    bool cut = true;

    for (uint64_t event = 1; cut; event++) {
        struct user before = {.request = "INCR\n", .asks = INCREMENTS};
        struct user after = {.request = "GET\n", .asks = 1};
        struct tp_disk *disk;

        tp_assert(tp_disk_create(NULL, &disk) == 0);
        tp_assert(tp_disk_make_dir(disk, "/log", 0755) == 0);
        cut = boot(disk, event, &before);
        tp_assert(!boot(disk, 0, &after));
        if (after.told < before.told || after.told > INCREMENTS)
            return printf("cut after event %d: told %d, and then %d\n", (int)event,
                          (int)before.told, (int)after.told),
                   1;
        tp_disk_destroy(disk);
    }
    printf("power cuts after every event: no increment that was answered is lost\n");
    return 0;
}
