#include "recv_internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/fd_table.h"
#include "io/linux/entries_internal.h"
#include "io/linux/linux_internal.h"
#include "io/posix/memory_internal.h"
#include "io/recv_pool.h"

#define GROUP 0 /* of our buffer ring: there is one */

/* ------------------------------------------------------------------ life */

/* Makes the ring of buffers, if the kernel will have it. */
static void make_ring(struct tp_linux_io *self, uint32_t count, uint32_t features_off)
{
    struct tp_linux_recv *recv = &self->recv;
    struct io_uring_buf_reg registration = {.bgid = GROUP};

    if ((features_off & TP_LINUX_BUF_RING) != 0)
        return;
    recv->ring_entries = 1;
    while (recv->ring_entries < count)
        recv->ring_entries *= 2;
    recv->ring_bytes = recv->ring_entries * sizeof(struct io_uring_buf);
    recv->ring = tp_posix_reserve(recv->ring_bytes);
    if (recv->ring == NULL)
        return;
    registration.ring_addr = tp_linux_address_of(recv->ring);
    registration.ring_entries = recv->ring_entries;
    if (io_uring_register_buf_ring(&self->ring.uring, &registration, 0) != 0) {
        tp_posix_unreserve(recv->ring, recv->ring_bytes);
        recv->ring = NULL;
        return;
    }
    io_uring_buf_ring_init(recv->ring);
    self->ring.features |= TP_LINUX_BUF_RING;
    recv->multishot = (features_off & TP_LINUX_MULTISHOT_RECV) == 0;
    if (recv->multishot)
        self->ring.features |= TP_LINUX_MULTISHOT_RECV;
}

int tp_linux_recv_init(struct tp_linux_io *self, uint32_t count, uint32_t size_bytes,
                       uint32_t features_off)
{
    struct tp_linux_recv *recv = &self->recv;
    int error;

    if (count == 0)
        return 0;
    recv->memory_bytes = (size_t)count * size_bytes;
    recv->memory = tp_posix_reserve(recv->memory_bytes);
    if (recv->memory == NULL)
        return -ENOMEM;
    error = tp_io_set_recv_bufs(&self->io, recv->memory, count, size_bytes);
    if (error < 0)
        return error;
    make_ring(self, count, features_off);
    tp_linux_recv_refill(self);
    return 0;
}

void tp_linux_recv_deinit(struct tp_linux_io *self)
{
    tp_posix_unreserve(self->recv.ring, self->recv.ring_bytes);
    tp_posix_unreserve(self->recv.memory, self->recv.memory_bytes);
}

/* ------------------------------------------------------------------ buffers */

static void give_to_kernel(struct tp_linux_io *self)
{
    struct tp_linux_recv *recv = &self->recv;
    const struct tp_recv_pool *pool = self->io.recv_bufs;
    const int mask = io_uring_buf_ring_mask(recv->ring_entries);
    uint32_t index;
    int given = 0;

    while (tp_recv_pool_take(self->io.recv_bufs, &index))
        io_uring_buf_ring_add(recv->ring, pool->memory + (size_t)index * pool->size_bytes,
                              pool->size_bytes, (unsigned short)index, mask, given++);
    io_uring_buf_ring_advance(recv->ring, given);
    recv->in_ring += (uint32_t)given;
    tp_assert(recv->in_ring <= recv->ring_entries);
}

/* Buffers that one who starves could have. */
static uint32_t free_bufs(const struct tp_linux_io *self)
{
    if (self->io.recv_bufs == NULL)
        return 0;
    return self->recv.in_ring + self->io.recv_bufs->returned_count;
}

void tp_linux_recv_unstarve(struct tp_linux_io *self, struct tp_posix_record *record)
{
    struct tp_linux_file *file = &self->files.items[record->request.fd.number];

    tp_assert(record->state == TP_POSIX_STARVED && file->starved > 0);
    file->starved--;
    tp_posix_list_remove(&self->records, &self->recv.starved, record);
}

void tp_linux_recv_refill(struct tp_linux_io *self)
{
    struct tp_posix_list *starved = &self->recv.starved;
    uint32_t bufs;

    tp_assert(self->io.recv_bufs != NULL);
    if (self->recv.ring != NULL && self->io.recv_bufs->returned_count > 0)
        give_to_kernel(self);
    if (starved->count == 0)
        return;
    for (bufs = free_bufs(self); bufs > 0 && starved->count > 0; bufs--) {
        struct tp_posix_record *record = tp_posix_record_at(&self->records, starved->first);

        if (tp_linux_ring_space(&self->ring) < TP_LINUX_ENTRIES_MAX)
            return;
        tp_linux_recv_unstarve(self, record);
        self->io.stats.rearmed++;
        tp_linux_go_on(self, record);
    }
}

uint32_t tp_linux_recv_ready(const struct tp_linux_io *self)
{
    const uint32_t bufs = self->recv.starved.count > 0 ? free_bufs(self) : 0;

    return bufs < self->recv.starved.count ? bufs : self->recv.starved.count;
}

/* ------------------------------------------------------------------ steps */

