/** apps/kv/change.h - how a command changes the store: reserved, applied, logged.
 *
 *     rc = kv_change_open(engine, bound);          what it may take in the log, at most
 *     kv_change_apply(engine, &effect);            any number, seen by the next at once
 *     kv_change_close(engine);                     one record, unless nothing happened
 *
 * Nothing waits between open and close.
 */
#ifndef TEMPEST_APPS_KV_CHANGE_H
#define TEMPEST_APPS_KV_CHANGE_H

#include "apps/kv/engine.h"
#include "apps/kv/reply.h"

/** Begins a record of at most `bound` bytes. 0. -EAGAIN: no room now. -EMSGSIZE: more than
 * a record can have. -ENOMEM. Else an error of the log. */
int32_t kv_change_open(struct kv_engine *engine, uint64_t bound);

/** Makes one change, which becomes part of the open record. */
void kv_change_apply(struct kv_engine *engine, const struct kv_effect *effect);

/** Appends the record, if anything was changed. Its LSN, or 0. */
uint64_t kv_change_close(struct kv_engine *engine);

/** A whole record for one effect. 0, or as kv_change_open(). */
int32_t kv_change_single(struct kv_engine *engine, const struct kv_effect *effect);

/** The text of the error for the client, when a change could not be opened: it begins with
 * a code. Written to `memory`. */
enum { KV_CHANGE_WHY_BYTES = 256 };
const char *kv_change_why(const struct kv_engine *engine, int32_t error,
                          char memory[KV_CHANGE_WHY_BYTES]);

#endif
