/** io/kind.h - the table of kinds: every operation there is, with its traits.
 *
 * The laws are enforced from this table alone: no other place decides by kind who owns a
 * result, who may touch memory, or what is still allowed after cancel. A new operation is
 * one row here, one constructor in request.h, one wrapper in runtime/operations.h, and its
 * work in each backend.
 */
#ifndef TEMPEST_IO_KIND_H
#define TEMPEST_IO_KIND_H

#include "base.h"

enum tp_kind_trait {
    TP_GIVES_FD = 1, /* a result >= 0 owns a fd: whoever drops it must close it */
    TP_LENDS_IN =
        2, /* the world writes the memory: one loan at a time, nobody else touches it */
    TP_LENDS_OUT =
        4, /* the world reads it: such loans overlap and may be read, never written */
    TP_CLEANUP = 8,   /* still allowed after cancel */
    TP_WAITS = 16,    /* may wait for a peer for ever: bounded by the op table only */
    TP_MANY = 32,     /* multishot: many completions, the last one without TP_MORE */
    TP_TAKES_FD = 64, /* `fd` must be an open one, or the result is -EBADF */
    TP_TAKES_PATH =
        128, /* `path` is copied at submission; with `fd` set it is one name in it */
    TP_NOT_IO = 256,         /* made by the runtime itself; a backend never sees it */
    TP_NEVER_WAITS = 512,    /* not held back by the cap on operations in flight (law 7) */
    TP_TAKES_ADDRESS = 1024, /* `a.address` is copied at submission */
    TP_GIVES_BUF = 2048,     /* a completion carries a receive buffer, to be given back */
    TP_PATH_IN_B = 4096,   /* with TP_TAKES_PATH: it is `b.path`, since `a` lends memory */
    TP_TAKES_OTHER = 8192, /* arguments of another sort, to be looked at as well */
    TP_ADDRESS_IN_B =
        16384, /* with TP_TAKES_ADDRESS: it is `b.address`, since `a` lends memory */
    TP_LENDS_DATAGRAM = 32768, /* with TP_LENDS_IN: `b.datagram` is lent as well */
};

/*   kind            name              traits */
#define TP_KIND_TABLE(X)                                                                   \
    X(TP_NOP, "nop", 0)                                                                    \
    X(TP_OPEN, "open", TP_TAKES_PATH | TP_GIVES_FD)                                        \
    X(TP_CLOSE, "close", TP_TAKES_FD | TP_CLEANUP | TP_NEVER_WAITS)                        \
    X(TP_READ, "read", TP_TAKES_FD | TP_LENDS_IN)                                          \
    X(TP_WRITE, "write", TP_TAKES_FD | TP_LENDS_OUT)                                       \
    X(TP_FSYNC, "fsync", TP_TAKES_FD)                                                      \
    X(TP_FSTAT, "fstat", TP_TAKES_FD | TP_LENDS_IN)                                        \
    X(TP_TRUNCATE, "truncate", TP_TAKES_FD)                                                \
    X(TP_FALLOCATE, "fallocate", TP_TAKES_FD)                                              \
    X(TP_FIND_DATA, "find_data", TP_TAKES_FD | TP_LENDS_IN)                                \
    X(TP_SET_MODE, "set_mode", TP_TAKES_FD)                                                \
    X(TP_LIST_DIR, "list_dir", TP_TAKES_FD | TP_LENDS_IN)                                  \
    X(TP_STAT, "stat", TP_TAKES_PATH | TP_PATH_IN_B | TP_LENDS_IN)                         \
    X(TP_RENAME, "rename", TP_TAKES_PATH)                                                  \
    X(TP_REMOVE, "remove", TP_TAKES_PATH | TP_CLEANUP)                                     \
    X(TP_CREATE_DIR, "create_dir", TP_TAKES_PATH)                                          \
    X(TP_CREATE_DIR_ALL, "create_dir_all", TP_TAKES_PATH)                                  \
    X(TP_REMOVE_DIR, "remove_dir", TP_TAKES_PATH | TP_CLEANUP)                             \
    X(TP_SYNC_DIR, "sync_dir", TP_TAKES_PATH)                                              \
    X(TP_SYMLINK, "symlink", TP_TAKES_PATH)                                                \
    X(TP_READ_LINK, "read_link", TP_TAKES_PATH | TP_PATH_IN_B | TP_LENDS_IN)               \
    X(TP_CANCEL, "cancel", TP_CLEANUP | TP_NEVER_WAITS)                                    \
    X(TP_LOCK, "lock", TP_TAKES_FD)                                                        \
    X(TP_LISTEN, "listen", TP_TAKES_ADDRESS | TP_GIVES_FD)                                 \
    X(TP_CONNECT, "connect", TP_TAKES_ADDRESS | TP_GIVES_FD | TP_WAITS)                    \
    X(TP_ACCEPT, "accept", TP_TAKES_FD | TP_GIVES_FD | TP_WAITS)                           \
    X(TP_ACCEPT_MANY, "accept_many", TP_TAKES_FD | TP_GIVES_FD | TP_WAITS | TP_MANY)       \
    X(TP_RECV, "recv", TP_TAKES_FD | TP_LENDS_IN | TP_WAITS)                               \
    X(TP_RECV_MANY, "recv_many", TP_TAKES_FD | TP_GIVES_BUF | TP_WAITS | TP_MANY)          \
    X(TP_SEND, "send", TP_TAKES_FD | TP_LENDS_OUT | TP_WAITS)                              \
    X(TP_SEND_BUFS, "send_bufs", TP_TAKES_FD | TP_LENDS_OUT | TP_WAITS)                    \
    X(TP_SHUTDOWN, "shutdown", TP_TAKES_FD | TP_CLEANUP | TP_NEVER_WAITS)                  \
    X(TP_SET_SOCKET, "set_socket", TP_TAKES_FD)                                            \
    X(TP_SOCKET_ADDRESS, "socket_address", TP_TAKES_FD | TP_LENDS_IN)                      \
    X(TP_RESOLVE, "resolve", TP_TAKES_PATH | TP_PATH_IN_B | TP_LENDS_IN)                   \
    X(TP_OFFLOAD, "offload", TP_TAKES_OTHER)                                               \
    X(TP_SIGNAL, "signal", TP_WAITS | TP_TAKES_OTHER)                                      \
    X(TP_BIND, "bind", TP_TAKES_ADDRESS | TP_GIVES_FD)                                     \
    X(TP_SEND_TO, "send_to",                                                               \
      TP_TAKES_FD | TP_LENDS_OUT | TP_TAKES_ADDRESS | TP_ADDRESS_IN_B | TP_WAITS)          \
    X(TP_RECV_FROM, "recv_from", TP_TAKES_FD | TP_LENDS_IN | TP_LENDS_DATAGRAM | TP_WAITS) \
    X(TP_TIMER, "timer", TP_NOT_IO)                                                        \
    X(TP_CHILD, "child", TP_NOT_IO)

enum tp_kind {
#define TP_KIND_ENUM(kind, name, traits) kind,
    TP_KIND_TABLE(TP_KIND_ENUM)
#undef TP_KIND_ENUM
        TP_KINDS
};

struct tp_kind_info {
    const char *name;
    uint32_t traits; /* of enum tp_kind_trait */
};

TP_BEGIN_DECLS

/** The traits of each kind, indexed by enum tp_kind. */
TP_EXPORT extern const struct tp_kind_info tp_kind_info[TP_KINDS];

TP_END_DECLS

#endif
