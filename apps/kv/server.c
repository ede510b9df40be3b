#include "apps/kv/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/kv/server_internal.h"

enum {
    GROUP_BYTES = 8 << 20,
    CLIENTS_DEFAULT = 10000,
    SPARES_MAX = 256, /* memory of clients that have gone, for those to come */
    OPS_EACH = 6,
    OUTPUT_OVER = 64 << 20, /* what errors in place of replies may take */
};

#define PACE_INTERVAL_NS UINT64_C(20000000)
#define PACE_NONE_NS     UINT64_C(1000000000)
#define SNAPSHOT_BYTES   (UINT64_C(64) << 20)
#define GRACE_NS         UINT64_C(5000000000)
#define PATIENCE_NS      UINT64_C(5000000000) /* with a server that was killed just now */
#define IDLE_NS_NONE     (UINT64_C(1) << 62)

/* ------------------------------------------------------------------ life */

static uint32_t record_max(uint32_t group_bytes)
{
    struct tp_journal journal = {.config = {.group_bytes = group_bytes}};

    return tp_journal_record_max(&journal);
}

struct kv_server_config kv_server_defaults(void)
{
    struct kv_server_config config = {
        .config = kv_config_default(record_max(GROUP_BYTES)),
        .clients_room = CLIENTS_DEFAULT,
        .group_bytes = GROUP_BYTES,
        .snapshot_bytes = SNAPSHOT_BYTES,
        .grace_ns = GRACE_NS,
    };

    return config;
}

/* How long the journal may wait for more to write at once: as long as may be lost. */
static uint64_t pace_of(enum kv_sync sync)
{
    switch (sync) {
    case KV_SYNC_ALWAYS:
        return 0;
    case KV_SYNC_INTERVAL:
        return PACE_INTERVAL_NS;
    case KV_SYNC_NONE:
        return PACE_NONE_NS;
    }
    tp_unreachable();
}

static int init_storage(struct kv_server *server)
{
    const struct kv_server_config *config = &server->config;
    struct kv_store_config store = {.changed = kv_engine_changed,
                                    .context = &server->engine,
                                    .ballast_bytes = config->ballast_bytes};
    struct kv_storage_config storage = {.path = config->dir,
                                        .patience_ns = PATIENCE_NS,
                                        .segment_bytes = config->segment_bytes,
                                        .group_bytes = config->group_bytes,
                                        .block_bytes = config->block_bytes,
                                        .pace_ns = pace_of(config->config.sync),
                                        .gather = config->config.sync == KV_SYNC_ALWAYS};
    int error;

    memcpy(store.hash_key, config->hash_key, sizeof store.hash_key);
    error = kv_store_create(&store, &server->store);
    if (error < 0)
        return error;
    storage.store = server->store;
    kv_storage_init(&server->storage, &storage);
    return 0;
}

int kv_server_init(struct kv_server *server, const struct kv_server_config *config)
{
    tp_assert(config->listen_count <= KV_LISTENERS_MAX && config->dir != NULL);
    memset(server, 0, sizeof *server);
    server->config = *config;
    server->config.config.clients_max_max = config->clients_room;
    if (server->config.config.clients_max > config->clients_room)
        server->config.config.clients_max = config->clients_room;
    server->keeper.server = server;
    server->connection_options = (struct tp_connection_options){
        .frame_max = KV_REQUEST_MAX,
        .output_high = KV_OUTPUT_HIGH,
        .output_max = config->config.reply_max + OUTPUT_OVER,
        .idle_ns = IDLE_NS_NONE,
        .stop = &server->stopping,
    };
    return init_storage(server);
}

/* Clients that are there when a scheduler has crashed were not told that they have ended.
 */
static void drop_clients(struct kv_server *server)
{
    struct kv_client *next;

    for (struct kv_client *client = server->clients; client != NULL; client = next) {
        next = client->next;
        kv_client_deinit(client);
        free(client);
    }
    for (struct kv_client *client = server->spares; client != NULL; client = next) {
        next = client->next;
        free(client);
    }
    server->clients = server->spares = NULL;
}

void kv_server_deinit(struct kv_server *server)
{
    drop_clients(server);
    for (uint32_t i = 0; i < server->config.listen_count; i++)
        tp_listener_deinit(&server->listening[i].listener);
    kv_reply_deinit(&server->reply);
    kv_server_finish(server);
    if (server->store != NULL)
        kv_storage_deinit(&server->storage);
    kv_store_destroy(server->store);
}

void kv_server_stop(struct kv_server *server, bool save)
{
    server->stop_asked = true;
    server->save_asked |= save;
    if (tp_machine_alive(&server->machine))
        tp_wake(&server->machine);
}

/* ------------------------------------------------------------------ ticks */

/* How long a connection may be idle can be set at any time, and counts at once: whoever
 * waits must look when his time is over now. Without a limit there is a very long one, so
 * that it is always known when something was heard of a connection. */
static void set_idle(struct kv_server *server)
{
    uint32_t idle_s = server->engine.config.idle_s_max;
    uint64_t idle_ns = idle_s == 0 ? IDLE_NS_NONE : idle_s * UINT64_C(1000000000);

    if (server->connection_options.idle_ns == idle_ns)
        return;
    server->connection_options.idle_ns = idle_ns;
    for (struct kv_client *client = server->clients; client != NULL;
         client = client->next) {
        if (tp_machine_alive(&client->machine))
            tp_wake(&client->machine);
    }
}

/* The first tick of an iteration sets the clock for all. */
static void set_clock(struct kv_server *server, struct tp_ctx *cx, uint64_t now_ns)
{
    server->entered_ns = now_ns;
    kv_engine_set_clock(&server->engine, (int64_t)(tp_wall_ns(cx) / 1000),
                        (int64_t)(now_ns / 1000000));
    set_idle(server);
}

