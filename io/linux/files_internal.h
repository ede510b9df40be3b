/** io/linux/files_internal.h - what is known of each fd number: held operations, and hot
 * files.
 *
 * A file that is used often is put into the ring's own table (registered files), which
 * spares a reference count per operation. An entry for that travels in the batch and costs
 * no kernel entry of its own; the file is used by its slot from that entry's completion on,
 * and taken out by another one just before its close. A slot is used again only when the
 * entry that cleared it has completed, so that slots and files cannot be confused.
 *
 * Before 6.13 what is taken out of the table is let go only when all operations have ended
 * that began before on any of its files. Operations on files end soon; a send or a recv
 * may not, and would keep the connections of others open. Sockets are put there only where
 * the kernel is known to count for each slot.
 *
 * A close must not overtake operations on its file that have not begun (they wait for room,
 * or for a thread): the number could be reused, and they would hit a stranger's file. They
 * are counted here, and the close goes last.
 */
#ifndef TEMPEST_IO_LINUX_FILES_INTERNAL_H
#define TEMPEST_IO_LINUX_FILES_INTERNAL_H

#include "io/linux/ring_internal.h"
#include "io/posix/sorts_internal.h"

#define TP_LINUX_HOT 16 /* uses after which a file is put into the table */

struct tp_linux_file {
    uint8_t uses;     /* stops at TP_LINUX_HOT */
    uint8_t sort;     /* enum tp_posix_sort */
    uint16_t slot;    /* 1 + slot in the table, on its way in or there; 0: none */
    uint32_t held;    /* operations on it that have not begun */
    uint32_t starved; /* recv_manys of it that wait for a buffer */
    uint32_t closing; /* record of the close that waits for them; 0: none */
};

enum tp_linux_slot_state {
    TP_LINUX_SLOT_FREE,
    TP_LINUX_SLOT_ENTERING,
    TP_LINUX_SLOT_IN,
    TP_LINUX_SLOT_LEAVING,
};

struct tp_linux_slot {
    int32_t number;     /* of the file; the kernel reads it from here */
    uint16_t state;     /* enum tp_linux_slot_state */
    uint16_t next_free; /* 1 + slot */
};

struct tp_linux_files {
    struct tp_linux_file *items; /* by fd number */
    uint32_t capacity;
    struct tp_linux_slot *slots;
    uint16_t slots_count; /* 0: no table */
    uint16_t first_free;  /* 1 + slot */
    bool takes_sockets;   /* see tp_linux_files_init() */
};

/** 0, or -ENOMEM. The ring takes no entries yet. `slots` 0: no table. */
int tp_linux_files_init(struct tp_linux_files *files, struct tp_linux_ring *ring,
                        uint32_t fds_max, uint32_t slots,
                        const struct tp_allocator *allocator);
void tp_linux_files_deinit(struct tp_linux_files *files,
                           const struct tp_allocator *allocator);

/** Fills an entry that puts the file into the table, if there is a free slot and space for
 * that entry and another. */
void tp_linux_files_enter(struct tp_linux_files *files, struct tp_linux_ring *ring,
                          uint32_t number);

/** Forgets the file, whose close is about to be filled; fills an entry that takes it out of
 * the table if it is there. There must be space for two entries. */
void tp_linux_files_leave(struct tp_linux_files *files, struct tp_linux_ring *ring,
                          uint32_t number);

/** The entry of tp_linux_files_enter() or _leave() for `slot` has completed. */
void tp_linux_files_entered(struct tp_linux_files *files, uint32_t slot, int32_t result);
void tp_linux_files_left(struct tp_linux_files *files, uint32_t slot);

/** Whether the file is what it should be, and tp_linux_files_count() has nothing left to
 * find out about it: it is in the table, or will not be. */
static inline bool tp_linux_files_settled(const struct tp_linux_files *files,
                                          uint32_t number, enum tp_posix_sort sort)
{
    const struct tp_linux_file *file = &files->items[number];

    return file->sort == sort && (file->slot != 0 || file->uses >= TP_LINUX_HOT);
}

/** Counts a use; a hot file is put into the table. */
static inline void tp_linux_files_count(struct tp_linux_files *files,
                                        struct tp_linux_ring *ring, uint32_t number)
{
    struct tp_linux_file *file = &files->items[number];

    if (file->slot != 0 || file->uses >= TP_LINUX_HOT)
        return;
    file->uses++;
    if (file->uses == TP_LINUX_HOT)
        tp_linux_files_enter(files, ring, number);
}

/** How an entry names the file: its number, or its slot with IOSQE_FIXED_FILE in
 * `ret_flags`. */
static inline int32_t tp_linux_files_name(const struct tp_linux_files *files,
                                          uint32_t number, uint8_t *ret_flags)
{
    const struct tp_linux_file *file = &files->items[number];

    if (file->slot != 0 && files->slots[file->slot - 1].state == TP_LINUX_SLOT_IN) {
        *ret_flags = IOSQE_FIXED_FILE;
        return file->slot - 1;
    }
    *ret_flags = 0;
    return (int32_t)number;
}

#endif
