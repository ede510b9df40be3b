/* Sockets, signals, and reads of what is in memory: calls that do not block, and waiting
 * until they need not. */
#include "posix_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/fd_table.h"
#include "io/loans.h"
#include "io/posix/blocking_internal.h"
#include "io/posix/datagrams_internal.h"
#include "io/posix/sockaddr_internal.h"
#include "io/posix/system_internal.h"

/* ------------------------------------------------------------------ waiting */

static enum tp_posix_direction direction_of(const struct tp_posix_record *record)
{
    const uint32_t kind = record->request.kind;

    const bool writes =
        kind == TP_SEND || kind == TP_SEND_BUFS || kind == TP_CONNECT || kind == TP_SEND_TO;

    return writes ? TP_POSIX_WRITING : TP_POSIX_READING;
}

/* The fd that it waits for: its own, or that of the request. */
static uint32_t number_of(const struct tp_posix_record *record)
{
    return record->fd >= 0 ? (uint32_t)record->fd : record->request.fd.number;
}

/* Lets it wait until its fd is ready. True: it cannot, and has ended. */
bool tp_posix_wait(struct tp_posix_io *self, struct tp_posix_record *record,
                   int32_t *ret_value)
{
    const uint32_t number = number_of(record);
    struct tp_posix_file *file = &self->files[number];

    tp_assert(number < self->files_count);
    if (!file->watched) {
        *ret_value = tp_posix_ready_add(&self->ready, (int)number);
        if (*ret_value < 0)
            return true;
        file->watched = true;
    }
    record->state = TP_POSIX_PENDING;
    tp_posix_list_append(&self->records, &file->waits[direction_of(record)], record);
    self->pending++;
    return false;
}

void tp_posix_stop_waiting(struct tp_posix_io *self, struct tp_posix_record *record)
{
    struct tp_posix_file *file = &self->files[number_of(record)];

    tp_assert(record->state == TP_POSIX_PENDING && self->pending > 0);
    self->pending--;
    tp_posix_list_remove(&self->records, &file->waits[direction_of(record)], record);
}

void tp_posix_go_on(struct tp_posix_io *self, uint32_t number,
                    enum tp_posix_direction direction)
{
    struct tp_posix_list *list = &self->files[number].waits[direction];

    while (list->count > 0) {
        struct tp_posix_record *record = tp_posix_record_at(&self->records, list->first);

        tp_posix_stop_waiting(self, record);
        tp_posix_try_later(self, record);
    }
}

/* Whether one that came before waits already: bytes and connections are in order. */
static bool is_behind(const struct tp_posix_io *self, const struct tp_posix_record *record)
{
    const uint32_t traits = tp_kind_info[record->request.kind].traits;

    return (traits & TP_WAITS) != 0 && (traits & TP_TAKES_FD) != 0 &&
           self->files[number_of(record)].waits[direction_of(record)].count > 0;
}

/* A multishot that was to be tried again may come behind the close of its fd. */
static bool is_over(const struct tp_posix_io *self, const struct tp_posix_record *record)
{
    return (tp_kind_info[record->request.kind].traits & TP_MANY) != 0 &&
           !tp_fd_table_holds(self->io.fds, record->request.fd);
}

