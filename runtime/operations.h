/** runtime/operations.h - every operation, as a machine submits it.
 *
 * tp_open(cx, path, options), tp_read_at(cx, fd, &buf, offset) and so on: the arguments,
 * results and errors are those of the constructor of the same name in io/request.h. Each
 * gives a tp_op, claimed as op.h says, and carries the file and line of its call into every
 * report.
 */
#ifndef TEMPEST_RUNTIME_OPERATIONS_H
#define TEMPEST_RUNTIME_OPERATIONS_H

#include "op.h"

#define TP_OPERATION_(name, parameters, arguments)                \
    static inline struct tp_op tp_##name parameters {             \
        struct tp_request request_ = tp_request_##name arguments; \
        return (tp_submit)(cx, &request_);                        \
    }
#define TP_CX_ struct tp_ctx *cx
TP_OPERATION_(nop, (TP_CX_), ())
TP_OPERATION_(open, (TP_CX_, const char *path, struct tp_open_options options),
              (path, options))
TP_OPERATION_(open_in,
              (TP_CX_, struct tp_fd dir, const char *name, struct tp_open_options options),
              (dir, name, options))
TP_OPERATION_(close, (TP_CX_, struct tp_fd fd), (fd))
TP_OPERATION_(read_at, (TP_CX_, struct tp_fd fd, struct tp_buf *buf, uint64_t offset),
              (fd, buf, offset))
TP_OPERATION_(write_at, (TP_CX_, struct tp_fd fd, struct tp_buf *buf, uint64_t offset),
              (fd, buf, offset))
TP_OPERATION_(fsync, (TP_CX_, struct tp_fd fd, uint16_t flags), (fd, flags))
TP_OPERATION_(fstat, (TP_CX_, struct tp_fd fd, struct tp_statx *ret_statx), (fd, ret_statx))
TP_OPERATION_(stat, (TP_CX_, const char *path, struct tp_statx *ret_statx),
              (path, ret_statx))
TP_OPERATION_(lstat, (TP_CX_, const char *path, struct tp_statx *ret_statx),
              (path, ret_statx))
TP_OPERATION_(stat_in,
              (TP_CX_, struct tp_fd dir, const char *name, struct tp_statx *ret_statx),
              (dir, name, ret_statx))
TP_OPERATION_(truncate, (TP_CX_, struct tp_fd fd, uint64_t length_bytes),
              (fd, length_bytes))
TP_OPERATION_(fallocate,
              (TP_CX_, struct tp_fd fd, uint64_t offset, uint64_t length_bytes,
               uint16_t flags),
              (fd, offset, length_bytes, flags))
TP_OPERATION_(find_data,
              (TP_CX_, struct tp_fd fd, uint64_t offset, struct tp_extent *ret_extent),
              (fd, offset, ret_extent))
TP_OPERATION_(set_mode, (TP_CX_, struct tp_fd fd, uint32_t mode), (fd, mode))
TP_OPERATION_(lock, (TP_CX_, struct tp_fd fd), (fd))
TP_OPERATION_(list_dir, (TP_CX_, struct tp_fd dir, struct tp_buf *buf), (dir, buf))
TP_OPERATION_(rename, (TP_CX_, const char *from, const char *to), (from, to))
TP_OPERATION_(rename_in,
              (TP_CX_, struct tp_fd dir, const char *name, struct tp_fd to_dir,
               const char *to_name),
              (dir, name, to_dir, to_name))
TP_OPERATION_(remove, (TP_CX_, const char *path), (path))
TP_OPERATION_(remove_in, (TP_CX_, struct tp_fd dir, const char *name), (dir, name))
TP_OPERATION_(create_dir, (TP_CX_, const char *path, uint32_t mode), (path, mode))
TP_OPERATION_(create_dir_in, (TP_CX_, struct tp_fd dir, const char *name, uint32_t mode),
              (dir, name, mode))
TP_OPERATION_(create_dir_all, (TP_CX_, const char *path), (path))
TP_OPERATION_(remove_dir, (TP_CX_, const char *path), (path))
TP_OPERATION_(remove_dir_in, (TP_CX_, struct tp_fd dir, const char *name), (dir, name))
TP_OPERATION_(sync_dir, (TP_CX_, const char *path), (path))
TP_OPERATION_(symlink, (TP_CX_, const char *path, const char *target), (path, target))
TP_OPERATION_(symlink_in, (TP_CX_, struct tp_fd dir, const char *name, const char *target),
              (dir, name, target))
