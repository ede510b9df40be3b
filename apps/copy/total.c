#include "apps/copy/total.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/await.h"

int copy_total_init(struct copy_total *total, struct copy *copy)
{
    memset(total, 0, sizeof *total);
    total->copy = copy;
    total->levels = calloc(COPY_TOTAL_LEVELS, sizeof *total->levels);
    return total->levels == NULL ? -ENOMEM : 0;
}

void copy_total_deinit(struct copy_total *total)
{
    free(total->levels);
    total->levels = NULL;
}

static const char *source_of(const struct copy_total *total)
{
    return total->copy->settings->sources[total->next];
}

static void add(struct copy_total *total)
{
    if (total->statx.kind != TP_FILE_REGULAR)
        return;
    total->copy->totals.found_files++;
    total->copy->totals.found_bytes += total->statx.size;
}

static void begin_walk(struct copy_total *total)
{
    tp_walk_init(&total->walk, tp_place_path(source_of(total)), total->levels,
                 COPY_TOTAL_LEVELS, total->path, sizeof total->path);
}

static bool is_file(const struct tp_walk_entry *entry)
{
    return entry->event == TP_WALK_ENTRY && entry->kind == TP_FILE_REGULAR;
}

static struct tp_op stat_entry(struct copy_total *total, struct tp_ctx *cx)
{
    return tp_stat_in(cx, total->walk.entry.parent, total->walk.entry.name, &total->statx);
}

/* What fails here fails again where it is copied, and is said there. */
static enum tp_step total_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct copy_total *total = tp_container_of(machine, struct copy_total, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    for (; total->next < total->copy->settings->source_count; total->next++) {
        TP_AWAIT(cx, tp_lstat(cx, source_of(total), &total->statx), &result);
        if (result.value < 0)
            continue;
        add(total);
        if (total->statx.kind != TP_FILE_DIRECTORY)
            continue;
        begin_walk(total);
        for (;;) {
            TP_AWAIT(cx, tp_walk_next(cx, &total->walk), &result);
            if (result.value <= 0)
                break;
            if (!is_file(&total->walk.entry))
                continue;
            TP_AWAIT(cx, stat_entry(total, cx), &result);
            if (result.value == 0)
                add(total);
        }
        tp_walk_stop(cx, &total->walk);
    }
    total->copy->totals.found_all = !tp_cancelled(cx);
    return tp_end(machine, 0);
    TP_END(cx);
}

void copy_total_spawn(struct copy_total *total, struct tp_scheduler *scheduler)
{
    tp_assert(total->levels != NULL);
    tp_spawn(scheduler, &total->machine, total_tick, "total");
}
