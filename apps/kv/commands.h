/** apps/kv/commands.h - the functions behind the table, by the file that they are in.
 */
#ifndef TEMPEST_APPS_KV_COMMANDS_H
#define TEMPEST_APPS_KV_COMMANDS_H

#include "apps/kv/command.h"

/* cmd_string.c */
void kv_cmd_get(struct kv_call *call);
void kv_cmd_set(struct kv_call *call);
void kv_cmd_setnx(struct kv_call *call);
void kv_cmd_setex(struct kv_call *call);
void kv_cmd_psetex(struct kv_call *call);
void kv_cmd_getset(struct kv_call *call);
void kv_cmd_getdel(struct kv_call *call);
void kv_cmd_getex(struct kv_call *call);
void kv_cmd_mget(struct kv_call *call);
void kv_cmd_mset(struct kv_call *call);
void kv_cmd_msetnx(struct kv_call *call);

/* cmd_range.c */
void kv_cmd_append(struct kv_call *call);
void kv_cmd_strlen(struct kv_call *call);
void kv_cmd_setrange(struct kv_call *call);
void kv_cmd_getrange(struct kv_call *call);

/* cmd_counter.c */
void kv_cmd_incr(struct kv_call *call);
void kv_cmd_decr(struct kv_call *call);
void kv_cmd_incrby(struct kv_call *call);
void kv_cmd_decrby(struct kv_call *call);
void kv_cmd_incrbyfloat(struct kv_call *call);

/* cmd_key.c */
void kv_cmd_del(struct kv_call *call);
void kv_cmd_unlink(struct kv_call *call);
void kv_cmd_exists(struct kv_call *call);
void kv_cmd_type(struct kv_call *call);
void kv_cmd_rename(struct kv_call *call);
void kv_cmd_renamenx(struct kv_call *call);

/* cmd_database.c */
void kv_cmd_randomkey(struct kv_call *call);
void kv_cmd_keys(struct kv_call *call);
void kv_cmd_scan(struct kv_call *call);
void kv_cmd_dbsize(struct kv_call *call);
void kv_cmd_flushdb(struct kv_call *call);
void kv_cmd_flushall(struct kv_call *call);

/* cmd_expire.c */
void kv_cmd_expire(struct kv_call *call);
void kv_cmd_pexpire(struct kv_call *call);
void kv_cmd_expireat(struct kv_call *call);
void kv_cmd_pexpireat(struct kv_call *call);
void kv_cmd_ttl(struct kv_call *call);
void kv_cmd_pttl(struct kv_call *call);
void kv_cmd_expiretime(struct kv_call *call);
void kv_cmd_pexpiretime(struct kv_call *call);
void kv_cmd_persist(struct kv_call *call);

/* cmd_connection.c */
void kv_cmd_select(struct kv_call *call);
void kv_cmd_ping(struct kv_call *call);
void kv_cmd_echo(struct kv_call *call);
void kv_cmd_quit(struct kv_call *call);
void kv_cmd_hello(struct kv_call *call);
void kv_cmd_auth(struct kv_call *call);

/* cmd_client.c */
void kv_cmd_client_getname(struct kv_call *call);
void kv_cmd_client_help(struct kv_call *call);
void kv_cmd_client_id(struct kv_call *call);
void kv_cmd_client_list(struct kv_call *call);
void kv_cmd_client_setinfo(struct kv_call *call);
void kv_cmd_client_setname(struct kv_call *call);

/* cmd_command.c */
void kv_cmd_command(struct kv_call *call);
void kv_cmd_command_count(struct kv_call *call);
void kv_cmd_command_docs(struct kv_call *call);
void kv_cmd_command_help(struct kv_call *call);
void kv_cmd_command_info(struct kv_call *call);

/* cmd_config.c */
void kv_cmd_config_get(struct kv_call *call);
void kv_cmd_config_help(struct kv_call *call);
void kv_cmd_config_resetstat(struct kv_call *call);
void kv_cmd_config_rewrite(struct kv_call *call);
void kv_cmd_config_set(struct kv_call *call);

/* cmd_server.c */
void kv_cmd_time(struct kv_call *call);
void kv_cmd_info(struct kv_call *call);
void kv_cmd_debug(struct kv_call *call);
void kv_cmd_function_flush(struct kv_call *call);
void kv_cmd_function_help(struct kv_call *call);
void kv_cmd_shutdown(struct kv_call *call);
void kv_cmd_save(struct kv_call *call);
void kv_cmd_bgsave(struct kv_call *call);
void kv_cmd_lastsave(struct kv_call *call);

/* cmd_transaction.c */
void kv_cmd_multi(struct kv_call *call);
void kv_cmd_exec(struct kv_call *call);
void kv_cmd_discard(struct kv_call *call);
void kv_cmd_watch(struct kv_call *call);
void kv_cmd_unwatch(struct kv_call *call);

#endif