TP_OPERATION_(read_link, (TP_CX_, const char *path, struct tp_buf *buf), (path, buf))
TP_OPERATION_(read_link_in,
              (TP_CX_, struct tp_fd dir, const char *name, struct tp_buf *buf),
              (dir, name, buf))
TP_OPERATION_(listen,
              (TP_CX_, const struct tp_address *address, struct tp_socket_options options),
              (address, options))
TP_OPERATION_(connect,
              (TP_CX_, const struct tp_address *address, struct tp_socket_options options),
              (address, options))
TP_OPERATION_(accept, (TP_CX_, struct tp_fd listener), (listener))
TP_OPERATION_(accept_many, (TP_CX_, struct tp_fd listener), (listener))
TP_OPERATION_(recv, (TP_CX_, struct tp_fd fd, struct tp_buf *buf), (fd, buf))
TP_OPERATION_(recv_many, (TP_CX_, struct tp_fd fd), (fd))
TP_OPERATION_(send, (TP_CX_, struct tp_fd fd, struct tp_buf *buf), (fd, buf))
TP_OPERATION_(send_bufs,
              (TP_CX_, struct tp_fd fd, const struct tp_buf *bufs, uint32_t count),
              (fd, bufs, count))
TP_OPERATION_(shutdown, (TP_CX_, struct tp_fd fd, uint16_t how), (fd, how))
TP_OPERATION_(set_socket, (TP_CX_, struct tp_fd fd, struct tp_socket_options options),
              (fd, options))
TP_OPERATION_(local_address, (TP_CX_, struct tp_fd fd, struct tp_address *ret_address),
              (fd, ret_address))
TP_OPERATION_(peer_address, (TP_CX_, struct tp_fd fd, struct tp_address *ret_address),
              (fd, ret_address))
TP_OPERATION_(bind,
              (TP_CX_, const struct tp_address *address, struct tp_socket_options options),
              (address, options))
TP_OPERATION_(send_to,
              (TP_CX_, struct tp_fd fd, struct tp_buf *buf,
               const struct tp_address *address),
              (fd, buf, address))
TP_OPERATION_(recv_from,
              (TP_CX_, struct tp_fd fd, struct tp_buf *buf,
               struct tp_datagram *ret_datagram),
              (fd, buf, ret_datagram))
TP_OPERATION_(resolve, (TP_CX_, const char *name, struct tp_addresses *ret_addresses),
              (name, ret_addresses))
TP_OPERATION_(offload, (TP_CX_, int32_t (*work)(void *context), void *context),
              (work, context))
TP_OPERATION_(signal, (TP_CX_, uint32_t signals), (signals))
#undef TP_CX_
#undef TP_OPERATION_

