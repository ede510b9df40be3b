#include "sm/place.h"

struct tp_op(tp_place_open)(struct tp_ctx *cx, struct tp_place place,
                            struct tp_open_options options)
{
    tp_assert(!tp_place_is_open(place) && place.path != NULL);
    if (tp_fd_is_some(place.dir))
        return (tp_open_in)(cx, place.dir, place.path, options);
    return (tp_open)(cx, place.path, options);
}
