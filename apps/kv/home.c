#include "apps/kv/home.h"

#include <errno.h>
#include <string.h>

#include "io/mark.h"
#include "runtime/await.h"
#include "sm/staged.h"

#define PATIENCE_NS UINT64_C(2000000000)
#define PAUSE_NS    UINT64_C(20000000)

enum { LONGEST_NAME = 64 }; /* that is put behind the path, and more */

static bool refuse(struct kv_home *h, int32_t error, const char *what, const char *which)
{
    tp_assert(error < 0);
    h->error = error;
    h->what = what;
    h->which = which;
    return false;
}

/* ------------------------------------------------------------------ making the directory
 */

static struct tp_op open_dir(struct tp_ctx *cx, const struct kv_home *h)
{
    struct tp_open_options options = {.read = true};

    return tp_open(cx, h->path, options);
}

/* Goes on to the next component; false: that was the last. `part` is the path up to it. */
static bool next_part(struct kv_home *h)
{
    size_t len = strlen(h->path);
    size_t at = h->len;

    while (at < len && h->path[at] == '/')
        at++;
    while (at < len && h->path[at] != '/')
        at++;
    if (at == h->len || h->path[at - 1] == '/')
        return false;
    memcpy(h->part, h->path, at);
    h->part[at] = '\0';
    h->len = at;
    return true;
}

/* Cuts `part` down to the directory that the component is in. */
static const char *above(struct kv_home *h)
{
    size_t at = h->len;

    while (at > 0 && h->part[at - 1] != '/')
        at--;
    if (at == 0)
        return ".";
    while (at > 1 && h->part[at - 1] == '/')
        at--;
    h->part[at] = '\0';
    return h->part;
}

/* What is in the directory is nobody else's business. */
static struct tp_op make_part(struct tp_ctx *cx, const struct kv_home *h)
{
    size_t rest = strspn(h->path + h->len, "/");

    return tp_create_dir(cx, h->part, h->path[h->len + rest] == '\0' ? 0700 : 0777);
}

static bool check_made(struct kv_home *h, int32_t value)
{
    if (value < 0 && value != -EEXIST)
        return refuse(h, value, "cannot be made", "");
    h->made_one = value == 0;
    return true;
}

/* One that may not be opened was not made by us, in no run before this one either. */
static bool check_synced(struct kv_home *h, int32_t value)
{
    bool strange = !h->made_one && (value == -EACCES || value == -EPERM || value == -EROFS);

    if (value < 0 && !strange)
        return refuse(h, value, "cannot be made durable", "");
    return true;
}

/* Makes the components that are missing. Each is made durable in the one above, even if it
 * is there: whoever made it may have been killed before. */
static enum tp_step make_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_home *h = tp_container_of(machine, struct kv_home, worker);
    struct tp_result result;

    TP_BEGIN(cx);
    while (next_part(h)) {
        TP_AWAIT(cx, make_part(cx, h), &result);
        if (!check_made(h, result.value))
            break;
        TP_AWAIT(cx, tp_sync_dir(cx, above(h)), &result);
        if (!check_synced(h, result.value))
            break;
    }
    return tp_end(machine, h->error);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the lock */

static struct tp_op open_lock(struct tp_ctx *cx, const struct kv_home *h)
{
    struct tp_open_options options = {.read = true};

    options.write = !h->read_only;
    options.create = !h->read_only;
    return tp_open_in(cx, h->dir, KV_HOME_LOCK, options);
}

/* Whether the lock is to be tried once more, in a while. */
static bool tries_again(struct tp_ctx *cx, struct kv_home *h, int32_t value)
{
    uint64_t now_ns = tp_now_ns(cx);

    if (value == 0)
        return false;
    if (value == -EAGAIN && now_ns < h->until_ns && !tp_cancelled(cx)) {
        tp_reached("the lock of a killed server is waited for");
        return true;
    }
    return refuse(h, value,
                  value == -EAGAIN ? "is used by another server" : "cannot be locked",
                  value == -EAGAIN ? "" : KV_HOME_LOCK);
}

/* ------------------------------------------------------------------ what a crash has left
 */

static bool listed(struct kv_home *h, int32_t value)
{
    h->entry = NULL;
    if (value < 0)
        return refuse(h, value, "cannot be listed", "");
    return value > 0;
}

/* The next temporary in what was listed. */
static const char *next_temporary(struct kv_home *h)
{
    while ((h->entry = tp_dir_next(&h->list, h->entry)) != NULL) {
        if (tp_staged_is_temporary(tp_dir_entry_name(h->entry)))
            return tp_dir_entry_name(h->entry);
    }
    return NULL;
}

