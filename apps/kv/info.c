#include "apps/kv/info.h"

#include <inttypes.h>

#include "apps/kv/record.h"

/* What all sections are written from. */
struct source {
    const struct kv_engine *engine;
    struct kv_figures figures;
    struct kv_text *text;
};

static void add_number(struct source *source, const char *name, uint64_t number)
{
    kv_text_add(source->text, "%s:%" PRIu64 "\r\n", name, number);
}

/* Bytes, and the same for a person. Tenths and hundredths without floating point. */
static void add_bytes(struct source *source, const char *name, uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    uint64_t hundredths;
    uint32_t unit = 0;

    for (uint64_t whole = bytes; whole >= 1024; whole /= 1024)
        unit++;
    add_number(source, name, bytes);
    if (unit == 0) {
        kv_text_add(source->text, "%s_human:%" PRIu64 "B\r\n", name, bytes);
        return;
    }
    hundredths = (bytes >> (10 * (unit - 1))) * 100 / 1024;
    kv_text_add(source->text, "%s_human:%" PRIu64 ".%02" PRIu64 "%c\r\n", name,
                hundredths / 100, hundredths % 100, units[unit]);
}

/* ------------------------------------------------------------------ sections */

static void add_server(struct source *source)
{
    const struct kv_engine *engine = source->engine;
    uint64_t uptime_s = (uint64_t)(engine->clock_ms - engine->started_ms) / 1000;

    kv_text_add(source->text,
                "redis_version:" KV_REDIS_VERSION "\r\n"
                "tempest_version:%d.%d.%d\r\n"
                "redis_mode:standalone\r\n"
                "arch_bits:64\r\n",
                TP_VERSION_MAJOR, TP_VERSION_MINOR, TP_VERSION_PATCH);
    add_number(source, "process_id", source->figures.process_id);
    add_number(source, "tcp_port", engine->config.port);
    kv_text_add(source->text, "server_time_usec:%" PRId64 "\r\n", engine->wall_us);
    add_number(source, "uptime_in_seconds", uptime_s);
    add_number(source, "uptime_in_days", uptime_s / UINT64_C(86400));
    kv_text_add(source->text, "config_file:\r\n");
}

static void add_clients(struct source *source)
{
    add_number(source, "connected_clients", source->engine->session_count);
    add_number(source, "maxclients", source->engine->config.clients_max);
    add_number(source, "blocked_clients", 0);
}

static void add_memory(struct source *source)
{
    const struct kv_engine *engine = source->engine;
    struct kv_store_memory memory;

    kv_store_memory(engine->store, &memory);
    add_bytes(source, "used_memory", kv_engine_memory(engine));
    add_bytes(source, "used_memory_rss", source->figures.resident_bytes);
    add_bytes(source, "used_memory_peak", engine->stats.memory_peak);
    add_bytes(source, "maxmemory", engine->config.memory_max);
    kv_text_add(source->text, "maxmemory_policy:noeviction\r\nmem_allocator:%s\r\n",
                engine->allocator);
    add_number(source, "lazyfree_pending_bytes", memory.dead);
}

static void add_persistence(struct source *source)
{
    const struct kv_figures *figures = &source->figures;
    const struct kv_log *log = &source->engine->log;

    kv_text_add(source->text, "loading:0\r\nasync_loading:0\r\n");
    add_number(source, "rdb_bgsave_in_progress", figures->snapshot_under_way);
    kv_text_add(source->text, "rdb_last_save_time:%" PRId64 "\r\n", figures->last_save_s);
    kv_text_add(source->text, "rdb_last_bgsave_status:%s\r\n",
                figures->snapshot_failed ? "err" : "ok");
    add_number(source, "rdb_saves", figures->snapshots);
    add_number(source, "current_save_keys_processed", figures->snapshot_keys);
    kv_text_add(source->text, "aof_enabled:1\r\naof_last_write_status:%s\r\n",
                log->failure(log->context) == 0 ? "ok" : "err");
    add_number(source, "log_lsn", figures->log_lsn);
    add_number(source, "log_durable_lsn", figures->log_durable_lsn);
    add_number(source, "log_appended_bytes", figures->log_bytes);
}

