/** sm/staged.h - a file in the making: written under a temporary name, then named for good.
 *
 *     tp_staged_begin()    opens the directory, makes the temporary
 *     ... write to staged.fd as you like, all of it claimed ...
 *     tp_staged_commit()   mode, sync, close, rename, sync of the directory
 *     tp_staged_discard()  close, remove
 *
 * Each is a child that works on one struct tp_staged. Between begin and commit the name
 * holds what it held before; a reader sees the old file or the new, never a mixture.
 *
 * Errors: a begin or a commit that fails has removed its temporary. In a cancelled machine
 * no child runs at all, so the one rule is: unless the commit gave 0, discard, inside
 * tp_shield(). A discard that finds nothing to do is fine.
 *
 *     tp_shield(cx, true);
 *     TP_AWAIT(cx, tp_staged_discard(cx, &m->staged), &result);
 *     tp_shield(cx, false);
 *
 * A cancel that comes with the rename under way may be too late: then the commit ends with
 * -ECANCELED, and the name may be the new file's.
 *
 * Durable when: as the `durability` of the commit says. After a power cut in between, a
 * temporary may be left over; tp_staged_is_temporary() knows their names, and a program
 * that owns the directory removes them at its start.
 *
 * The name itself is replaced: where it is a symbolic link, the link is, not its target.
 */
#ifndef TEMPEST_SM_STAGED_H
#define TEMPEST_SM_STAGED_H

#include "durability.h"
#include "place.h"

/** Bytes of a temporary's name, its NUL included: ".tempest-" and 16 hexadecimal digits. */
enum { TP_TEMPORARY_NAME_BYTES = 26 };

/** The mode that a file is made with: 0666 less the umask. */
#define TP_MODE_DEFAULT UINT32_MAX

/** Read `fd` between begin and commit or discard, and `failed_kind` after an error. */
struct tp_staged {
    struct tp_machine machine;
    struct tp_fd
        fd; /* the temporary, open for writing; none before begin and after the end */
    struct tp_fd dir;
    const char *name;     /* in `dir`, what it is going to be called */
    uint32_t mode;        /* of the commit */
    uint32_t durability;  /* of the commit */
    uint32_t failed_kind; /* enum tp_kind of the operation that failed, with a result < 0 */
    uint32_t attempts;
    int32_t error;
    bool synced;  /* set it before the commit if the content is durable: no fsync then */
    bool own_dir; /* `dir` was opened here */
    bool made;    /* the temporary may be there */
    bool reserved;
    struct tp_open_options options;
    char temporary[TP_TEMPORARY_NAME_BYTES];
    char dir_path[TP_PATH_MAX];
};

TP_BEGIN_DECLS

/** Makes the temporary for `place` (by path or in a directory; a fd is a programming
 * error). Completes with 0; `fd` is then open with `options`, of which `direct`, `dsync`
 * and `read` are looked at. -EINVAL: the file system has no direct I/O. -EISDIR: the path
 * ends in '/'. -EEXIST: no free temporary name was found. The rest as open has it. */
TP_EXPORT struct tp_op tp_staged_begin(struct tp_ctx *cx, struct tp_staged *staged,
                                       struct tp_place place,
                                       struct tp_open_options options);

/** Gives the file its mode (TP_MODE_DEFAULT: as it is) and its name. Completes with 0; or
 * with the error of set_mode, fsync, close, rename, after which the old file is as it was;
 * or with that of the directory's sync, after which the name may or may not be the new
 * file's for good. */
TP_EXPORT struct tp_op tp_staged_commit(struct tp_ctx *cx, struct tp_staged *staged,
                                        uint32_t mode, enum tp_durability durability);

/** Closes and removes the temporary, if there is one; a begin was called before. Completes
 * with 0, or the error of the removal. */
TP_EXPORT struct tp_op tp_staged_discard(struct tp_ctx *cx, struct tp_staged *staged);

/** Whether `name` is one that tp_staged_begin() makes. */
TP_EXPORT bool tp_staged_is_temporary(const char *name);

TP_END_DECLS

#define tp_staged_begin(cx, ...)   tp_staged_begin(TP_HERE(cx), __VA_ARGS__)
#define tp_staged_commit(cx, ...)  tp_staged_commit(TP_HERE(cx), __VA_ARGS__)
#define tp_staged_discard(cx, ...) tp_staged_discard(TP_HERE(cx), __VA_ARGS__)

#endif
