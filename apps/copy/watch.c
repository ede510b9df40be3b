#include "apps/copy/watch.h"

#include <stdio.h>

#include "apps/common/bar.h"
#include "apps/common/say.h"
#include "apps/common/signals.h"
#include "apps/copy/task.h"
#include "runtime/op.h"

static const uint64_t bar_period_ns = UINT64_C(100) * 1000 * 1000;
static const uint64_t line_period_ns = UINT64_C(5) * 1000 * 1000 * 1000;
static const uint64_t quiet_period_ns = UINT64_C(3600) * 1000 * 1000 * 1000;

/* Bytes of files that are done, and of those that are not. */
static uint64_t bytes_done(const struct copy *copy)
{
    uint64_t bytes = copy->totals.bytes;

    if (copy->phase == COPY_VERIFYING)
        return copy->totals.verified_bytes;
    for (uint32_t i = 0; i < copy->settings->jobs; i++) {
        if (copy->tasks[i].copying)
            bytes += copy->tasks[i].copy_file.bytes;
    }
    return bytes;
}

static void draw(const struct copy_watch *watch, uint64_t elapsed_ns)
{
    const struct copy *copy = watch->copy;
    const struct copy_totals *totals = &copy->totals;
    bool verifying = copy->phase == COPY_VERIFYING;
    char count[APP_TEXT_BYTES], what[APP_TEXT_BYTES + 32];
    struct app_bar bar = {
        .done_bytes = bytes_done(copy),
        .total_bytes = verifying ? totals->bytes : watch->total->copy.totals.bytes,
        .total_known = verifying || watch->total->complete,
        .elapsed_ns = elapsed_ns,
        .what = what,
    };

    app_count(verifying ? totals->verified : totals->files, count, sizeof count);
    (void)snprintf(what, sizeof what, "%s files%s", count, verifying ? " verified" : "");
    app_bar_draw(&bar);
}

static void say(const struct copy_watch *watch, uint64_t elapsed_ns)
{
    const struct copy *copy = watch->copy;
    bool verifying = copy->phase == COPY_VERIFYING;
    char count[APP_TEXT_BYTES], bytes[APP_TEXT_BYTES], time[APP_TEXT_BYTES];

    app_say("%s after %s: %s files, %s", verifying ? "verified" : "copied",
            app_duration(elapsed_ns, time, sizeof time),
            app_count(verifying ? copy->totals.verified : copy->totals.files, count,
                      sizeof count),
            app_bytes(bytes_done(copy), bytes, sizeof bytes));
}

static void show(const struct copy_watch *watch, struct tp_ctx *cx)
{
    uint64_t elapsed_ns = tp_now_ns(cx) - watch->started_ns;

    switch (watch->show) {
    case COPY_SHOW_BAR:
        draw(watch, elapsed_ns);
        break;
    case COPY_SHOW_LINES:
        say(watch, elapsed_ns);
        break;
    case COPY_SHOW_NOTHING:
        break;
    }
}

static uint64_t period_ns(const struct copy_watch *watch)
{
    switch (watch->show) {
    case COPY_SHOW_BAR:
        return bar_period_ns;
    case COPY_SHOW_LINES:
        return line_period_ns;
    case COPY_SHOW_NOTHING:
        return quiet_period_ns;
    }
    tp_unreachable();
}

static enum tp_step watch_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_watch *watch = tp_container_of(machine, struct copy_watch, machine);
    struct tp_result result;

    if (app_signals_caught() != 0 && !watch->told) {
        watch->told = true;
        tp_machine_cancel(watch->job);
    }
    if (watch->started_ns == 0)
        watch->started_ns = tp_now_ns(cx);
    if (tp_take(cx, &watch->timer, &result)) {
        if (result.value < 0) {
            app_bar_wipe();
            return tp_end(machine, 0);
        }
        show(watch, cx);
    }
    if (!tp_op_is_some(watch->timer))
        watch->timer = tp_timer(cx, period_ns(watch));
    return TP_WAIT;
}

void copy_watch_spawn(struct copy_watch *watch, struct tp_scheduler *scheduler)
{
    tp_assert(watch->copy != NULL && watch->job != NULL);
    tp_assert(watch->show != COPY_SHOW_BAR || watch->total != NULL);
    tp_spawn(scheduler, &watch->machine, watch_tick, "watch");
}
