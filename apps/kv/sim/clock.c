#include "apps/kv/sim/clock.h"

/* How much further an epoch may have gone since it was looked at last. */
enum { UNSEEN_MS = 1000 };

static void begin_epoch(struct kv_clock *clock, int64_t now_ms)
{
    clock->last_ms[clock->epoch % KV_EPOCHS_MAX] = clock->now_ms;
    clock->epoch++;
    clock->first_ms[clock->epoch % KV_EPOCHS_MAX] = now_ms;
}

void kv_clock_see(struct kv_clock *clock, int64_t now_ms)
{
    if (now_ms < clock->now_ms) {
        clock->now_ms += UNSEEN_MS;
        begin_epoch(clock, now_ms);
    }
    clock->now_ms = now_ms;
}

void kv_clock_boot(struct kv_clock *clock, int64_t now_ms)
{
    begin_epoch(clock, now_ms);
    clock->boot = clock->epoch;
    clock->now_ms = now_ms;
}

static bool is_forgotten(const struct kv_clock *clock, uint32_t epoch)
{
    tp_assert(epoch <= clock->epoch);
    return clock->epoch - epoch >= KV_EPOCHS_MAX;
}

int64_t kv_clock_earliest(const struct kv_clock *clock, uint32_t epoch, int64_t since_ms)
{
    int64_t earliest = since_ms;

    if (is_forgotten(clock, epoch))
        return INT64_MIN;
    for (uint32_t at = epoch; at != clock->epoch; at++) {
        int64_t first = clock->first_ms[(at + 1) % KV_EPOCHS_MAX];

        earliest = first < earliest ? first : earliest;
    }
    return earliest;
}

int64_t kv_clock_latest(const struct kv_clock *clock, uint32_t epoch)
{
    int64_t latest = clock->now_ms;

    if (is_forgotten(clock, epoch))
        return INT64_MAX;
    for (uint32_t at = epoch; at != clock->epoch; at++) {
        int64_t last = clock->last_ms[at % KV_EPOCHS_MAX];

        latest = last > latest ? last : latest;
    }
    return latest;
}