static void take_removal(struct kv_home *h, int32_t value)
{
    if (value < 0 && value != -ENOENT)
        (void)refuse(h, value, "a file that a crash has left cannot be removed", "");
    tp_sometimes(value == 0, "a temporary file that a crash has left is removed");
    h->removed += value == 0;
}

static enum tp_step clear_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_home *h = tp_container_of(machine, struct kv_home, worker);
    struct tp_result result;

    TP_BEGIN(cx);
    h->list = tp_buf_empty(h->list_bytes, sizeof h->list_bytes);
    do {
        TP_AWAIT(cx, tp_list_dir(cx, h->dir, &h->list), &result);
        if (!listed(h, result.value))
            break;
        while ((h->name = next_temporary(h)) != NULL && h->error == 0) {
            TP_AWAIT(cx, tp_remove_in(cx, h->dir, h->name), &result);
            take_removal(h, result.value);
        }
    } while (h->error == 0);
    return tp_end(machine, h->error);
    TP_END(cx);
}

/* ------------------------------------------------------------------ the machine */

static enum tp_step finish(struct tp_ctx *cx, struct kv_home *h)
{
    if (h->error == 0 && tp_cancelled(cx))
        (void)refuse(h, -ECANCELED, "stopped", "");
    if (h->error < 0) {
        if (tp_fd_is_some(h->lock))
            tp_detach(cx, tp_close(cx, h->lock));
        if (tp_fd_is_some(h->dir))
            tp_detach(cx, tp_close(cx, h->dir));
        h->lock = h->dir = tp_fd_none();
    }
    return tp_end(&h->machine, h->error);
}

static bool take_dir(struct tp_ctx *cx, struct kv_home *h, struct tp_result result)
{
    if (result.value < 0)
        return refuse(h, result.value, "cannot be opened", "");
    h->dir = tp_into_fd(cx, result);
    return true;
}

/* Whether there is a lock to be taken. */
static bool take_lock(struct tp_ctx *cx, struct kv_home *h, struct tp_result result)
{
    if (result.value == -ENOENT && h->read_only)
        return false;
    if (result.value < 0)
        return refuse(h, result.value, "cannot be opened", KV_HOME_LOCK);
    h->lock = tp_into_fd(cx, result);
    h->until_ns =
        h->patience_ns == TP_NEVER
            ? 0
            : tp_now_ns(cx) + (h->patience_ns == 0 ? PATIENCE_NS : h->patience_ns);
    return true;
}

static enum tp_step home_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct kv_home *h = tp_container_of(machine, struct kv_home, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    if (strlen(h->path) + LONGEST_NAME > TP_PATH_MAX) {
        (void)refuse(h, -ENAMETOOLONG, "has too long a path", "");
        return finish(cx, h);
    }
    if (!h->read_only) {
        TP_AWAIT(cx, (tp_start)(cx, &h->worker, make_tick, "kv-home-make"), &result);
        if (h->error < 0)
            return finish(cx, h);
    }
    TP_AWAIT(cx, open_dir(cx, h), &result);
    if (!take_dir(cx, h, result))
        return finish(cx, h);
    TP_AWAIT(cx, open_lock(cx, h), &result);
    if (take_lock(cx, h, result)) {
        for (;;) {
            TP_AWAIT(cx, tp_lock(cx, h->lock), &result);
            if (!tries_again(cx, h, result.value))
                break;
            TP_AWAIT(cx, tp_timer(cx, PAUSE_NS), &result);
        }
    }
    if (h->error < 0 || h->read_only)
        return finish(cx, h);
    TP_AWAIT(cx, (tp_start)(cx, &h->worker, clear_tick, "kv-home-clear"), &result);
    if (h->error < 0)
        return finish(cx, h);
    TP_AWAIT(cx, tp_create_dir_in(cx, h->dir, KV_HOME_LOG, 0700), &result);
    if (result.value < 0 && result.value != -EEXIST) {
        (void)refuse(h, result.value, "cannot be made", KV_HOME_LOG);
        return finish(cx, h);
    }
    TP_AWAIT(cx, tp_fsync(cx, h->dir, 0), &result);
    if (result.value < 0)
        (void)refuse(h, result.value, "cannot be made durable", "");
    return finish(cx, h);
    TP_END(cx);
}

struct tp_op kv_home_start(struct tp_ctx *cx, struct kv_home *home)
{
    tp_assert(home->path != NULL && home->error == 0);
    return (tp_start)(cx, &home->machine, home_tick, "kv-home");
}
