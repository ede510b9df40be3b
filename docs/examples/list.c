/* list.c - lists a tree: a ready-made machine that is asked for one entry after another. */
#include <stdio.h>
#include <tempest/io/auto/auto.h>
#include <tempest/sm/walk.h>
#include <tempest/tempest.h>

enum { DEPTH_MAX = 32 };

struct lister {
    struct tp_machine machine;
    const char *root;
    struct tp_walk walk;
    struct tp_walk_level levels[DEPTH_MAX];
    char path[4096];
};

static void print(const struct tp_walk_entry *entry)
{
    if (entry->event == TP_WALK_ENTRY)
        printf("%s\n", entry->path);
    if (entry->event == TP_WALK_ERROR)
        printf("%s: %s\n", entry->path, tp_errno_name(entry->error));
}

static enum tp_step lister_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct lister *l = tp_container_of(machine, struct lister, machine);
    struct tp_result result;

    TP_BEGIN(cx);
    tp_walk_init(&l->walk, tp_place_path(l->root), l->levels, DEPTH_MAX, l->path,
                 sizeof l->path);
    for (;;) {
        TP_AWAIT(cx, tp_walk_next(cx, &l->walk), &result);
        if (result.value <= 0)
            break;
        print(&l->walk.entry);
    }
    tp_walk_stop(cx, &l->walk);
    return tp_end(machine, result.value);
    TP_END(cx);
}

int main(int argc, char **argv)
{
    static struct lister lister;
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    int error = tp_auto_io_create(NULL, &io);

    if (error < 0)
        return fprintf(stderr, "list: %s\n", tp_auto_io_refusal(error)), 1;
    scheduler = tp_scheduler_create(io, 64);
    tp_assert(scheduler != NULL);
    lister.root = argc > 1 ? argv[1] : ".";
    tp_spawn(scheduler, &lister.machine, lister_tick, "lister");
    tp_scheduler_run(scheduler);
    tp_scheduler_destroy(scheduler);
    tp_io_destroy(io);
    return lister.machine.result < 0;
}
