/** sm/place.h - where a file is: an open fd, one name in an open directory, or a path.
 *
 * Every ready-made machine takes places, so that each can work on a file that its caller
 * has opened, inside a tree without ever following a link out of it, or simply on a path.
 * The text of a path or name is not copied: it must stay until the machine has ended.
 */
#ifndef TEMPEST_SM_PLACE_H
#define TEMPEST_SM_PLACE_H

#include "../runtime/operations.h"

/** One of the three forms; made by the constructors below. */
struct tp_place {
    struct tp_fd fd;  /* an open file, which stays open and the caller's; or none */
    struct tp_fd dir; /* the open directory that `path` is one name in; or none */
    const char *path; /* NULL with `fd` */
};

/** A file that is open already. The machine that gets it never closes it. */
static inline struct tp_place tp_place_fd(struct tp_fd fd)
{
    struct tp_place place = {fd, {0, 0}, NULL};
    return place;
}

/** A path, resolved as the system does. */
static inline struct tp_place tp_place_path(const char *path)
{
    struct tp_place place = {{0, 0}, {0, 0}, path};
    return place;
}

/** One name in the open directory `dir`; a symbolic link of that name is never followed. */
static inline struct tp_place tp_place_in(struct tp_fd dir, const char *name)
{
    struct tp_place place = {{0, 0}, dir, name};
    return place;
}

/** Whether the place is a file that its caller has opened. */
static inline bool tp_place_is_open(struct tp_place place)
{
    return tp_fd_is_some(place.fd);
}

TP_BEGIN_DECLS

/** Opens a place that is not open yet (asserted). Claimed like tp_open(). */
TP_EXPORT struct tp_op tp_place_open(struct tp_ctx *cx, struct tp_place place,
                                     struct tp_open_options options);

TP_END_DECLS

#define tp_place_open(cx, ...) tp_place_open(TP_HERE(cx), __VA_ARGS__)

#endif