static void fill_with_ring(struct tp_linux_io *self, const struct tp_posix_record *record,
                           uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_RECV,
        .flags = IOSQE_BUFFER_SELECT,
        .priority = self->recv.multishot ? IORING_RECV_MULTISHOT : 0,
        .buf_index = GROUP,
        .fd = (int32_t)record->request.fd.number,
        .user_data = user_data,
    };

    tp_linux_ring_fill(&self->ring, entry);
}

static void fill_poll(struct tp_linux_io *self, struct tp_posix_record *record,
                      uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_POLL_ADD,
        .fd = (int32_t)record->request.fd.number,
        .op_flags = POLLIN | POLLRDHUP,
        .user_data = user_data,
    };

    record->polls = 1;
    tp_linux_ring_fill(&self->ring, entry);
}

static void fill_with_pool(struct tp_linux_io *self, struct tp_posix_record *record,
                           uint64_t user_data)
{
    struct tp_recv_pool *pool = self->io.recv_bufs;
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_RECV,
        .fd = (int32_t)record->request.fd.number,
        .len = pool->size_bytes,
        .op_flags = MSG_DONTWAIT,
        .user_data = user_data,
    };
    uint32_t index;

    if (record->polls != 0 || !tp_recv_pool_take(pool, &index)) {
        fill_poll(self, record, user_data);
        return;
    }
    record->buf = index + 1;
    entry.address = tp_linux_address_of(pool->memory + (size_t)index * pool->size_bytes);
    tp_linux_ring_fill(&self->ring, entry);
}

void tp_linux_recv_fill(struct tp_linux_io *self, struct tp_posix_record *record,
                        uint64_t user_data)
{
    tp_assert(self->io.recv_bufs != NULL);
    if (self->recv.ring != NULL)
        fill_with_ring(self, record, user_data);
    else
        fill_with_pool(self, record, user_data);
}

static bool starve(struct tp_linux_io *self, struct tp_posix_record *record,
                   int32_t *ret_value)
{
    if (tp_linux_is_over(self, record)) {
        *ret_value = -ECANCELED;
        return true;
    }
    self->io.stats.recv_bufs_exhausted++;
    record->state = TP_POSIX_STARVED;
    self->files.items[record->request.fd.number].starved++;
    tp_posix_list_append(&self->records, &self->recv.starved, record);
    return false;
}

/* The kernel has used a buffer: for `len_bytes`, or for nothing. */
static void take_from_kernel(struct tp_linux_io *self, const struct tp_posix_record *record,
                             uint32_t index, int32_t len_bytes)
{
    struct tp_recv_pool *pool = self->io.recv_bufs;

    if (len_bytes <= 0) {
        tp_recv_pool_recycle(pool, index);
        return;
    }
    tp_posix_mark_written(pool->memory + (size_t)index * pool->size_bytes, len_bytes);
    tp_io_complete_recv(&self->io, record->request.handle, index, (uint32_t)len_bytes);
}

static bool seen_with_ring(struct tp_linux_io *self, struct tp_posix_record *record,
                           const struct io_uring_cqe *cqe, int32_t *ret_value)
{
    if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        tp_assert(self->recv.in_ring > 0);
        self->recv.in_ring--;
        take_from_kernel(self, record, cqe->flags >> IORING_CQE_BUFFER_SHIFT, cqe->res);
    } else {
        tp_assert(cqe->res <= 0);
    }
    if ((cqe->flags & IORING_CQE_F_MORE) != 0)
        return false;
    if (cqe->res > 0)
        return tp_linux_go_on_many(self, record, self->recv.multishot);
    if (cqe->res == -ENOBUFS)
        return starve(self, record, ret_value);
    *ret_value = cqe->res;
    return true;
}

static bool seen_with_pool(struct tp_linux_io *self, struct tp_posix_record *record,
                           const struct io_uring_cqe *cqe, int32_t *ret_value)
{
    if (record->polls != 0) {
        record->polls = 0;
        if (cqe->res >= 0 && self->io.recv_bufs->returned_count == 0)
            return starve(self, record, ret_value);
        if (cqe->res >= 0)
            return tp_linux_go_on_many(self, record, false);
        *ret_value = cqe->res;
        return true;
    }
    take_from_kernel(self, record, record->buf - 1, cqe->res);
    record->buf = 0;
    if (cqe->res > 0 || cqe->res == -EAGAIN) {
        record->polls = (cqe->flags & IORING_CQE_F_SOCK_NONEMPTY) == 0;
        return tp_linux_go_on_many(self, record, false);
    }
    *ret_value = cqe->res;
    return true;
}

bool tp_linux_recv_seen(struct tp_linux_io *self, struct tp_posix_record *record,
                        const struct io_uring_cqe *cqe, int32_t *ret_value)
{
    if (self->recv.ring != NULL)
        return seen_with_ring(self, record, cqe, ret_value);
    return seen_with_pool(self, record, cqe, ret_value);
}

void tp_linux_recv_closed(struct tp_linux_io *self, uint32_t number)
{
    const struct tp_linux_file *file = &self->files.items[number];

    for (uint32_t at = self->recv.starved.first, next; at != 0 && file->starved > 0;
         at = next) {
        struct tp_posix_record *record = tp_posix_record_at(&self->records, at);

        next = record->next;
        if (record->request.fd.number != number)
            continue;
        tp_linux_recv_unstarve(self, record);
        tp_linux_end_later(self, record, -ECANCELED);
    }
}
