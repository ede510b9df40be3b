/* What a simulated life is made of: chance, disk, network, clients, and servers on it. */
#include <errno.h>
#include <stdlib.h>

#include "apps/kv/sim/world_internal.h"

enum {
    PORT = 7379,
    GROUP_BYTES = 64 << 10,
    SNAPSHOT_BYTES = 32 << 10,
    BLOCK_BYTES = 512, /* so that a snapshot takes its time */
};

#define WALL_START (UINT64_C(1600000000) * KV_WORLD_MS * 1000)

/* ------------------------------------------------------------------ chance */

uint64_t kv_world_draw(struct kv_world *w)
{
    uint64_t mixed = w->random += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

uint32_t kv_world_below(struct kv_world *w, uint32_t bound)
{
    return (uint32_t)(kv_world_draw(w) >> 32) % bound;
}

/* Half of the families of faults are off; the others happen once in 100 to once in 100,000
 * times. */
static uint32_t draw_ppm(struct kv_world *w)
{
    uint32_t on = kv_world_below(w, 2), ppm = 10;

    for (uint32_t i = kv_world_below(w, 4); i > 0; i--)
        ppm *= 10;
    return w->config->mild ? 0 : on * ppm;
}

/* Which of disk and network is faster decides which races there are. */
static void draw_latencies(struct kv_world *w, struct tp_net_link *ret_link)
{
    static const uint32_t sync_ns[] = {20000, 300000, 3000000, 20000000};
    static const uint32_t link_ns[] = {5000, 100000, 1000000};
    uint32_t sync = sync_ns[kv_world_below(w, sizeof sync_ns / sizeof sync_ns[0])];
    uint32_t link = link_ns[kv_world_below(w, sizeof link_ns / sizeof link_ns[0])];

    w->sync_latency = (struct tp_virtual_latency){.base_ns = sync,
                                                  .spread_ns = sync,
                                                  .zero_ppm = 10000,
                                                  .tail_ppm = 1000,
                                                  .tail_factor = 50};
    ret_link->latency = (struct tp_virtual_latency){.base_ns = link,
                                                    .spread_ns = link,
                                                    .zero_ppm = 10000,
                                                    .tail_ppm = 1000,
                                                    .tail_factor = 50};
    ret_link->split_ppm = kv_world_below(w, 2) == 0 ? 60000 : 500000;
}

static void draw_faults(struct kv_world *w)
{
    w->faults.error_ppm = draw_ppm(w) / 10;
    w->faults.eintr_ppm = draw_ppm(w);
    w->faults.eagain_ppm = draw_ppm(w);
    w->faults.short_ppm = draw_ppm(w);
    w->net_faults.loss_ppm = draw_ppm(w);
    w->net_faults.clog_ppm = draw_ppm(w) / 10;
    w->net_faults.clog_max_ns = 100 * KV_WORLD_MS;
    w->net_faults.reset_ppm = draw_ppm(w);
    w->net_faults.refuse_ppm = draw_ppm(w) * 10;
    w->net_faults.silence_ppm = draw_ppm(w);
    w->small_disk = !w->config->mild && kv_world_below(w, 6) == 0;
}

/* ------------------------------------------------------------------ the making of it */

static int make_disk(struct kv_world *w)
{
    struct tp_disk_config config = {
        .size = sizeof config,
        .profile = kv_world_below(w, TP_DISK_PROFILES),
        .capacity_bytes = w->small_disk ? KV_WORLD_DISK_BYTES : 0,
        .inodes_max = 1024,
        .writeback_one_in = kv_world_below(w, 2) == 0 ? 8 : 0,
    };
    int error = tp_disk_create(&config, &w->disk);

    if (error == 0 && w->small_disk)
        error = tp_disk_make_file(w->disk, KV_WORLD_FILLER, 0600);
    return error;
}

/* Written, since a hole takes no room. */
void kv_world_fill(struct kv_world *w, bool full)
{
    static const uint8_t bytes[64 << 10];
    struct tp_disk_usage usage = tp_disk_usage(w->disk);
    uint64_t room = usage.capacity_bytes - usage.used_bytes, left;

    if (!w->small_disk || full == w->filled)
        return;
    w->filled = full;
    left = kv_world_below(w, KV_WORLD_LEFT_BYTES);
    (void)tp_disk_set_size(w->disk, KV_WORLD_FILLER, 0);
    for (uint64_t at = 0; full && at + left + sizeof bytes <= room; at += sizeof bytes)
        (void)tp_disk_write_at(w->disk, KV_WORLD_FILLER, at, bytes, sizeof bytes);
}

static int make_client_io(struct kv_world *w)
{
    struct tp_address own = tp_address_ipv4(10, 0, 0, 2, 0);
    struct tp_virtual_io_config config = {.size = sizeof config,
                                          .node = KV_WORLD_CLIENTS,
                                          .tape = w->tape,
                                          .world = w->time,
                                          .net = w->net,
                                          .addresses = &own,
                                          .address_count = 1,
                                          .ops_max = 1024,
                                          .wall_ns = WALL_START};
    struct tp_scheduler_config loop = {.size = sizeof loop,
                                       .ops_max = 1024,
                                       .machines_max = 256,
                                       .seed = kv_world_draw(w) | 1};
    int error = tp_virtual_io_create(&config, &w->client_io);

    return error < 0 ? error
                     : tp_scheduler_create_with(w->client_io, &loop, &w->client_loop);
}

static int make_clients(struct kv_world *w)
{
    const struct kv_world_config *config = w->config;
    uint32_t whims_in =
        config->mild || kv_world_below(w, 4) == 0 ? 0 : 50 + kv_world_below(w, 500);

    w->steps = config->steps != 0 ? config->steps : 1 + kv_world_below(w, 100);
    w->clients = config->clients != 0 ? config->clients : 1 + kv_world_below(w, 6);
    w->rude_count = config->mild ? 0 : kv_world_below(w, KV_WORLD_RUDE_MAX + 1);
    w->visitors = calloc(w->clients, sizeof *w->visitors);
    if (w->visitors == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < w->clients; i++) {
        struct kv_visitor *visitor = &w->visitors[i];
        uint32_t depth = 1 + kv_world_below(w, 40);

        kv_script_init(&visitor->script, w->oracle, i, kv_world_draw(w), UINT64_MAX);
        visitor->script.owners = w->clients;
        visitor->script.one_by_one = w->small_disk || w->faults.error_ppm != 0;
        kv_visitor_init(visitor, &w->visited, depth, whims_in);
        tp_spawn(w->client_loop, &visitor->machine, kv_visitor_tick, "visitor");
    }
    for (uint32_t i = 0; i < w->rude_count; i++) {
        kv_rude_init(&w->rude[i], &w->visited, 50);
        tp_spawn(w->client_loop, &w->rude[i].machine, kv_rude_tick, "rude");
    }
    return 0;
}

int kv_world_make(struct kv_world *w)
{
    struct tp_net_config net = {.size = sizeof net};
    int error;

    w->random = w->config->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    w->oracle = calloc(1, sizeof *w->oracle);
    w->server = calloc(1, sizeof *w->server);
    if (w->oracle == NULL || w->server == NULL)
        return -ENOMEM;
    kv_oracle_init(w->oracle);
    draw_faults(w);
    draw_latencies(w, &net.link);
    error = tp_tape_from_seed(kv_world_draw(w), false, NULL, &w->tape);
    if (error == 0)
        error = tp_world_create(NULL, &w->time);
    net.tape = w->tape;
    net.faults = w->net_faults;
    if (error == 0)
        error = tp_net_create(&net, w->time, &w->net);
    if (error == 0)
        error = make_disk(w);
    if (error == 0)
        error = make_client_io(w);
    if (error == 0)
        error = make_clients(w);
    w->address = w->visited.address = tp_address_ipv4(10, 0, 0, 1, PORT);
    return error;
}

void kv_world_unmake(struct kv_world *w)
{
    if (w->server_loop != NULL)
        tp_scheduler_crash(w->server_loop);
    if (w->server_io != NULL)
        kv_server_deinit(w->server);
    if (w->client_loop != NULL)
        tp_scheduler_crash(w->client_loop);
    for (uint32_t i = 0; w->visitors != NULL && i < w->clients; i++)
        kv_script_deinit(&w->visitors[i].script);
    tp_virtual_io_destroy(w->server_io);
    tp_virtual_io_destroy(w->client_io);
    tp_net_destroy(w->net);
    tp_disk_destroy(w->disk);
    tp_world_destroy(w->time);
    tp_tape_destroy(w->tape);
    free(w->visitors);
    free(w->server);
    free(w->oracle);
}

/* ------------------------------------------------------------------ one boot */

static struct kv_server_config server_config(struct kv_world *w)
{
    struct kv_server_config config = kv_server_defaults();

    config.dir = "/data";
    config.listen = &w->address;
    config.listen_count = 1;
    config.clients_room = 64;
    config.config.clients_max = 64;
    config.config.argument_max = KV_VALUE_MAX * 2;
    config.config.reply_max = 1 << 20;
    config.group_bytes = GROUP_BYTES;
    config.segment_bytes = UINT64_C(2) * GROUP_BYTES;
    config.snapshot_bytes = SNAPSHOT_BYTES;
    config.block_bytes = BLOCK_BYTES;
    config.grace_ns = 200 * KV_WORLD_MS;
    config.signals = TP_SIGNAL_TERM;
    config.quiet = true;
    config.seed = kv_world_draw(w);
    for (uint32_t i = 0; i < sizeof config.hash_key; i++)
        config.hash_key[i] = (uint8_t)kv_world_draw(w);
    return config;
}

static int power_on(struct kv_world *w)
{
    struct tp_address own = w->address;
    struct tp_virtual_io_config config = {.size = sizeof config,
                                          .node = KV_WORLD_SERVER,
                                          .tape = w->tape,
                                          .disk = w->disk,
                                          .world = w->time,
                                          .net = w->net,
                                          .addresses = &own,
                                          .address_count = 1,
                                          .ops_max = 2048,
                                          .fds_max = 128,
                                          .buf_count = 2,
                                          .buf_size = GROUP_BYTES,
                                          .recv_buf_count = 16,
                                          .recv_buf_size = 1024,
                                          .wall_ns = WALL_START,
                                          .sync_latency = w->sync_latency,
                                          .faults = w->faults};

    own.port = 0;
    return tp_virtual_io_create(&config, &w->server_io);
}

int kv_world_boot(struct kv_world *w)
{
    struct kv_server_config config = server_config(w);
    struct tp_scheduler_config loop = {.size = sizeof loop,
                                       .ops_max = 2048,
                                       .machines_max = 256,
                                       .seed = kv_world_draw(w) | 1};
    int error = power_on(w);

    if (error < 0)
        return error;
    error = kv_server_init(w->server, &config);
    if (error == 0)
        error = tp_scheduler_create_with(w->server_io, &loop, &w->server_loop);
    if (error < 0)
        return error;
    tp_spawn(w->server_loop, &w->server->machine, kv_server_tick, "server");
    w->outcome->boots++;
    w->visited.boot++;
    return 0;
}
