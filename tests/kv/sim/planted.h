/** tests/kv/sim/planted.h - bugs that are planted into copies of sources: planted.cmake.
 */
#ifndef TESTS_KV_SIM_PLANTED_H
#define TESTS_KV_SIM_PLANTED_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "planted_names.h"

enum kv_planted {
    KV_PLANTED_NOTHING,
#define KV_PLANTED_ENUM(id, name) KV_PLANTED_##id,
    KV_PLANTED_TABLE(KV_PLANTED_ENUM)
#undef KV_PLANTED_ENUM
};

/** The one that is lived with. */
extern enum kv_planted kv_planted_bug;

/** Whether this one is. */
#define PLANTED(id) (kv_planted_bug == KV_PLANTED_##id)

/** overtaken-reply: now and then a short one is kept back, until the next one was written
 * to its connection. True: this one was. */
bool kv_planted_overtakes(const void *connection, const void *bytes, uint32_t len);
extern const void *kv_planted_overtaken; /* the connection; NULL: none */
extern uint8_t kv_planted_late[64];
extern uint32_t kv_planted_late_len;

/** full-acknowledged: the change that is open found no room in the log. */
extern bool kv_planted_unlogged;

#endif
