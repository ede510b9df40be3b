/** apps/kv/sim/clock.h - what a server's wall clock has shown, to somebody who looks often.
 *
 * It may step back, so "not before" and "not after" are questions about a stretch of time:
 * the clock is kept as epochs, within each of which it only goes ahead. The server itself
 * takes the latest that it was shown since its boot for the time.
 */
#ifndef TEMPEST_APPS_KV_SIM_CLOCK_H
#define TEMPEST_APPS_KV_SIM_CLOCK_H

#include "io/base.h"

enum { KV_EPOCHS_MAX = 64 }; /* that are remembered */

struct kv_clock {
    int64_t now_ms; /* what it showed last */
    uint32_t epoch; /* how often it has stepped back, or a server was started */
    uint32_t boot;  /* the epoch that began when one was */
    int64_t first_ms[KV_EPOCHS_MAX], last_ms[KV_EPOCHS_MAX]; /* of an epoch, in a ring */
};

/** It shows that now. */
void kv_clock_see(struct kv_clock *clock, int64_t now_ms);

/** A server starts. */
void kv_clock_boot(struct kv_clock *clock, int64_t now_ms);

/** The earliest that it has shown since it showed `since_ms` in an epoch. */
int64_t kv_clock_earliest(const struct kv_clock *clock, uint32_t epoch, int64_t since_ms);

/** The latest that it has shown since that epoch began, or a little later than that. */
int64_t kv_clock_latest(const struct kv_clock *clock, uint32_t epoch);

#endif
