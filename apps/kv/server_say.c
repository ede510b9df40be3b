/* What a server says on standard error, unless it is to be quiet. */
#include <inttypes.h>

#include "apps/common/say.h"
#include "apps/kv/server_internal.h"

void kv_server_say_loaded(const struct kv_server *server, uint64_t now_ns)
{
    const struct kv_storage_loaded *loaded = &server->storage.loaded;
    char keys[APP_TEXT_BYTES], time[APP_TEXT_BYTES], bytes[APP_TEXT_BYTES];
    char entries[APP_TEXT_BYTES], records[APP_TEXT_BYTES];
    struct kv_store_memory memory;
    uint64_t count = 0;

    if (server->config.quiet)
        return;
    for (uint32_t db = 0; db < KV_DBS; db++)
        count += kv_store_count(server->store, db);
    kv_store_memory(server->store, &memory);
    app_say("%s: %s keys, %s, in %s: %s entries of a snapshot, %s records of the log",
            server->config.dir, app_count(count, keys, sizeof keys),
            app_bytes(memory.total, bytes, sizeof bytes),
            app_duration(now_ns - server->started_ns, time, sizeof time),
            app_count(loaded->snapshot_entries, entries, sizeof entries),
            app_count(loaded->records, records, sizeof records));
    if (loaded->torn_segment != 0)
        app_say("%s: a torn end of the log was discarded: segment %" PRIu64
                ", offset %" PRIu64 "; nobody was told that it is durable",
                server->config.dir, loaded->torn_segment, loaded->torn_bytes_at);
}

void kv_server_say_refused(const struct kv_server *server)
{
    if (!server->config.quiet && server->storage.problem[0] != '\0')
        app_say("%s", server->storage.problem);
}

/* "listening on 127.0.0.1:7379; talk to it: redis-cli -p 7379" */
void kv_server_say_listening(const struct kv_server *server)
{
    char text[TP_ADDRESS_TEXT];

    for (uint32_t i = 0; i < server->config.listen_count && !server->config.quiet; i++) {
        const struct tp_address *address = &server->listening[i].listener.address;

        if (address->family == TP_ADDRESS_UNIX)
            app_say("listening on %s; talk to it: redis-cli -s %s", address->at.path,
                    address->at.path);
        else
            app_say("listening on %s; talk to it: redis-cli %s-p %" PRIu16,
                    tp_address_print(address, text),
                    tp_address_is_loopback(address) ? "" : "-h HOST ", address->port);
    }
}

void kv_server_say_not_listening(const struct kv_server *server, uint32_t at, int32_t error)
{
    char text[TP_ADDRESS_TEXT];

    if (!server->config.quiet)
        app_say("%s: it cannot be listened on: %s",
                tp_address_print(&server->config.listen[at], text), tp_errno_name(error));
}

void kv_server_say_trouble(const struct kv_server *server, const char *what, int32_t error)
{
    if (!server->config.quiet)
        app_say("%s: %s", what, tp_errno_name(error));
}

void kv_server_say_log_failed(const struct kv_server *server, int32_t error)
{
    if (!server->config.quiet)
        app_say(
            "%s: writing to the log has failed: %s. Writes are refused until a restart, "
            "which will tell whether those that were under way are durable; reads go on",
            server->config.dir, tp_errno_name(error));
}

void kv_server_say_saved(const struct kv_server *server)
{
    const struct kv_storage_saves *saves = &server->storage.saves;
    char entries[APP_TEXT_BYTES], bytes[APP_TEXT_BYTES];

    if (server->config.quiet)
        return;
    if (saves->result < 0)
        app_say("%s: the snapshot has failed: %s (%s); the last one and the log stay",
                server->config.dir, tp_errno_name(saves->result),
                tp_kind_info[saves->failed_kind].name);
    else
        app_say("%s: snapshot of %s entries, %s", server->config.dir,
                app_count(saves->entries, entries, sizeof entries),
                app_bytes(saves->bytes, bytes, sizeof bytes));
}

void kv_server_say_signal(const struct kv_server *server, uint32_t signal)
{
    if (!server->config.quiet)
        app_say("%s: ending in order", signal == TP_SIGNAL_TERM  ? "SIGTERM"
                                       : signal == TP_SIGNAL_INT ? "SIGINT"
                                       : signal == TP_SIGNAL_HUP ? "SIGHUP"
                                                                 : "a signal");
}

void kv_server_say_shutdown(const struct kv_server *server, const char *address)
{
    if (!server->config.quiet)
        app_say("SHUTDOWN by %s: ending in order", address);
}
