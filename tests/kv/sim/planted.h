/** tests/kv/sim/planted.h - what the bugs of planted.cmake need beside themselves. */
#ifndef TESTS_KV_SIM_PLANTED_H
#define TESTS_KV_SIM_PLANTED_H

#include <errno.h>

#include "tests/planted/planted.h"

/** overtaken-reply: now and then a short one is kept back, until the next one was written
 * to its connection. True: this one was. */
bool kv_planted_overtakes(const void *connection, const void *bytes, uint32_t len);
extern const void *kv_planted_overtaken; /* the connection; NULL: none */
extern uint8_t kv_planted_late[64];
extern uint32_t kv_planted_late_len;

/** full-acknowledged: the change that is open found no room in the log. */
extern bool kv_planted_unlogged;

#endif
