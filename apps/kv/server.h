/** apps/kv/server.h - tempest-kv: the data, who listens, and who is connected.
 *
 *     kv_server_init(&server, &config);
 *     tp_spawn(scheduler, &server.machine, kv_server_tick, "server");
 *     tp_scheduler_run(scheduler);            until a signal, SHUTDOWN or kv_server_stop()
 *     server.machine.result                   0, or what went wrong, which was said
 *     kv_server_deinit(&server);
 *
 * One thread, machines only: the server itself (start, wait, end in order), a listener for
 * each address, a client (client.h) for each connection, a keeper (keeper.h) for what is to
 * be done beside, and the journal. They meet in this struct; all of it runs in one
 * scheduler, on any backend.
 *
 * The end in order: nothing more is accepted, requests that have come are answered, the log
 * is written and marked, and only then the machine ends. What takes longer than the grace
 * time is cut off; nothing that was acknowledged is lost by that.
 */
#ifndef TEMPEST_APPS_KV_SERVER_H
#define TEMPEST_APPS_KV_SERVER_H

#include "apps/kv/client.h"
#include "apps/kv/engine.h"
#include "apps/kv/hook.h"
#include "apps/kv/keeper.h"
#include "apps/kv/storage.h"
#include "sm/listener.h"

enum {
    KV_LISTENERS_MAX = 16,
    KV_CLIENTS_OVER = 64, /* of each, beyond those there is room for: they are told so */
};

/** Texts, addresses and the password are the caller's, and outlive the server. */
struct kv_server_config {
    struct kv_config config; /* of the engine; from kv_server_defaults() */
    const char *dir;         /* of the data */
    const struct tp_address *listen;
    uint32_t listen_count;
    uint32_t clients_room;    /* connections there is room for: maxclients is no larger */
    struct kv_slice password; /* empty: none is needed */
    uint8_t hash_key[16];     /* random: of the store */
    uint8_t secret[16];       /* random: of the engine */
    uint64_t seed;            /* random: of RANDOMKEY */
    uint32_t group_bytes;     /* of the journal */
    uint32_t signals;         /* enum tp_signal that end it; 0: none */
    uint64_t segment_bytes;   /* of the journal; 0: 64 MiB */
    uint64_t snapshot_bytes;  /* log before a snapshot, at least */
    uint32_t block_bytes;     /* of a snapshot; 0: 1 MiB */
    uint64_t ballast_bytes;   /* of the store's memory; 0: its own default */
    uint64_t grace_ns;        /* of the end in order */
    bool quiet;               /* nothing is said */
    const char *allocator;    /* its name, for INFO */
    /* Fills in what only the system knows: process, CPU, memory. NULL: nothing. */
    void (*figures)(struct kv_figures *ret_figures);
};

/** One address. */
struct kv_listening {
    struct tp_listener listener;
    struct tp_op end_op;
};

/** Who starts it spawns `machine` with kv_server_tick. */
struct kv_server {
    struct tp_machine machine;
    struct kv_server_config config;
    struct kv_store *store;
    struct kv_storage storage;
    struct kv_engine engine;
    struct kv_hook hook;
    struct kv_keeper keeper;
    struct kv_listening listening[KV_LISTENERS_MAX];
    struct tp_connection_options connection_options;
    struct kv_reply reply;     /* the one in the making, of whatever client */
    struct kv_client *clients; /* those there are */
    struct kv_client *spares;  /* memory for those to come */
    uint32_t spares_count;
    uint32_t at;           /* which listener, while starting and ending */
    uint64_t entered_ns;   /* the iteration whose time the engine has */
    uint64_t rejected;     /* connections, because there were too many */
    uint64_t output_bytes; /* of connections that have ended */
    uint64_t input_bytes;
    uint64_t started_ns;
    struct tp_op signal_op, storage_op, keeper_op;
    int32_t rc; /* of what was awaited last */
    int32_t result;
    bool begun;      /* the engine */
    bool log_failed; /* and it was said */
    bool stop_asked;
    bool save_asked; /* with a snapshot before */
    bool stopping;   /* clients end when they have nothing in hand */
};

/** A working default for everything that has one. */
struct kv_server_config kv_server_defaults(void);

/** 0, -ENOMEM or -EINVAL. The config is copied. */
int kv_server_init(struct kv_server *server, const struct kv_server_config *config);

/** Gives the memory back; the machine has ended, or its scheduler has crashed. */
void kv_server_deinit(struct kv_server *server);

enum tp_step kv_server_tick(struct tp_machine *machine, struct tp_ctx *cx);

/** Asks it to end in order; with a snapshot before. */
void kv_server_stop(struct kv_server *server, bool save);

/* ------------------------------------------------------------------ for its machines */

/** A tick begins that may use the engine; `waiter` as kv_hook_enter() has it. */
void kv_server_enter(struct kv_server *server, struct tp_ctx *cx, struct tp_waiter *waiter);

/** What a connection's socket is given when these are the settings. */
struct tp_socket_options kv_server_socket_options(const struct kv_config *config);

/** Whether one more client may have a session; counted if not. */
bool kv_server_admits(struct kv_server *server);

#endif