void kv_server_enter(struct kv_server *server, struct tp_ctx *cx, struct tp_waiter *waiter)
{
    uint64_t now_ns = tp_now_ns(cx);

    kv_hook_enter(&server->hook, cx, waiter);
    if (now_ns != server->entered_ns)
        set_clock(server, cx, now_ns);
}

/* ------------------------------------------------------------------ what the engine asks
 */

static int32_t begin_snapshot(void *context)
{
    struct kv_server *server = context;
    int32_t error = kv_keeper_save(&server->keeper);

    return error == -EALREADY ? -EBUSY : error;
}

static void schedule_snapshot(void *context)
{
    struct kv_server *server = context;

    server->keeper.save_again = true;
    tp_wake(&server->keeper.machine);
}

/* Of all connections, those that have ended and those that are there. */
static void add_traffic(const struct kv_server *server, struct kv_figures *figures)
{
    figures->input_bytes = server->input_bytes;
    figures->output_bytes = server->output_bytes;
    for (struct kv_session *session = server->engine.first; session != NULL;
         session = session->next) {
        const struct kv_client *client =
            tp_container_of(session, struct kv_client, session);

        figures->input_bytes += client->connection.received;
        figures->output_bytes += client->connection.sent;
    }
}

static void fill_figures(void *context, struct kv_figures *ret_figures)
{
    const struct kv_server *server = context;
    const struct kv_storage_saves *saves = &server->storage.saves;
    const struct tp_journal *journal = server->hook.journal;

    memset(ret_figures, 0, sizeof *ret_figures);
    if (server->config.figures != NULL)
        server->config.figures(ret_figures);
    add_traffic(server, ret_figures);
    ret_figures->connections_rejected = server->rejected;
    ret_figures->log_lsn = tp_journal_lsn(journal);
    ret_figures->log_durable_lsn = tp_journal_durable_lsn(journal);
    ret_figures->log_bytes = server->hook.bytes;
    ret_figures->snapshots = saves->done;
    ret_figures->last_save_s = saves->done_wall_ns / 1000000000;
    ret_figures->snapshot_failed = saves->result < 0;
    ret_figures->snapshot_under_way = kv_storage_is_saving(&server->storage);
}

void kv_server_begin(struct kv_server *server, struct tp_ctx *cx)
{
    const struct kv_server_config *config = &server->config;
    struct kv_log log = kv_hook_log(&server->hook, &server->storage.journal);
    struct kv_host host = {begin_snapshot, schedule_snapshot, fill_figures, server};
    struct kv_engine_config engine = {
        .store = server->store,
        .log = &log,
        .host = &host,
        .config = &config->config,
        .record_max = tp_journal_record_max(&server->storage.journal),
        .password = config->password,
        .seed = config->seed,
        .allocator = config->allocator,
    };

    memcpy(engine.secret, config->secret, sizeof engine.secret);
    kv_engine_init(&server->engine, &engine);
    server->keeper.before_bytes = kv_storage_log_before(&server->storage);
    server->begun = true;
    kv_server_enter(server, cx, NULL);
}

void kv_server_finish(struct kv_server *server)
{
    if (server->begun)
        kv_engine_deinit(&server->engine);
    server->begun = false;
}

/* ------------------------------------------------------------------ clients */

struct tp_socket_options kv_server_socket_options(const struct kv_config *config)
{
    struct tp_socket_options options = {.keep_alive_s = (uint16_t)config->keepalive_s,
                                        .no_delay = true};

    tp_assert(config->keepalive_s <= KV_KEEPALIVE_S_MAX);
    return options;
}

bool kv_server_admits(struct kv_server *server)
{
    tp_assert(server->engine.config.clients_max <= server->config.clients_room);
    if (server->engine.session_count < server->engine.config.clients_max)
        return true;
    server->rejected++;
    return false;
}

static void link_client(struct kv_server *server, struct kv_client *client)
{
    client->next = server->clients;
    if (client->next != NULL)
        client->next->previous = client;
    server->clients = client;
}

static void unlink_client(struct kv_server *server, struct kv_client *client)
{
    if (client->next != NULL)
        client->next->previous = client->previous;
    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        server->clients = client->next;
}

static struct tp_machine *spawn_client(void *context, struct tp_fd fd)
{
    struct kv_server *server = context;
    struct kv_client *client = server->spares;

    if (client != NULL) {
        server->spares = client->next;
        server->spares_count--;
    } else {
        client = malloc(sizeof *client);
        if (client == NULL)
            return NULL;
    }
    kv_client_init(client, server, fd, &server->connection_options);
    link_client(server, client);
    return &client->machine;
}

static void client_ended(void *context, struct tp_machine *machine)
{
    struct kv_server *server = context;
    struct kv_client *client = tp_container_of(machine, struct kv_client, machine);

    unlink_client(server, client);
    server->input_bytes += client->connection.received;
    server->output_bytes += client->connection.sent;
    if (server->spares_count == SPARES_MAX) {
        free(client);
        return;
    }
    client->next = server->spares;
    server->spares = client;
    server->spares_count++;
}

struct tp_listener_config kv_server_listener(struct kv_server *server, uint32_t at)
{
    struct tp_listener_config listener = {
        .connections_max = server->config.clients_room + KV_CLIENTS_OVER,
        .ops_each = OPS_EACH,
        .one_by_one = true, /* there are files for so many, and for the log */
        .address = server->config.listen[at],
        .options = kv_server_socket_options(&server->config.config),
        .tick = kv_client_tick,
        .name = "client",
        .spawn = spawn_client,
        .ended = client_ended,
        .context = server,
    };

    return listener;
}
