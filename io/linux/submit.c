#include "linux_internal.h"

#include "io/linux/blocking_internal.h"

/* ------------------------------------------------------------------ entries */

static inline uint64_t address_of(const void *memory)
{
    return (uint64_t)(uintptr_t)memory;
}

/* Read or write: the kernel's own buffer and file tables are used where they apply. */
static inline void fill_transfer(struct tp_linux_io *self, const struct tp_request *request,
                                 uint64_t user_data)
{
    const bool writes = request->kind == TP_WRITE;
    struct tp_linux_entry entry = {
        .opcode = writes ? IORING_OP_WRITE : IORING_OP_READ,
        .offset = request->b.offset,
        .address = address_of(request->a.memory),
        .len = request->len,
        .user_data = user_data,
    };

    entry.fd =
        tp_linux_files_use(&self->files, &self->ring, request->fd.number, &entry.flags);
    if (request->buf != NULL && request->buf->registered != 0 &&
        self->bufs_per_region != 0 && request->len != 0) {
        entry.opcode = writes ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED;
        if (request->buf->registered > self->bufs_per_region)
            entry.buf_index =
                (uint16_t)((request->buf->registered - 1) / self->bufs_per_region);
    }
    tp_linux_ring_fill(&self->ring, entry);
}

static void fill_on_fd(struct tp_linux_io *self, const struct tp_request *request,
                       uint64_t user_data)
{
    struct tp_linux_entry entry = {.user_data = user_data};

    switch (request->kind) {
    case TP_FSYNC:
        entry.opcode = IORING_OP_FSYNC;
        entry.op_flags = (request->flags & TP_DATA_ONLY) != 0 ? IORING_FSYNC_DATASYNC : 0;
        break;
    case TP_TRUNCATE:
        entry.opcode = TP_LINUX_OP_FTRUNCATE;
        entry.offset = request->a.length;
        break;
    case TP_FALLOCATE:
        entry.opcode = IORING_OP_FALLOCATE;
        entry.offset = request->b.offset;
        entry.address = request->a.length;
        entry.len = (request->flags & TP_KEEP_SIZE) != 0 ? FALLOC_FL_KEEP_SIZE : 0;
        break;
    default:
        tp_unreachable();
    }
    entry.fd =
        tp_linux_files_use(&self->files, &self->ring, request->fd.number, &entry.flags);
    tp_linux_ring_fill(&self->ring, entry);
}

static void fill_statx(struct tp_linux_io *self, const struct tp_request *request,
                       const struct tp_linux_record *record, uint64_t user_data)
{
    const struct statx *memory = &self->records.statx[record - self->records.items];
    const bool by_fd = request->kind == TP_FSTAT;
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_STATX,
        .fd = by_fd ? (int32_t)request->fd.number : tp_linux_dir_of(request),
        .address = address_of(by_fd ? "" : request->b.path),
        .offset = address_of(memory),
        .len = TP_LINUX_STATX_MASK,
        .op_flags = tp_linux_statx_flags(request),
        .user_data = user_data,
    };

    tp_linux_ring_fill(&self->ring, entry);
}

/* Operations on names; addr2 is `offset` by another name. */
static void fill_on_path(struct tp_linux_io *self, const struct tp_request *request,
                         uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .fd = tp_linux_dir_of(request),
        .address = address_of(request->a.path),
        .user_data = user_data,
    };

    switch (request->kind) {
    case TP_OPEN:
        entry.opcode = IORING_OP_OPENAT;
        entry.len = TP_LINUX_CREATE_MODE;
        entry.op_flags = (uint32_t)tp_linux_open_flags(request);
        break;
    case TP_RENAME:
        entry.opcode = IORING_OP_RENAMEAT;
        entry.len =
            (request->flags & TP_IN_DIR) != 0 ? request->to_dir.number : (uint32_t)AT_FDCWD;
        entry.offset = address_of(request->b.path);
        break;
    case TP_REMOVE:
        entry.opcode = IORING_OP_UNLINKAT;
        break;
    case TP_REMOVE_DIR:
        entry.opcode = IORING_OP_UNLINKAT;
        entry.op_flags = AT_REMOVEDIR;
        break;
    case TP_CREATE_DIR:
        entry.opcode = IORING_OP_MKDIRAT;
        entry.len = request->b.mode;
        break;
    case TP_SYMLINK:
        entry.opcode = IORING_OP_SYMLINKAT;
        entry.address = address_of(request->b.path);
        entry.offset = address_of(request->a.path);
        break;
    default:
        tp_unreachable();
    }
    tp_linux_ring_fill(&self->ring, entry);
}

static inline void fill_nop(struct tp_linux_io *self, uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_NOP, .fd = -1, .user_data = user_data};

    tp_linux_ring_fill(&self->ring, entry);
}

