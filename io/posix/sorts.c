#include "sorts_internal.h"

#include <errno.h>

enum tp_posix_sort tp_posix_sort_given(uint32_t kind)
{
    tp_assert((tp_kind_info[kind].traits & TP_GIVES_FD) != 0);
    if (kind == TP_OPEN)
        return TP_POSIX_FILE;
    return kind == TP_BIND ? TP_POSIX_DATAGRAMS : TP_POSIX_STREAM;
}

/* A system would let a datagram be received without its sender, and a shutdown fail and
 * have its effect all the same. */
static bool datagrams_answer(uint32_t kind, int32_t *ret_value)
{
    switch (kind) {
    case TP_ACCEPT:
    case TP_ACCEPT_MANY:
    case TP_RECV:
    case TP_RECV_MANY:
    case TP_SEND:
    case TP_SEND_BUFS:
        *ret_value = -EOPNOTSUPP;
        return true;
    case TP_SHUTDOWN:
        *ret_value = -ENOTCONN;
        return true;
    default:
        return false;
    }
}

bool tp_posix_sort_answers(enum tp_posix_sort sort, const struct tp_request *request,
                           int32_t *ret_value)
{
    const uint32_t kind = request->kind;

    if ((kind == TP_READ || kind == TP_WRITE) && sort != TP_POSIX_FILE) {
        *ret_value = -ESPIPE;
        return true;
    }
    if ((kind == TP_SEND_TO || kind == TP_RECV_FROM) && sort != TP_POSIX_DATAGRAMS) {
        *ret_value = sort == TP_POSIX_FILE ? -ENOTSOCK : -EOPNOTSUPP;
        return true;
    }
    if (sort == TP_POSIX_DATAGRAMS)
        return datagrams_answer(kind, ret_value);
    if (kind == TP_RECV && request->len == 0) {
        *ret_value = sort == TP_POSIX_FILE ? -ENOTSOCK : 0;
        return true;
    }
    return false;
}
