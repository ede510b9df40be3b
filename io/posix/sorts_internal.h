/** io/posix/sorts_internal.h - what a fd is, and what its sort answers without being asked.
 */
#ifndef TEMPEST_IO_POSIX_SORTS_INTERNAL_H
#define TEMPEST_IO_POSIX_SORTS_INTERNAL_H

#include "io/request_net.h"

enum tp_posix_sort {
    TP_POSIX_FILE,      /* a directory, too, and whatever else open() gives */
    TP_POSIX_STREAM,    /* a socket, a listening one included */
    TP_POSIX_DATAGRAMS, /* a socket that bind() gave */
};

/** Of the fd that an operation with TP_GIVES_FD gives. */
enum tp_posix_sort tp_posix_sort_given(uint32_t kind);

/** Whether no call is needed to know what comes of it: a sort of fd that does not take such
 * an operation, or one that asks for nothing. True: `ret_value` is the result. */
bool tp_posix_sort_answers(enum tp_posix_sort sort, const struct tp_request *request,
                           int32_t *ret_value);

#endif
