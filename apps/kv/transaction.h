/** apps/kv/transaction.h - MULTI to EXEC: commands kept, then executed as one record.
 */
#ifndef TEMPEST_APPS_KV_TRANSACTION_H
#define TEMPEST_APPS_KV_TRANSACTION_H

#include "apps/kv/call.h"

/** Whether EXEC will execute what is queued: it was queued whole, and no watched key has
 * changed or expired. */
bool kv_transaction_is_due(const struct kv_call *call);

/** Drops what is queued and watched. */
void kv_transaction_drop(struct kv_engine *engine, struct kv_session *session);

#endif