/* Kinds without a record; `user_data` is the handle, or names the record that they have all
 * the same (Valgrind). */
static void fill_plain(struct tp_linux_io *self, const struct tp_request *request,
                       uint64_t user_data)
{
    if (request->kind == TP_READ || request->kind == TP_WRITE)
        fill_transfer(self, request, user_data);
    else if (request->kind == TP_NOP)
        fill_nop(self, user_data);
    else
        fill_on_fd(self, request, user_data);
}

static void fill_recorded(struct tp_linux_io *self, const struct tp_linux_record *record)
{
    const struct tp_request *request = &record->request;
    const uint64_t user_data = tp_linux_tagged(
        TP_LINUX_TAG_RECORD, tp_linux_record_number(&self->records, record));

    if (request->kind == TP_CLOSE) {
        struct tp_linux_entry entry = {.opcode = IORING_OP_CLOSE,
                                       .fd = (int32_t)request->fd.number,
                                       .user_data = user_data};

        tp_linux_files_leave(&self->files, &self->ring, request->fd.number);
        tp_linux_ring_fill(&self->ring, entry);
    } else if (request->kind == TP_FSTAT || request->kind == TP_STAT) {
        fill_statx(self, request, record, user_data);
    } else if ((tp_kind_info[request->kind].traits & TP_TAKES_PATH) != 0) {
        fill_on_path(self, request, user_data);
    } else {
        fill_plain(self, request, user_data);
    }
}

/* ------------------------------------------------------------------ holding back */

static void count_held(struct tp_linux_io *self, struct tp_fd fd, bool begins)
{
    struct tp_linux_file *file = &self->files.items[fd.number];

    tp_assert(fd.number < self->files.capacity);
    if (begins) {
        file->held++;
        return;
    }
    tp_assert(file->held > 0);
    file->held--;
}

/* Counts an operation that has not begun (or no longer does) with the fds that it is about.
 * A close is never counted: it is what waits for the others. */
static void hold(struct tp_linux_io *self, const struct tp_request *request, bool begins)
{
    const bool in_dir = (request->flags & TP_IN_DIR) != 0;
    const bool takes_fd = (tp_kind_info[request->kind].traits & TP_TAKES_FD) != 0;

    if (request->kind == TP_CLOSE)
        return;
    if (takes_fd || in_dir)
        count_held(self, request->fd, begins);
    if (in_dir && request->kind == TP_RENAME)
        count_held(self, request->to_dir, begins);
}

static void stall(struct tp_linux_io *self, struct tp_linux_record *record)
{
    record->state = TP_LINUX_STALLED;
    tp_linux_list_append(&self->records, &self->stalled, record);
    hold(self, &record->request, true);
}

/* Whether an operation and an entry that goes with it fit; flushes the queue if they do
 * not. */
static bool make_space(struct tp_linux_io *self)
{
    if (tp_linux_ring_space(&self->ring) >= 2)
        return true;
    tp_linux_ring_flush(&self->ring);
    self->io.stats.enters++;
    self->io.stats.enters_extra++;
    return tp_linux_ring_space(&self->ring) >= 2;
}

/* Puts an operation with a record into the ring; there is space. */
static void place(struct tp_linux_io *self, struct tp_linux_record *record)
{
    const uint32_t kind = record->request.kind;

    if (kind == TP_CANCEL) {
        const struct tp_request request = record->request;

        tp_linux_record_free(&self->records, record);
        tp_linux_cancel(self, &request);
        return;
    }
    if (self->route[kind] == TP_LINUX_ROUTE_PLAIN) {
        fill_plain(self, &record->request, record->request.handle);
        tp_linux_record_free(&self->records, record);
        return;
    }
    record->state = TP_LINUX_IN_RING;
    if ((tp_kind_info[kind].traits & (TP_NEVER_WAITS | TP_WAITS)) != 0) {
        record->uncounted = 1;
        self->ring.uncounted++;
    }
    fill_recorded(self, record);
}

static void place_or_stall(struct tp_linux_io *self, struct tp_linux_record *record)
{
    if (make_space(self))
        place(self, record);
    else
        stall(self, record);
}

/* A close that nothing is left to wait for. */
static void close_at_last(struct tp_linux_io *self, struct tp_fd fd)
{
    struct tp_linux_file *file = &self->files.items[fd.number];
    struct tp_linux_record *record;

    if (file->held > 0 || file->closing == 0)
        return;
    record = tp_linux_record_at(&self->records, file->closing);
    file->closing = 0;
    tp_assert(record->state == TP_LINUX_CLOSING);
    if (self->route[TP_CLOSE] == TP_LINUX_ROUTE_WORKER)
        tp_linux_workers_add(&self->workers, record);
    else
        place_or_stall(self, record);
}