static void add_stats(struct source *source)
{
    const struct kv_stats *stats = &source->engine->stats;

    add_number(source, "total_connections_received", stats->connections);
    add_number(source, "total_commands_processed", stats->commands);
    add_number(source, "total_net_input_bytes", source->figures.input_bytes);
    add_number(source, "total_net_output_bytes", source->figures.output_bytes);
    add_number(source, "rejected_connections", source->figures.connections_rejected);
    add_number(source, "expired_keys", stats->expired);
    add_number(source, "evicted_keys", 0);
    add_number(source, "keyspace_hits", stats->hits);
    add_number(source, "keyspace_misses", stats->misses);
    add_number(source, "total_error_replies", stats->errors);
}

static void add_replication(struct source *source)
{
    kv_text_add(source->text, "role:master\r\nconnected_slaves:0\r\n"
                              "master_failover_state:no-failover\r\n");
}

static void add_seconds(struct source *source, const char *name, uint64_t us)
{
    kv_text_add(source->text, "%s:%" PRIu64 ".%06" PRIu64 "\r\n", name, us / 1000000,
                us % 1000000);
}

static void add_cpu(struct source *source)
{
    add_seconds(source, "used_cpu_sys", source->figures.cpu_system_us);
    add_seconds(source, "used_cpu_user", source->figures.cpu_user_us);
}

static void add_nothing(struct source *source)
{
    (void)source;
}

static void add_errors(struct source *source)
{
    const struct kv_error_count *codes = source->engine->stats.codes;

    for (uint32_t i = 0; i < KV_ERROR_CODES_MAX && codes[i].count > 0; i++)
        kv_text_add(source->text, "errorstat_%s:count=%" PRIu64 "\r\n", codes[i].code,
                    codes[i].count);
}

static void add_cluster(struct source *source)
{
    add_number(source, "cluster_enabled", 0);
}

static void add_keyspace(struct source *source)
{
    const struct kv_store *store = source->engine->store;

    for (uint32_t db = 0; db < KV_DBS; db++) {
        uint64_t keys = kv_store_count(store, db);

        if (keys > 0)
            kv_text_add(source->text,
                        "db%u:keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=0\r\n", db, keys,
                        kv_store_count_expiring(store, db));
    }
}

/* ------------------------------------------------------------------ the whole */

static const struct section {
    const char *name, *title;
    void (*add)(struct source *source);
} sections[] = {
    {"server", "Server", add_server},
    {"clients", "Clients", add_clients},
    {"memory", "Memory", add_memory},
    {"persistence", "Persistence", add_persistence},
    {"stats", "Stats", add_stats},
    {"replication", "Replication", add_replication},
    {"cpu", "CPU", add_cpu},
    {"modules", "Modules", add_nothing},
    {"errorstats", "Errorstats", add_errors},
    {"cluster", "Cluster", add_cluster},
    {"keyspace", "Keyspace", add_keyspace},
};

static bool is_wanted(const struct section *section, const struct kv_slice *names,
                      uint32_t count)
{
    static const char *const all[] = {"default", "all", "everything"};

    for (uint32_t i = 0; i < count; i++) {
        if (kv_slice_is(names[i], section->name))
            return true;
        for (uint32_t j = 0; j < sizeof all / sizeof all[0]; j++) {
            if (kv_slice_is(names[i], all[j]))
                return true;
        }
    }
    return count == 0;
}

void kv_info(const struct kv_engine *engine, const struct kv_slice *names, uint32_t count,
             struct kv_text *text)
{
    struct source source = {.engine = engine, .text = text};

    engine->host.figures(engine->host.context, &source.figures);
    for (uint32_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (!is_wanted(&sections[i], names, count))
            continue;
        kv_text_add(text, "%s# %s\r\n", text->len == 0 ? "" : "\r\n", sections[i].title);
        sections[i].add(&source);
    }
}
