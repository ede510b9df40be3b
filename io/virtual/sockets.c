/* What operations on sockets do to the network, at the moment at which they take effect. */
#include "virtual_internal.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"
#include "io/loans.h"
#include "io/recv_pool.h"

static struct tp_vfile *file_of(const struct tp_virtual *v, const struct tp_flight *f)
{
    return tp_vfile_at(v, f->file);
}

void tp_socket_is_ready(void *context, uint32_t file, uint32_t ready)
{
    struct tp_virtual *v = context;

    if ((ready & TP_NET_IN) != 0)
        tp_wake_all(v, &tp_vfile_at(v, file)->in);
    if ((ready & TP_NET_OUT) != 0)
        tp_wake_all(v, &tp_vfile_at(v, file)->out);
}

/* Gives a new socket its number, and says whose it is. */
static uint32_t open_socket(struct tp_virtual *v, uint32_t number, uint32_t socket,
                            uint32_t inode)
{
    uint32_t file = tp_files_open_socket(v, number, socket, inode);

    tp_net_own(v->net, socket, file);
    return file;
}

/* ------------------------------------------------------------------ listen, connect,
 * accept */

static int32_t listen_path(struct tp_virtual *v, const struct tp_flight *f,
                           uint32_t *ret_socket, uint32_t *ret_inode)
{
    int64_t inode = tp_tree_make_socket(v->disk, f->address.at.path, tp_effect_wall_ns(v));

    if (inode < 0)
        return (int32_t)inode;
    tp_name_log_writeback(v->disk, v->tape, v->config.node);
    *ret_inode = (uint32_t)inode;
    return tp_net_listen_path(v->net, v->host, (uint32_t)inode, &f->address,
                              &f->request.b.socket, ret_socket);
}

static int32_t effect_listen(struct tp_virtual *v, const struct tp_flight *f)
{
    uint32_t number = tp_files_lowest(v);
    uint32_t socket = 0, inode = 0;
    int32_t error;

    if (number == UINT32_MAX)
        return -EMFILE;
    if (f->address.family == TP_ADDRESS_UNIX)
        error = listen_path(v, f, &socket, &inode);
    else
        error = tp_net_listen(v->net, v->host, &f->address, &f->request.b.socket, &socket);
    if (error < 0)
        return error;
    (void)open_socket(v, number, socket, inode);
    return (int32_t)number;
}

static int32_t connect_path(struct tp_virtual *v, const struct tp_flight *f,
                            uint32_t *ret_socket)
{
    int64_t inode = tp_path_find(v->disk, TP_ROOT, f->address.at.path, TP_WALK_FOLLOW);

    if (inode < 0)
        return (int32_t)inode;
    if (tp_inode_at(v->disk, (uint32_t)inode)->kind != TP_FILE_SOCKET)
        return -ECONNREFUSED;
    return tp_net_connect_path(v->net, v->host, (uint32_t)inode, &f->request.b.socket,
                               ret_socket);
}

static int32_t begin_connect(struct tp_virtual *v, struct tp_flight *f)
{
    uint32_t number = tp_files_lowest(v);
    uint32_t socket;
    int32_t error;

    if (number == UINT32_MAX)
        return -EMFILE;
    if (f->address.family == TP_ADDRESS_UNIX)
        error = connect_path(v, f, &socket);
    else
        error = tp_net_connect(v->net, v->host, &f->address, &f->request.b.socket, &socket);
    if (error < 0)
        return error;
    f->file = open_socket(v, number, socket, 0);
    f->number = number;
    tp_vfile_at(v, f->file)->refs++;
    return 0;
}

/* The first time it begins, the next it looks what came of it. */
static int32_t effect_connect(struct tp_virtual *v, struct tp_flight *f)
{
    int32_t error = f->file == 0 ? begin_connect(v, f) : 0;

    if (error < 0)
        return error;
    error = tp_net_connected(v->net, file_of(v, f)->socket);
    if (error == -EAGAIN)
        error = tp_wait_in(v, f, &file_of(v, f)->out);
    if (error == TP_NOT_YET)
        return TP_NOT_YET;
    if (error < 0) {
        tp_files_close(v, f->number);
        return error;
    }
    return (int32_t)f->number;
}