#define tp_nop(cx)                 tp_nop(TP_HERE(cx))
#define tp_open(cx, ...)           tp_open(TP_HERE(cx), __VA_ARGS__)
#define tp_open_in(cx, ...)        tp_open_in(TP_HERE(cx), __VA_ARGS__)
#define tp_close(cx, ...)          tp_close(TP_HERE(cx), __VA_ARGS__)
#define tp_read_at(cx, ...)        tp_read_at(TP_HERE(cx), __VA_ARGS__)
#define tp_write_at(cx, ...)       tp_write_at(TP_HERE(cx), __VA_ARGS__)
#define tp_fsync(cx, ...)          tp_fsync(TP_HERE(cx), __VA_ARGS__)
#define tp_fstat(cx, ...)          tp_fstat(TP_HERE(cx), __VA_ARGS__)
#define tp_stat(cx, ...)           tp_stat(TP_HERE(cx), __VA_ARGS__)
#define tp_lstat(cx, ...)          tp_lstat(TP_HERE(cx), __VA_ARGS__)
#define tp_stat_in(cx, ...)        tp_stat_in(TP_HERE(cx), __VA_ARGS__)
#define tp_truncate(cx, ...)       tp_truncate(TP_HERE(cx), __VA_ARGS__)
#define tp_fallocate(cx, ...)      tp_fallocate(TP_HERE(cx), __VA_ARGS__)
#define tp_find_data(cx, ...)      tp_find_data(TP_HERE(cx), __VA_ARGS__)
#define tp_set_mode(cx, ...)       tp_set_mode(TP_HERE(cx), __VA_ARGS__)
#define tp_lock(cx, ...)           tp_lock(TP_HERE(cx), __VA_ARGS__)
#define tp_list_dir(cx, ...)       tp_list_dir(TP_HERE(cx), __VA_ARGS__)
#define tp_rename(cx, ...)         tp_rename(TP_HERE(cx), __VA_ARGS__)
#define tp_rename_in(cx, ...)      tp_rename_in(TP_HERE(cx), __VA_ARGS__)
#define tp_remove(cx, ...)         tp_remove(TP_HERE(cx), __VA_ARGS__)
#define tp_remove_in(cx, ...)      tp_remove_in(TP_HERE(cx), __VA_ARGS__)
#define tp_create_dir(cx, ...)     tp_create_dir(TP_HERE(cx), __VA_ARGS__)
#define tp_create_dir_in(cx, ...)  tp_create_dir_in(TP_HERE(cx), __VA_ARGS__)
#define tp_create_dir_all(cx, ...) tp_create_dir_all(TP_HERE(cx), __VA_ARGS__)
#define tp_remove_dir(cx, ...)     tp_remove_dir(TP_HERE(cx), __VA_ARGS__)
#define tp_remove_dir_in(cx, ...)  tp_remove_dir_in(TP_HERE(cx), __VA_ARGS__)
#define tp_sync_dir(cx, ...)       tp_sync_dir(TP_HERE(cx), __VA_ARGS__)
#define tp_symlink(cx, ...)        tp_symlink(TP_HERE(cx), __VA_ARGS__)
#define tp_symlink_in(cx, ...)     tp_symlink_in(TP_HERE(cx), __VA_ARGS__)
#define tp_read_link(cx, ...)      tp_read_link(TP_HERE(cx), __VA_ARGS__)
#define tp_read_link_in(cx, ...)   tp_read_link_in(TP_HERE(cx), __VA_ARGS__)
#define tp_listen(cx, ...)         tp_listen(TP_HERE(cx), __VA_ARGS__)
#define tp_connect(cx, ...)        tp_connect(TP_HERE(cx), __VA_ARGS__)
#define tp_accept(cx, ...)         tp_accept(TP_HERE(cx), __VA_ARGS__)
#define tp_accept_many(cx, ...)    tp_accept_many(TP_HERE(cx), __VA_ARGS__)
#define tp_recv(cx, ...)           tp_recv(TP_HERE(cx), __VA_ARGS__)
#define tp_recv_many(cx, ...)      tp_recv_many(TP_HERE(cx), __VA_ARGS__)
#define tp_send(cx, ...)           tp_send(TP_HERE(cx), __VA_ARGS__)
#define tp_send_bufs(cx, ...)      tp_send_bufs(TP_HERE(cx), __VA_ARGS__)
#define tp_shutdown(cx, ...)       tp_shutdown(TP_HERE(cx), __VA_ARGS__)
#define tp_set_socket(cx, ...)     tp_set_socket(TP_HERE(cx), __VA_ARGS__)
#define tp_local_address(cx, ...)  tp_local_address(TP_HERE(cx), __VA_ARGS__)
#define tp_peer_address(cx, ...)   tp_peer_address(TP_HERE(cx), __VA_ARGS__)
#define tp_bind(cx, ...)           tp_bind(TP_HERE(cx), __VA_ARGS__)
#define tp_send_to(cx, ...)        tp_send_to(TP_HERE(cx), __VA_ARGS__)
#define tp_recv_from(cx, ...)      tp_recv_from(TP_HERE(cx), __VA_ARGS__)
#define tp_resolve(cx, ...)        tp_resolve(TP_HERE(cx), __VA_ARGS__)
#define tp_offload(cx, ...)        tp_offload(TP_HERE(cx), __VA_ARGS__)
#define tp_signal(cx, ...)         tp_signal(TP_HERE(cx), __VA_ARGS__)

#endif
