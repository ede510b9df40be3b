/** apps/kv/info.h - INFO: what the server tells of itself, in sections.
 */
#ifndef TEMPEST_APPS_KV_INFO_H
#define TEMPEST_APPS_KV_INFO_H

#include "apps/kv/engine.h"
#include "apps/kv/text.h"

/** The Redis that it behaves like; clients look at it to know what they may ask. */
#define KV_REDIS_VERSION "7.0.15"

/** Writes the sections of those names, in letters of either case; without a name all that
 * there are. "default", "all" and "everything" are all, too; what is unknown is nothing. */
void kv_info(const struct kv_engine *engine, const struct kv_slice *names, uint32_t count,
             struct kv_text *text);

#endif