static int32_t error_of_call(void)
{
    return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

/* ------------------------------------------------------------------ life */

int32_t tp_posix_opened(struct tp_posix_io *self, int32_t fd, enum tp_posix_sort sort)
{
    if (!tp_io_fd_opened(&self->io, (uint32_t)fd)) {
        (void)tp_posix_close_fd(self, fd);
        return -EMFILE;
    }
    self->files[fd].sort = (uint8_t)sort;
    self->files[fd].cached = false;
    return fd;
}

int32_t tp_posix_socket_made(struct tp_posix_io *self, int32_t fd, enum tp_posix_sort sort)
{
    if (fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
        const int32_t error = -errno;

        (void)close(fd);
        return error;
    }
    return tp_posix_opened(self, fd, sort);
}

static int32_t connect_failed(struct tp_posix_io *self,
                              const struct tp_posix_record *record, int32_t error)
{
    (void)tp_posix_close_fd(self, record->fd);
    return error;
}

/* 0: connected; -EINPROGRESS: not yet. */
static int32_t connect_begin(struct tp_posix_io *self, struct tp_posix_record *record)
{
    const struct sockaddr_storage *address =
        &tp_posix_side_of(&self->records, record)->address;

    record->fd = tp_posix_run_service(&record->request, address);
    if (record->fd < 0)
        return record->fd;
    if ((uint32_t)record->fd >= self->files_count)
        return connect_failed(self, record, -EMFILE);
    if (fcntl(record->fd, F_SETFL, O_RDWR | O_NONBLOCK) != 0)
        return connect_failed(self, record, -errno);
    if (connect(record->fd, (const struct sockaddr *)(const void *)address,
                tp_posix_sockaddr_len(address)) == 0)
        return 0;
    if (errno == EINPROGRESS || errno == EINTR)
        return -EINPROGRESS;
    return connect_failed(self, record, -errno);
}

/* The same, of one that has been told that its fd is ready. */
static int32_t connect_look(struct tp_posix_io *self, const struct tp_posix_record *record)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    int error;
    socklen_t error_len = sizeof error;

    if (getsockopt(record->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0)
        error = errno;
    if (error != 0)
        return connect_failed(self, record, -error);
    if (getpeername(record->fd, (struct sockaddr *)(void *)&peer, &len) == 0)
        return 0;
    return errno == ENOTCONN ? -EINPROGRESS : connect_failed(self, record, -errno);
}

static bool try_connect(struct tp_posix_io *self, struct tp_posix_record *record,
                        int32_t *ret_value)
{
    const int32_t error =
        record->fd < 0 ? connect_begin(self, record) : connect_look(self, record);

    *ret_value = error;
    if (error == 0)
        *ret_value = tp_posix_opened(self, record->fd, TP_POSIX_STREAM);
    else if (error == -EINPROGRESS && !tp_posix_wait(self, record, ret_value))
        return false;
    else if (error == -EINPROGRESS)
        *ret_value = connect_failed(self, record, *ret_value);
    record->fd = -1;
    return true;
}

/* ------------------------------------------------------------------ accept */

/* A connection in our table, -EAGAIN when there is none, or an error. */
static int32_t accept_one(struct tp_posix_io *self, const struct tp_posix_record *record)
{
    const int listener = (int)record->request.fd.number;
    int fd;

    do {
        fd = tp_posix_accept(listener);
    } while (fd < 0 && errno == EINTR);
    return fd < 0 ? error_of_call() : tp_posix_opened(self, fd, TP_POSIX_STREAM);
}

static bool try_accept(struct tp_posix_io *self, struct tp_posix_record *record,
                       int32_t *ret_value)
{
    *ret_value = accept_one(self, record);
    return *ret_value != -EAGAIN || tp_posix_wait(self, record, ret_value);
}

static bool try_accept_many(struct tp_posix_io *self, struct tp_posix_record *record,
                            int32_t *ret_value)
{
    int32_t value;

    do {
        value = accept_one(self, record);
        if (value >= 0)
            tp_io_complete(&self->io, record->request.handle, value, TP_MORE);
    } while (value >= 0 && tp_io_completions_room(&self->io) > 0);
    if (value >= 0) {
        tp_posix_try_later(self, record);
        return false;
    }
    *ret_value = value;
    return value != -EAGAIN || tp_posix_wait(self, record, ret_value);
}

/* ------------------------------------------------------------------ recv */

int32_t tp_posix_recv(int fd, void *memory, uint32_t len_bytes, bool *ret_cut)
{
    struct iovec part = {memory, len_bytes};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t got;

    do {
        got = recvmsg(fd, &header, 0);
    } while (got < 0 && errno == EINTR);
    *ret_cut = got >= 0 && (header.msg_flags & MSG_CTRUNC) != 0;
    return got < 0 ? error_of_call() : (int32_t)got;
}

static bool try_recv(struct tp_posix_io *self, struct tp_posix_record *record,
                     int32_t *ret_value)
{
    const struct tp_request *request = &record->request;
    bool cut;

    tp_loans_open(&self->io, request->handle);
    *ret_value =
        tp_posix_recv((int)request->fd.number, request->a.memory, request->len, &cut);
    tp_loans_close(&self->io, request->handle);
    return *ret_value != -EAGAIN || tp_posix_wait(self, record, ret_value);
}

/* ------------------------------------------------------------------ send */

static int32_t send_some(const struct tp_request *request)
{
    struct iovec parts[TP_BUFS_MAX];
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = request->len};

    if (request->kind == TP_SEND) {
        const ssize_t sent =
            send((int)request->fd.number, request->a.memory, request->len, MSG_NOSIGNAL);

        return sent < 0 ? error_of_call() : (int32_t)sent;
    }
    tp_assert(request->len > 0 && request->len <= TP_BUFS_MAX);
    for (uint32_t i = 0; i < request->len; i++) {
        parts[i].iov_base = request->a.bufs[i].data;
        parts[i].iov_len = request->a.bufs[i].len;
    }
    {
        const ssize_t sent = sendmsg((int)request->fd.number, &header, MSG_NOSIGNAL);

        return sent < 0 ? error_of_call() : (int32_t)sent;
    }
}

static bool try_send(struct tp_posix_io *self, struct tp_posix_record *record,
                     int32_t *ret_value)
{
    do {
        *ret_value = send_some(&record->request);
    } while (*ret_value == -EINTR);
    return *ret_value != -EAGAIN || tp_posix_wait(self, record, ret_value);
}

/* ------------------------------------------------------------------ datagrams */

