#include "paths_internal.h"

#include <errno.h>
#include <string.h>

#include "io/posix/memory_internal.h"

int tp_posix_paths_init(struct tp_posix_paths *paths, uint32_t records)
{
    static const uint32_t slot_bytes[2] = {TP_POSIX_PATH_SHORT, TP_PATH_MAX};
    const size_t slots = (size_t)records * 2;
    char *at;

    tp_assert(records > 0 && records <= UINT32_MAX / 4);
    paths->size_bytes = slots * (TP_POSIX_PATH_SHORT + TP_PATH_MAX);
    paths->memory = tp_posix_reserve(paths->size_bytes);
    if (paths->memory == NULL)
        return -ENOMEM;
    at = paths->memory;
    for (uint32_t i = 0; i < 2; i++) {
        struct tp_posix_path_class *class = &paths->classes[i];

        class->memory = at;
        class->slot_bytes = slot_bytes[i];
        class->slots = (uint32_t)slots;
        class->touched = 0;
        class->first_free = 0;
        at += slots * slot_bytes[i];
    }
    return 0;
}

void tp_posix_paths_deinit(struct tp_posix_paths *paths)
{
    tp_posix_unreserve(paths->memory, paths->size_bytes);
    paths->memory = NULL;
}

static char *slot_at(const struct tp_posix_path_class *class, uint32_t index)
{
    return class->memory + (size_t)index * class->slot_bytes;
}

char *tp_posix_paths_keep(struct tp_posix_paths *paths, const char *path)
{
    const size_t len = strnlen(path, TP_PATH_MAX);
    struct tp_posix_path_class *class = &paths->classes[len >= TP_POSIX_PATH_SHORT];
    char *slot;

    tp_assert(len < TP_PATH_MAX);
    if (class->first_free != 0) {
        slot = slot_at(class, class->first_free - 1);
        memcpy(&class->first_free, slot, sizeof class->first_free);
    } else {
        tp_assert(class->touched < class->slots);
        slot = slot_at(class, class->touched++);
    }
    memcpy(slot, path, len);
    slot[len] = '\0';
    return slot;
}

void tp_posix_paths_drop(struct tp_posix_paths *paths, char *path)
{
    struct tp_posix_path_class *class = &paths->classes[path >= paths->classes[1].memory];
    const size_t offset = (size_t)(path - class->memory);

    tp_assert(path >= class->memory && offset % class->slot_bytes == 0);
    tp_assert(offset / class->slot_bytes < class->touched);
    memcpy(path, &class->first_free, sizeof class->first_free);
    class->first_free = (uint32_t)(offset / class->slot_bytes) + 1;
}
