/** io/linux/entries_internal.h - an entry of the ring for each kind of operation.
 *
 * What is filled here is one step of an operation; most have no other. There must be space
 * for it, and for the entries that go with it: TP_LINUX_ENTRIES_MAX in all.
 */
#ifndef TEMPEST_IO_LINUX_ENTRIES_INTERNAL_H
#define TEMPEST_IO_LINUX_ENTRIES_INTERNAL_H

#include "io/linux/linux_internal.h"

/** The most entries that one operation fills at a time: a close of a socket. */
#define TP_LINUX_ENTRIES_MAX 3U

static inline uint64_t tp_linux_address_of(const void *memory)
{
    return (uint64_t)(uintptr_t)memory;
}

/** Read or write: the kernel's own buffer and file tables are used where they apply. */
static inline void tp_linux_fill_transfer(struct tp_linux_io *self,
                                          const struct tp_request *request,
                                          uint64_t user_data)
{
    const bool writes = request->kind == TP_WRITE;
    struct tp_linux_entry entry = {
        .opcode = writes ? IORING_OP_WRITE : IORING_OP_READ,
        .offset = request->b.offset,
        .address = tp_linux_address_of(request->a.memory),
        .len = request->len,
        .user_data = user_data,
    };

    entry.fd = tp_linux_files_name(&self->files, request->fd.number, &entry.flags);
    if (request->buf != NULL && request->buf->registered != 0 &&
        self->bufs_per_region != 0 && request->len != 0) {
        entry.opcode = writes ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED;
        if (request->buf->registered > self->bufs_per_region)
            entry.buf_index =
                (uint16_t)((request->buf->registered - 1) / self->bufs_per_region);
    }
    tp_linux_ring_fill(&self->ring, entry);
}

/** Recv or send. A send to a peer that is gone makes no signal. */
static inline void tp_linux_fill_message(struct tp_linux_io *self,
                                         const struct tp_request *request,
                                         uint64_t user_data)
{
    const bool sends = request->kind == TP_SEND;
    struct tp_linux_entry entry = {
        .opcode = sends ? IORING_OP_SEND : IORING_OP_RECV,
        .address = tp_linux_address_of(request->a.memory),
        .len = request->len,
        .op_flags = sends ? MSG_NOSIGNAL : 0,
        .user_data = user_data,
    };

    entry.fd = tp_linux_files_name(&self->files, request->fd.number, &entry.flags);
    tp_linux_ring_fill(&self->ring, entry);
}

static inline void tp_linux_fill_nop(struct tp_linux_io *self, uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_NOP, .fd = -1, .user_data = user_data};

    tp_linux_ring_fill(&self->ring, entry);
}

/** Kinds without a record; `user_data` says whose it is, or names the record that they have
 * all the same (Valgrind). */
void tp_linux_fill_plain(struct tp_linux_io *self, const struct tp_request *request,
                         uint64_t user_data);

/** The next step of an operation with a record. */
void tp_linux_fill_recorded(struct tp_linux_io *self, struct tp_posix_record *record);

#endif
