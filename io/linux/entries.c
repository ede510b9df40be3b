#include "entries_internal.h"

#include "io/posix/blocking_internal.h"
#include "io/posix/datagrams_internal.h"
#include "io/posix/sockaddr_internal.h"
#include "io/posix/statx_internal.h"

/* ------------------------------------------------------------------ files */

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
    entry.fd = tp_linux_files_name(&self->files, request->fd.number, &entry.flags);
    tp_linux_ring_fill(&self->ring, entry);
}

static void fill_statx(struct tp_linux_io *self, const struct tp_request *request,
                       const struct tp_posix_record *record, uint64_t user_data)
{
    const uint64_t *memory = tp_posix_side_of(&self->records, record)->status;
    const bool by_fd = request->kind == TP_FSTAT;
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_STATX,
        .fd = by_fd ? (int32_t)request->fd.number : tp_posix_dir_of(request),
        .address = tp_linux_address_of(by_fd ? "" : request->b.path),
        .offset = tp_linux_address_of(memory),
        .len = TP_POSIX_STATX_MASK,
        .op_flags = tp_posix_statx_flags(by_fd, (request->flags & TP_NO_FOLLOW) == 0),
        .user_data = user_data,
    };

    tp_linux_ring_fill(&self->ring, entry);
}

/* Operations on names; addr2 is `offset` by another name. */
static void fill_on_path(struct tp_linux_io *self, const struct tp_request *request,
                         uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .fd = tp_posix_dir_of(request),
        .address = tp_linux_address_of(request->a.path),
        .user_data = user_data,
    };

    switch (request->kind) {
    case TP_OPEN:
        entry.opcode = IORING_OP_OPENAT;
        entry.len = TP_POSIX_CREATE_MODE;
        entry.op_flags = (uint32_t)tp_posix_open_flags(request);
        break;
    case TP_RENAME:
        entry.opcode = IORING_OP_RENAMEAT;
        entry.len =
            (request->flags & TP_IN_DIR) != 0 ? request->to_dir.number : (uint32_t)AT_FDCWD;
        entry.offset = tp_linux_address_of(request->b.path);
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
        entry.address = tp_linux_address_of(request->b.path);
        entry.offset = tp_linux_address_of(request->a.path);
        break;
    default:
        tp_unreachable();
    }
    tp_linux_ring_fill(&self->ring, entry);
}

/* What is pending on a socket would keep it open, and its peer without an end: it is
 * stopped first. */
static void fill_close(struct tp_linux_io *self, const struct tp_request *request,
                       uint64_t user_data)
{
    const uint32_t number = request->fd.number;
    struct tp_linux_entry stop = {.opcode = IORING_OP_ASYNC_CANCEL,
                                  .fd = (int32_t)number,
                                  .op_flags =
                                      IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL,
                                  .user_data = tp_linux_internal_data(TP_LINUX_SILENT, 0)};
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_CLOSE, .fd = (int32_t)number, .user_data = user_data};

    if (self->files.items[number].sort != TP_POSIX_FILE) {
        self->ring.uncounted++;
        tp_linux_ring_fill(&self->ring, stop);
    }
    tp_linux_files_leave(&self->files, &self->ring, number);
    tp_linux_ring_fill(&self->ring, entry);
}

/* ------------------------------------------------------------------ sockets */

/* Two steps: a socket, then its connection. */
static void fill_connect(struct tp_linux_io *self, const struct tp_posix_record *record,
                         uint64_t user_data)
{
    const struct sockaddr_storage *address =
        &tp_posix_side_of(&self->records, record)->address;
    struct tp_linux_entry make = {
        .opcode = IORING_OP_SOCKET,
        .fd = address->ss_family,
        .offset = SOCK_STREAM | SOCK_CLOEXEC,
        .user_data = user_data,
    };
    struct tp_linux_entry connect = {
        .opcode = IORING_OP_CONNECT,
        .fd = record->fd,
        .address = tp_linux_address_of(address),
        .offset = tp_posix_sockaddr_len(address),
        .user_data = user_data,
    };

    tp_linux_ring_fill(&self->ring, record->fd < 0 ? make : connect);
}

static void fill_accept(struct tp_linux_io *self, const struct tp_request *request,
                        uint64_t user_data)
{
    const bool multishot = request->kind == TP_ACCEPT_MANY &&
                           (self->ring.features & TP_LINUX_MULTISHOT_ACCEPT) != 0;
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_ACCEPT,
        .priority = multishot ? IORING_ACCEPT_MULTISHOT : 0,
        .fd = (int32_t)request->fd.number,
        .op_flags = SOCK_CLOEXEC,
        .user_data = user_data,
    };

    tp_linux_ring_fill(&self->ring, entry);
}

