#include "apps/kv/stats.h"

void kv_stats_count_error(struct kv_stats *stats, struct kv_slice reply)
{
    char code[KV_ERROR_CODE_BYTES] = {0};

    tp_assert(reply.len > 0 && reply.bytes[0] == '-');
    stats->errors++;
    for (uint32_t i = 1; i < reply.len && i < sizeof code && reply.bytes[i] > ' '; i++)
        code[i - 1] = (char)reply.bytes[i];
    for (uint32_t i = 0; i < KV_ERROR_CODES_MAX; i++) {
        struct kv_error_count *entry = &stats->codes[i];

        if (entry->count == 0)
            memcpy(entry->code, code, sizeof code);
        if (memcmp(entry->code, code, sizeof code) == 0) {
            entry->count++;
            return;
        }
    }
}
