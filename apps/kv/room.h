/** apps/kv/room.h - how much room commands need in the log, at most, before they run.
 *
 * A record has each change a command makes, and a delete for each of its keys that turns
 * out to be past its expiry. What that takes is known from the arguments, to a few bytes,
 * and to the byte for SET, MSET and DEL, of which one may have very many; with two
 * exceptions: RENAME logs a value that is there, INCRBYFLOAT a sum. In a transaction these
 * depend on the commands before, so a bound for every value is worked out.
 */
#ifndef TEMPEST_APPS_KV_ROOM_H
#define TEMPEST_APPS_KV_ROOM_H

#include "apps/kv/queue.h"
#include "apps/kv/store.h"

/** Bytes of the record that `count` commands may make together, in the order in which they
 * are executed, beginning in database `db`. */
uint64_t kv_room(const struct kv_store *store, uint32_t db,
                 const struct kv_queued *commands, uint32_t count);

/** The database in which the command behind `queued` is executed, which is in `db`. */
uint32_t kv_room_db_after(uint32_t db, const struct kv_queued *queued);

#endif