void tp_linux_unhold(struct tp_linux_io *self, const struct tp_request *request)
{
    const bool in_dir = (request->flags & TP_IN_DIR) != 0;

    hold(self, request, false);
    if (request->kind == TP_CLOSE)
        return;
    if (in_dir || (tp_kind_info[request->kind].traits & TP_TAKES_FD) != 0)
        close_at_last(self, request->fd);
    if (in_dir && request->kind == TP_RENAME)
        close_at_last(self, request->to_dir);
}

static void release_list(struct tp_linux_io *self, struct tp_linux_list *list, bool capped)
{
    const uint32_t space = capped ? 1 : 2; /* a close takes two, and is never capped */

    while (list->count > 0 && tp_linux_ring_space(&self->ring) >= space &&
           (!capped || tp_linux_below_cap(self))) {
        struct tp_linux_record *record = tp_linux_list_pop(&self->records, list);
        const struct tp_request request = record->request; /* place() may free it */

        place(self, record);
        tp_linux_unhold(self, &request);
    }
}

void tp_linux_release(struct tp_linux_io *self)
{
    if (!self->wake_armed && tp_linux_ring_space(&self->ring) > 0)
        tp_linux_wake_arm(self);
    if (self->stalled.count > 0)
        release_list(self, &self->stalled, false);
    if (self->waiting.count > 0)
        release_list(self, &self->waiting, true);
}

/* ------------------------------------------------------------------ submission */

static void submit_close(struct tp_linux_io *self, struct tp_linux_record *record)
{
    struct tp_linux_file *file = &self->files.items[record->request.fd.number];

    if (file->held > 0) {
        tp_assert(file->closing == 0);
        record->state = TP_LINUX_CLOSING;
        file->closing = tp_linux_record_number(&self->records, record);
    } else if (self->route[TP_CLOSE] == TP_LINUX_ROUTE_WORKER) {
        tp_linux_workers_add(&self->workers, record);
    } else {
        place_or_stall(self, record);
    }
}

static void submit_recorded(struct tp_linux_io *self, const struct tp_request *request)
{
    struct tp_linux_record *record = tp_linux_record_make(&self->records, request);
    const uint32_t traits = tp_kind_info[request->kind].traits;

    if (request->kind == TP_CLOSE) {
        submit_close(self, record);
    } else if (self->route[request->kind] == TP_LINUX_ROUTE_WORKER) {
        hold(self, request, true);
        tp_linux_workers_add(&self->workers, record);
    } else if ((traits & (TP_NEVER_WAITS | TP_WAITS)) == 0 && !tp_linux_below_cap(self)) {
        hold(self, request, true);
        record->state = TP_LINUX_WAITING;
        tp_linux_list_append(&self->records, &self->waiting, record);
        self->io.stats.held_back++;
    } else {
        place_or_stall(self, record);
    }
}

static void submit_cancel(struct tp_linux_io *self, const struct tp_request *request)
{
    if (make_space(self)) {
        tp_linux_cancel(self, request);
        return;
    }
    stall(self, tp_linux_record_make(&self->records, request));
}

/* What tp_linux_submit() does not do itself. */
static __attribute__((noinline)) void submit_rare(struct tp_linux_io *self,
                                                  const struct tp_request *request)
{
    if (*self->alive == 0)
        tp_linux_check_owner(self);
    if (self->route[request->kind] == TP_LINUX_ROUTE_PLAIN && tp_linux_below_cap(self) &&
        tp_linux_ring_space(&self->ring) > 0)
        fill_plain(self, request, request->handle);
    else if (request->kind == TP_CANCEL)
        submit_cancel(self, request);
    else
        submit_recorded(self, request);
}

/* Whether an operation goes into the ring as it is. */
static inline bool is_ready(const struct tp_linux_io *self,
                            const struct tp_request *request)
{
    return *self->alive != 0 && self->route[request->kind] == TP_LINUX_ROUTE_PLAIN &&
           tp_linux_below_cap(self) && tp_linux_ring_space(&self->ring) > 0;
}

void tp_linux_submit(struct tp_io *io, const struct tp_request *request)
{
    struct tp_linux_io *self = tp_linux_of(io);

    if (__builtin_expect(!is_ready(self, request), 0))
        submit_rare(self, request);
    else if ((request->kind == TP_READ || request->kind == TP_WRITE) &&
             tp_linux_files_settled(&self->files, request->fd.number))
        fill_transfer(self, request, request->handle);
    else if (request->kind == TP_NOP)
        fill_nop(self, request->handle);
    else
        submit_rare(self, request);
}