void tp_socket_effect_failed(struct tp_virtual *v, struct tp_flight *f)
{
    if (f->request.kind == TP_CONNECT && f->file != 0 && v->numbers[f->number] == f->file)
        tp_files_close(v, f->number); /* unless that is how it came to fail */
}

/* Linux looks for a number first, whether or not somebody has called. */
int32_t tp_accept_one(struct tp_virtual *v, const struct tp_flight *f)
{
    uint32_t number = tp_files_lowest(v);
    uint32_t listener = file_of(v, f)->socket;
    uint32_t socket;
    int32_t error;

    if (!file_of(v, f)->is_socket)
        return -ENOTSOCK;
    if (listener == 0)
        return -ECANCELED;
    if (number == UINT32_MAX)
        return -EMFILE;
    error = tp_net_accept(v->net, listener, &socket);
    if (error < 0)
        return error == -EAGAIN ? TP_NOT_YET : error;
    (void)open_socket(v, number, socket, 0);
    return (int32_t)number;
}

static int32_t effect_accept(struct tp_virtual *v, struct tp_flight *f)
{
    int32_t result = tp_accept_one(v, f);

    return result == TP_NOT_YET ? tp_wait_in(v, f, &file_of(v, f)->in) : result;
}

/* ------------------------------------------------------------------ receive, send */

/* How many of `len` bytes a fault or a cancel lets through. */
static uint32_t let_through(struct tp_virtual *v, const struct tp_flight *f, uint32_t len)
{
    if (f->falls_short && len > 1)
        len -= 1 + (uint32_t)tp_tape_draw(v->tape, v->stream_fault, TP_DRAW_SHORT, len - 1);
    return f->limit != 0 && f->limit < len ? f->limit : len;
}

static int32_t effect_recv(struct tp_virtual *v, struct tp_flight *f)
{
    int32_t there = tp_net_readable(v->net, file_of(v, f)->socket);
    uint32_t len;

    if (there == -EAGAIN)
        return tp_wait_in(v, f, &file_of(v, f)->in);
    if (there <= 0 || f->request.len == 0)
        return there < 0 ? there : 0;
    len = (uint32_t)there < f->request.len ? (uint32_t)there : f->request.len;
    len = let_through(v, f, len);
    tp_loans_open(&v->io, f->request.handle);
    tp_net_recv(v->net, file_of(v, f)->socket, f->request.a.memory, len);
    if (v->traces)
        f->payload = tp_hash(f->request.a.memory, len, 0);
    tp_loans_close(&v->io, f->request.handle);
    return (int32_t)len;
}

int32_t tp_recv_one(struct tp_virtual *v, struct tp_flight *f, uint32_t *ret_buf,
                    uint64_t *ret_payload)
{
    struct tp_recv_pool *pool = v->io.recv_bufs;
    uint32_t socket = file_of(v, f)->socket;
    uint32_t index, len;
    int32_t there;

    if (!file_of(v, f)->is_socket)
        return -ENOTSOCK;
    if (socket == 0)
        return -ECANCELED;
    there = tp_net_readable(v->net, socket);
    if (there <= 0)
        return there == -EAGAIN ? TP_NOT_YET : there;
    if (!tp_recv_pool_take(pool, &index))
        return TP_NO_BUF;
    len = (uint32_t)there < pool->size_bytes ? (uint32_t)there : pool->size_bytes;
    len = let_through(v, f, len);
    tp_recv_pool_open(pool, index);
    tp_net_recv(v->net, socket, pool->items[index].buf.data, len);
    if (v->traces)
        *ret_payload = tp_hash(pool->items[index].buf.data, len, 0);
    *ret_buf = index + 1;
    return (int32_t)len;
}

/* The buffers of a send, one or several. */
static const struct tp_buf *bufs_of(const struct tp_flight *f, struct tp_buf *one,
                                    uint32_t *ret_count)
{
    if (f->request.kind == TP_SEND_BUFS) {
        *ret_count = f->request.len;
        return f->request.a.bufs;
    }
    *one = tp_buf_full(f->request.a.memory, f->request.len);
    *ret_count = 1;
    return one;
}

