#include "slots.h"

#include <errno.h>
#include <string.h>

int tp_slots_init(struct tp_slots *slots, uint32_t ops_max, uint32_t shots_max,
                  const struct tp_allocator *allocator)
{
    tp_assert(ops_max > 0 && ops_max <= TP_SLOTS_MAX);
    if (shots_max > TP_SLOTS_MAX - ops_max)
        shots_max = TP_SLOTS_MAX - ops_max;
    slots->capacity = ops_max + shots_max + 1;
    slots->ops_max = ops_max;
    slots->fresh = 1;
    slots->slots = tp_alloc(allocator, (size_t)slots->capacity * sizeof *slots->slots, 64);
    slots->paths = tp_alloc(allocator, (size_t)slots->capacity * sizeof *slots->paths, 64);
    return slots->slots == NULL || slots->paths == NULL ? -ENOMEM : 0;
}

void tp_slots_deinit(struct tp_slots *slots, const struct tp_allocator *allocator)
{
    tp_free(allocator, slots->slots, (size_t)slots->capacity * sizeof *slots->slots, 64);
    tp_free(allocator, slots->paths, (size_t)slots->capacity * sizeof *slots->paths, 64);
}

void tp_slot_keep_path(struct tp_slots *slots, uint32_t index, const char *path)
{
    size_t len = path == NULL ? 0 : strnlen(path, TP_PATH_MAX);
    char *kept = slots->paths[index];

    if (len >= TP_SLOT_PATH) {
        memcpy(kept, "...", 3);
        memcpy(kept + 3, path + len - (TP_SLOT_PATH - 4), TP_SLOT_PATH - 4);
        kept[TP_SLOT_PATH - 1] = '\0';
    } else {
        if (len > 0)
            memcpy(kept, path, len);
        kept[len] = '\0';
    }
}
