#include "files_internal.h"

#include <errno.h>

#include "io/linux/linux_internal.h"

int tp_linux_files_init(struct tp_linux_files *files, struct tp_linux_ring *ring,
                        uint32_t fds_max, uint32_t slots,
                        const struct tp_allocator *allocator)
{
    tp_assert(slots < UINT16_MAX);
    files->capacity = fds_max;
    files->items = tp_alloc(allocator, fds_max * sizeof *files->items, 64);
    if (files->items == NULL)
        return -ENOMEM;
    files->takes_sockets = (ring->features & TP_LINUX_SOCKET_FILES) != 0;
    if (slots == 0 || ring->opcodes[IORING_OP_FILES_UPDATE] == 0 ||
        io_uring_register_files_sparse(&ring->uring, slots) != 0)
        return 0;
    files->slots = tp_alloc(allocator, slots * sizeof *files->slots, 64);
    if (files->slots == NULL)
        return -ENOMEM;
    files->slots_count = (uint16_t)slots;
    for (uint32_t slot = 0; slot < slots; slot++)
        files->slots[slot].next_free = (uint16_t)(slot + 1 < slots ? slot + 2 : 0);
    files->first_free = 1;
    ring->features |= TP_LINUX_FILES;
    return 0;
}

void tp_linux_files_deinit(struct tp_linux_files *files,
                           const struct tp_allocator *allocator)
{
    tp_free(allocator, files->items, files->capacity * sizeof *files->items, 64);
    tp_free(allocator, files->slots, files->slots_count * sizeof *files->slots, 64);
    files->items = NULL;
    files->slots = NULL;
}

static void fill_update(struct tp_linux_ring *ring, const int32_t *number, uint32_t slot,
                        enum tp_linux_internal what)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_FILES_UPDATE,
        .fd = -1,
        .offset = slot,
        .address = (uint64_t)(uintptr_t)number,
        .len = 1,
        .user_data = tp_linux_internal_data(what, slot),
    };

    ring->uncounted++;
    tp_linux_ring_fill(ring, entry);
}

void tp_linux_files_enter(struct tp_linux_files *files, struct tp_linux_ring *ring,
                          uint32_t number)
{
    struct tp_linux_slot *slot;
    const uint32_t index = files->first_free - 1U;

    tp_assert(files->items[number].slot == 0);
    if (files->first_free == 0 || tp_linux_ring_space(ring) < 2 ||
        (files->items[number].sort != TP_POSIX_FILE && !files->takes_sockets))
        return;
    slot = &files->slots[index];
    tp_assert(slot->state == TP_LINUX_SLOT_FREE);
    files->first_free = slot->next_free;
    files->items[number].slot = (uint16_t)(index + 1);
    slot->state = TP_LINUX_SLOT_ENTERING;
    slot->number = (int32_t)number;
    fill_update(ring, &slot->number, index, TP_LINUX_FILE_ENTERED);
}

void tp_linux_files_entered(struct tp_linux_files *files, uint32_t slot, int32_t result)
{
    tp_assert(slot < files->slots_count);
    if (files->slots[slot].state != TP_LINUX_SLOT_ENTERING)
        return; /* closed meanwhile: the entry that takes it out is behind this one */
    if (result == 1) {
        files->slots[slot].state = TP_LINUX_SLOT_IN;
        return;
    }
    files->items[files->slots[slot].number].slot = 0;
    tp_linux_files_left(files, slot);
}

void tp_linux_files_leave(struct tp_linux_files *files, struct tp_linux_ring *ring,
                          uint32_t number)
{
    static const int32_t nothing = -1;
    struct tp_linux_file *file = &files->items[number];

    tp_assert(number < files->capacity && file->held == 0);
    if (file->slot != 0) {
        files->slots[file->slot - 1].state = TP_LINUX_SLOT_LEAVING;
        fill_update(ring, &nothing, file->slot - 1U, TP_LINUX_FILE_LEFT);
    }
    file->slot = 0;
    file->uses = 0;
    file->sort = TP_POSIX_FILE;
}

void tp_linux_files_left(struct tp_linux_files *files, uint32_t slot)
{
    tp_assert(slot < files->slots_count);
    files->slots[slot].state = TP_LINUX_SLOT_FREE;
    files->slots[slot].next_free = files->first_free;
    files->first_free = (uint16_t)(slot + 1);
}