uint64_t tp_socket_lent_hash(const struct tp_request *request)
{
    uint64_t hash = 0;

    if (request->kind != TP_SEND_BUFS)
        return tp_hash(request->a.memory, request->len, 0);
    for (uint32_t i = 0; i < request->len; i++)
        hash = tp_hash(request->a.bufs[i].data, request->a.bufs[i].len, hash);
    return hash;
}

static int32_t effect_send(struct tp_virtual *v, struct tp_flight *f)
{
    uint32_t socket = file_of(v, f)->socket;
    struct tp_buf one;
    uint32_t count, left;
    const struct tp_buf *bufs = bufs_of(f, &one, &count);
    uint64_t total = 0;
    int32_t room;

    for (uint32_t i = 0; i < count; i++)
        total += bufs[i].len;
    room = tp_net_writable(v->net, socket, total < INT32_MAX ? (uint32_t)total : INT32_MAX);
    if (room == -EAGAIN)
        return tp_wait_in(v, f, &file_of(v, f)->out);
    if (room <= 0)
        return room;
    room = (int32_t)let_through(v, f, (uint32_t)room);
    left = (uint32_t)room;
    for (uint32_t i = 0; i < count && left > 0; i++) {
        uint32_t part = bufs[i].len < left ? bufs[i].len : left;

        tp_net_send(v->net, socket, bufs[i].data, part);
        if (v->traces)
            f->payload = tp_hash(bufs[i].data, part, f->payload);
        left -= part;
    }
    tp_net_push(v->net, socket);
    return room;
}

/* ------------------------------------------------------------------ all */

static int32_t effect_address(struct tp_virtual *v, struct tp_flight *f)
{
    struct tp_address address;
    int32_t error = tp_net_address(v->net, file_of(v, f)->socket,
                                   (f->request.flags & TP_PEER) != 0, &address);

    if (error < 0)
        return error;
    f->payload = tp_trace_address(&address);
    tp_effect_give(v, f, &address, sizeof address);
    return 0;
}

static int32_t effect_on_socket(struct tp_virtual *v, struct tp_flight *f)
{
    uint32_t socket = file_of(v, f)->socket;

    if (!file_of(v, f)->is_socket)
        return -ENOTSOCK;
    if (socket == 0)
        return -ECANCELED;
    switch (f->request.kind) {
    case TP_ACCEPT:
        return effect_accept(v, f);
    case TP_RECV:
        return effect_recv(v, f);
    case TP_SEND:
    case TP_SEND_BUFS:
        return effect_send(v, f);
    case TP_SHUTDOWN:
        return tp_net_shutdown(v->net, socket, (f->request.flags & TP_SHUT_READ) != 0,
                               (f->request.flags & TP_SHUT_WRITE) != 0);
    case TP_SET_SOCKET:
        tp_net_set_options(v->net, socket, &f->request.b.socket);
        return 0;
    case TP_SOCKET_ADDRESS:
        return effect_address(v, f);
    default:
        tp_unreachable();
    }
}

int32_t tp_socket_effect(struct tp_virtual *v, struct tp_flight *f)
{
    switch (f->request.kind) {
    case TP_LISTEN:
        return effect_listen(v, f);
    case TP_CONNECT:
        return effect_connect(v, f);
    default:
        return effect_on_socket(v, f);
    }
}

int32_t tp_socket_as_file(struct tp_virtual *v, struct tp_flight *f)
{
    struct tp_statx statx = {.kind = TP_FILE_OTHER, .mode = 0777, .links = 1, .device = 2};

    if ((f->request.flags & TP_IN_DIR) != 0)
        return -ENOTDIR;
    switch (f->request.kind) {
    case TP_READ:
    case TP_WRITE:
    case TP_FIND_DATA:
        return -ESPIPE;
    case TP_FSTAT:
        statx.inode = f->file;
        f->payload = tp_trace_statx(&statx);
        tp_effect_give(v, f, &statx, sizeof statx);
        return 0;
    case TP_SET_MODE:
    case TP_LOCK:
        return 0;
    case TP_FALLOCATE:
        return -ENODEV;
    case TP_LIST_DIR:
        return -ENOTDIR;
    default: /* fsync, truncate */
        return -EINVAL;
    }
}