static void fill_send_bufs(struct tp_linux_io *self, const struct tp_posix_record *record,
                           uint64_t user_data)
{
    union tp_posix_side *side = tp_posix_side_of(&self->records, record);
    const struct tp_request *request = &record->request;
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_SENDMSG,
        .address = tp_linux_address_of(&side->message.header),
        .len = 1,
        .op_flags = MSG_NOSIGNAL,
        .user_data = user_data,
    };

    tp_assert(request->len <= TP_BUFS_MAX);
    tp_linux_files_count(&self->files, &self->ring, request->fd.number);
    for (uint32_t i = 0; i < request->len; i++) {
        side->message.parts[i].iov_base = request->a.bufs[i].data;
        side->message.parts[i].iov_len = request->a.bufs[i].len;
    }
    memset(&side->message.header, 0, sizeof side->message.header);
    side->message.header.msg_iov = side->message.parts;
    side->message.header.msg_iovlen = request->len;
    entry.fd = tp_linux_files_name(&self->files, request->fd.number, &entry.flags);
    tp_linux_ring_fill(&self->ring, entry);
}

static void fill_datagram(struct tp_linux_io *self, const struct tp_posix_record *record,
                          uint64_t user_data)
{
    const struct tp_request *request = &record->request;
    const bool sends = request->kind == TP_SEND_TO;
    struct tp_linux_entry entry = {
        .opcode = sends ? IORING_OP_SENDMSG : IORING_OP_RECVMSG,
        .address = tp_linux_address_of(
            tp_posix_datagram_prepare(tp_posix_side_of(&self->records, record), request)),
        .len = 1,
        .op_flags = sends ? MSG_NOSIGNAL : 0,
        .user_data = user_data,
    };

    tp_linux_files_count(&self->files, &self->ring, request->fd.number);
    entry.fd = tp_linux_files_name(&self->files, request->fd.number, &entry.flags);
    tp_linux_ring_fill(&self->ring, entry);
}

static void fill_shutdown(struct tp_linux_io *self, const struct tp_request *request,
                          uint64_t user_data)
{
    struct tp_linux_entry entry = {
        .opcode = IORING_OP_SHUTDOWN,
        .fd = (int32_t)request->fd.number,
        .len = (uint32_t)tp_posix_shutdown_how(request),
        .user_data = user_data,
    };

    tp_linux_ring_fill(&self->ring, entry);
}

/* ------------------------------------------------------------------ dispatch */

void tp_linux_fill_plain(struct tp_linux_io *self, const struct tp_request *request,
                         uint64_t user_data)
{
    if ((tp_kind_info[request->kind].traits & TP_TAKES_FD) != 0)
        tp_linux_files_count(&self->files, &self->ring, request->fd.number);
    if (request->kind == TP_READ || request->kind == TP_WRITE)
        tp_linux_fill_transfer(self, request, user_data);
    else if (request->kind == TP_RECV || request->kind == TP_SEND)
        tp_linux_fill_message(self, request, user_data);
    else if (request->kind == TP_NOP)
        tp_linux_fill_nop(self, user_data);
    else
        fill_on_fd(self, request, user_data);
}

void tp_linux_fill_recorded(struct tp_linux_io *self, struct tp_posix_record *record)
{
    const struct tp_request *request = &record->request;
    const uint64_t user_data = tp_linux_tagged(
        TP_LINUX_TAG_RECORD, tp_posix_record_number(&self->records, record));

    switch (request->kind) {
    case TP_CLOSE:
        fill_close(self, request, user_data);
        return;
    case TP_FSTAT:
    case TP_STAT:
        fill_statx(self, request, record, user_data);
        return;
    case TP_CONNECT:
        fill_connect(self, record, user_data);
        return;
    case TP_ACCEPT:
    case TP_ACCEPT_MANY:
        fill_accept(self, request, user_data);
        return;
    case TP_RECV_MANY:
        tp_linux_recv_fill(self, record, user_data);
        return;
    case TP_SIGNAL:
        tp_linux_signal_fill(self, record, user_data);
        return;
    case TP_SEND_BUFS:
        fill_send_bufs(self, record, user_data);
        return;
    case TP_SEND_TO:
    case TP_RECV_FROM:
        fill_datagram(self, record, user_data);
        return;
    case TP_SHUTDOWN:
        fill_shutdown(self, request, user_data);
        return;
    default:
        if ((tp_kind_info[request->kind].traits & TP_TAKES_PATH) != 0)
            fill_on_path(self, request, user_data);
        else
            tp_linux_fill_plain(self, request, user_data);
    }
}