static bool try_datagram(struct tp_posix_io *self, const struct tp_posix_record *record,
                         int32_t *ret_value)
{
    const struct tp_request *request = &record->request;
    const int fd = (int)request->fd.number;
    union tp_posix_side *side = tp_posix_side_of(&self->records, record);
    struct msghdr *header = tp_posix_datagram_prepare(side, request);
    ssize_t done;

    tp_loans_open(&self->io, request->handle);
    do {
        done = request->kind == TP_SEND_TO ? sendmsg(fd, header, MSG_NOSIGNAL)
                                           : recvmsg(fd, header, 0);
    } while (done < 0 && errno == EINTR);
    *ret_value = done < 0 ? error_of_call() : (int32_t)done;
    if (done >= 0 && request->kind == TP_RECV_FROM)
        tp_posix_datagram_received(side, request, *ret_value);
    tp_loans_close(&self->io, request->handle);
    return *ret_value != -EAGAIN;
}

/* ------------------------------------------------------------------ shutdown */

/* A Unix socket tells nobody that its own end has no more room to wait for: what waits to
 * be sent could only find that it cannot be any more. */
static int32_t shut_down(struct tp_posix_io *self, const struct tp_request *request)
{
    const int32_t result = tp_posix_run_service(request, NULL);
    struct tp_posix_list *senders =
        &self->files[request->fd.number].waits[TP_POSIX_WRITING];

    while (result == 0 && (request->flags & TP_SHUT_WRITE) != 0 && senders->count > 0) {
        struct tp_posix_record *record = tp_posix_record_at(&self->records, senders->first);

        tp_posix_stop_waiting(self, record);
        tp_posix_end_later(self, record, -EPIPE);
    }
    return result;
}

/* ------------------------------------------------------------------ signals */

/* Several that wait for one signal find it in turn: who comes too late waits on. */
static bool try_signal(struct tp_posix_io *self, struct tp_posix_record *record,
                       int32_t *ret_value)
{
    if (record->fd < 0) {
        *ret_value = tp_posix_signals_open(record->request.a.signals);
        if (*ret_value < 0)
            return true;
        record->fd = *ret_value;
    }
    *ret_value = (uint32_t)record->fd < self->files_count
                     ? tp_posix_signals_read(record->fd)
                     : -EMFILE;
    if (*ret_value == -EAGAIN && !tp_posix_wait(self, record, ret_value))
        return false;
    (void)tp_posix_close_fd(self, record->fd);
    record->fd = -1;
    return true;
}

/* ------------------------------------------------------------------ cached reads */

/* What is in memory needs no thread. One that brings less than was asked for may have come
 * to the end of the file or to what is not in memory: a thread knows. */
static bool try_read(struct tp_posix_io *self, struct tp_posix_record *record,
                     int32_t *ret_value)
{
    const struct tp_request *request = &record->request;
    const int32_t got = tp_posix_pread_cached((int)request->fd.number, request->a.memory,
                                              request->len, request->b.offset);

    /* EPERM: a sandbox hides the call; a thread has one that it does not. */
    const bool knows = got != -EOPNOTSUPP && got != -EPERM;

    *ret_value = got;
    if (knows && got != -EAGAIN && (got <= 0 || (uint32_t)got == request->len))
        return true;
    if (!knows)
        self->files[request->fd.number].cached = false;
    tp_posix_to_thread(self, record);
    return false;
}

/* ------------------------------------------------------------------ dispatch */

bool tp_posix_try(struct tp_posix_io *self, struct tp_posix_record *record,
                  int32_t *ret_value)
{
    if (is_over(self, record)) {
        *ret_value = -ECANCELED;
        return true;
    }
    if (is_behind(self, record))
        return tp_posix_wait(self, record, ret_value);
    switch (record->request.kind) {
    case TP_NOP:
        *ret_value = 0;
        return true;
    case TP_READ:
        return try_read(self, record, ret_value);
    case TP_CLOSE:
        return tp_posix_close(self, record, ret_value);
    case TP_CONNECT:
        return try_connect(self, record, ret_value);
    case TP_ACCEPT:
        return try_accept(self, record, ret_value);
    case TP_ACCEPT_MANY:
        return try_accept_many(self, record, ret_value);
    case TP_RECV:
        return try_recv(self, record, ret_value);
    case TP_RECV_MANY:
        return tp_posix_recv_many(self, record, ret_value);
    case TP_SEND:
    case TP_SEND_BUFS:
        return try_send(self, record, ret_value);
    case TP_SEND_TO:
    case TP_RECV_FROM:
        return try_datagram(self, record, ret_value) ||
               tp_posix_wait(self, record, ret_value);
    case TP_SIGNAL:
        return try_signal(self, record, ret_value);
    case TP_SHUTDOWN:
        *ret_value = shut_down(self, &record->request);
        return true;
    default:
        *ret_value = tp_posix_run_service(&record->request, NULL);
        return true;
    }
}
