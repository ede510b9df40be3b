/** apps/kv/server_internal.h - what the parts of a server know of each other.
 */
#ifndef TEMPEST_APPS_KV_SERVER_INTERNAL_H
#define TEMPEST_APPS_KV_SERVER_INTERNAL_H

#include "apps/kv/server.h"

/** server.c: the data are there: the engine begins. */
void kv_server_begin(struct kv_server *server, struct tp_ctx *cx);

/** server.c: no client is left, and nobody needs the engine any more. */
void kv_server_finish(struct kv_server *server);

/** server.c: how address number `at` is listened on. */
struct tp_listener_config kv_server_listener(struct kv_server *server, uint32_t at);

/** server_say.c: one line each, unless it is to be quiet. */
void kv_server_say_loaded(const struct kv_server *server, uint64_t now_ns);
void kv_server_say_refused(const struct kv_server *server);
void kv_server_say_listening(const struct kv_server *server);
void kv_server_say_not_listening(const struct kv_server *server, uint32_t at,
                                 int32_t error);
void kv_server_say_trouble(const struct kv_server *server, const char *what, int32_t error);
void kv_server_say_log_failed(const struct kv_server *server, int32_t error);
void kv_server_say_saved(const struct kv_server *server);
void kv_server_say_signal(const struct kv_server *server, uint32_t signal);
void kv_server_say_shutdown(const struct kv_server *server, const char *address);

#endif
