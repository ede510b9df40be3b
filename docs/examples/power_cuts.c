/* power_cuts.c - a machine that replaces a file, proved: the power is cut after every
 * single event.
 *
 * The machine is what a service would run on io_uring. Here its main() picks VirtualIo,
 * whose disk outlives the cut; then the file is looked at.
 */
#include <stdio.h>
#include <string.h>
#include <tempest/io/virtual/virtual.h>
#include <tempest/sm/replace_file.h>
#include <tempest/tempest.h>

struct saver {
    struct tp_machine machine;
    struct tp_replace_file replace;
    struct tp_buf text;
    bool promised;
};

static enum tp_step saver_tick(struct tp_machine *machine, struct tp_ctx *cx)
{
    struct saver *s = tp_container_of(machine, struct saver, machine);
    struct tp_place config = tp_place_path("/config");
    struct tp_result result;

    TP_BEGIN(cx);
    s->text = tp_buf_full("new", 3);
    TP_AWAIT(cx, tp_replace_file_start(cx, &s->replace, config, &s->text, NULL), &result);
    s->promised = result.value == 0;
    return tp_end(machine, result.value);
    TP_END(cx);
}

/* One run, cut off after `event` events; false when the world ended before that. */
static bool run(struct tp_disk *disk, uint64_t event, struct saver *saver)
{
    struct tp_virtual_io_config config = {.disk = disk, .seed = event};
    struct tp_scheduler *scheduler;
    struct tp_io *io;
    bool cut;

    tp_assert(tp_virtual_io_create(&config, &io) == 0);
    scheduler = tp_scheduler_create(io, 16);
    tp_assert(scheduler != NULL);
    tp_virtual_io_cut_at(io, event);
    tp_spawn(scheduler, &saver->machine, saver_tick, "saver");
    tp_scheduler_run(scheduler);
    cut = tp_virtual_io_is_dead(io);
    tp_scheduler_crash(scheduler);
    tp_virtual_io_power_cut(io);
    tp_virtual_io_destroy(io);
    return cut;
}

int main(void)
{
    unsigned old = 0, new = 0, torn = 0, broken = 0;
    bool cut = true;

    for (uint64_t event = 1; cut; event++) {
        struct saver saver = {0};
        struct tp_disk *disk;
        char text[8] = "";

        tp_assert(tp_disk_create(NULL, &disk) == 0);
        tp_assert(tp_disk_write_file(disk, "/config", "old", 3) == 0);
        cut = run(disk, event, &saver);
        tp_disk_read_at(disk, "/config", 0, text, sizeof text - 1);
        old += strcmp(text, "old") == 0;
        new += strcmp(text, "new") == 0;
        torn += strcmp(text, "old") != 0 && strcmp(text, "new") != 0;
        broken += saver.promised && strcmp(text, "new") != 0;
        tp_disk_destroy(disk);
    }
    printf("both seen: %s\n", old > 0 && new > 0 ? "yes" : "no");
    printf("torn: %u, promises broken: %u\n", torn, broken);
    return torn > 0 || broken > 0;
}
