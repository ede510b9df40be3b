/** sm/replace_file.h - replaces a file atomically: its name holds the old content or the
 * new.
 *
 *     m->text = tp_buf_full(text, len);
 *     TP_AWAIT(cx, tp_replace_file_start(cx, &m->replace, tp_place_path("config"),
 * &m->text, NULL), &result);
 *
 * The content goes into a temporary beside the file, is synced, and takes the name by a
 * rename; then the directory is synced (staged.h). A file that was not there is made. On an
 * error or cancel the temporary is removed, and the file is as it was; when the error is
 * that of the last step, `failed_kind` is TP_SYNC_DIR, and the name holds the new content
 * now and either after a power cut.
 *
 * Durable when: it completes with 0, by default: the new content and its name would
 * survive. Until then a power cut leaves the old or the new content, never a mixture, never
 * nothing; with TP_DURABLE_NOT it may leave anything. A temporary may be left over
 * (tp_staged_is_temporary()).
 *
 * How it writes: content of up to 1 MiB through a fd opened dsync, more with one fsync at
 * the end.
 */
#ifndef TEMPEST_SM_REPLACE_FILE_H
#define TEMPEST_SM_REPLACE_FILE_H

#include "staged.h"
#include "write_all.h"

/** All zero: durable, and a new file's mode (0666 less the umask). */
struct tp_replace_options {
    uint32_t size;       /* of this struct; 0: as in version 0.1 */
    uint32_t durability; /* enum tp_durability */
    uint32_t mode;       /* with set_mode: the permission bits */
    bool set_mode;
    bool keep_mode; /* take the bits of the file that is replaced, if there is one */
    bool reserved[2];
};

/** Read `failed_kind` after an error; the rest is internal. */
struct tp_replace_file {
    struct tp_machine machine;
    uint32_t failed_kind; /* enum tp_kind of the operation that failed */
    int32_t error;
    struct tp_place place;
    const struct tp_buf *content;
    struct tp_replace_options options;
    struct tp_statx statx;
    struct tp_staged staged;
    struct tp_write_all write;
};

TP_BEGIN_DECLS

/** Starts it as a child. `place` is a path or a name in a directory; content->len bytes (at
 * most INT32_MAX) become the file. `content` and its bytes are lent until the end,
 * `options` is copied and may be NULL. Completes with 0 or the error of the operation that
 * failed. */
TP_EXPORT struct tp_op tp_replace_file_start(struct tp_ctx *cx,
                                             struct tp_replace_file *replace,
                                             struct tp_place place,
                                             const struct tp_buf *content,
                                             const struct tp_replace_options *options);

TP_END_DECLS

#define tp_replace_file_start(cx, ...) tp_replace_file_start(TP_HERE(cx), __VA_ARGS__)

#endif
