/* judges --fs TYPE [--seed N | --seeds A..B] [--cuts N] [--profile NAME]
 *        [--plant device|model]
 *
 * For each seed: programs at work on a real file system, then power cuts, each mounted and
 * judged. Exit status: 0 all allowed (with --plant or a wrong --profile: something was
 * caught), 1 not so, 2 wrong usage, 77 it cannot run here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backing.h"
#include "io/linux/linux.h"
#include "judge.h"
#include "model.h"
#include "mounted.h"
#include "programs.h"

#define PATIENCE_NS UINT64_C(60000000000)
#define ROOT        MOUNTED_ROOT
enum { EXIT_SKIPPED = 77, ACTS = 160 };

struct options {
    uint64_t first, last;
    uint64_t cuts;
    const char *fs, *profile;
    bool lies;   /* the device drops what a flush had covered */
    bool wrong;  /* the simulated disk has another profile */
    bool caught; /* something must be */
};

struct court {
    struct options options;
    const struct judged_kind *kind;
    const struct judge_rules *rules;
    struct device device;
    struct backing *backing;
    struct conformance c;
    struct script script;
    struct history *history;
    struct seen *seen;
    struct judge_tally tally;
    uint64_t acts, writes, flushes, unflushed, torn;
    uint64_t forbidden, unmountable;
    uint64_t modelled, disagreements; /* with the simulated disk */
    int image;                        /* what a cut leaves */
};

/* ------------------------------------------------------------------ programs at work */

/* What the kernel might do by itself at any time, made to happen now. */
static int32_t write_back(const struct act *act)
{
    char path[256];
    bool all = act->kind == ACT_COMMIT;
    int fd, status;

    (void)snprintf(path, sizeof path, ROOT "/fs%s", "");
    if (!all)
        (void)snprintf(path, sizeof path, ROOT "/fs/w%u/%s", act->program, act->path);
    fd = open(path, (all ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    status =
        all ? syncfs(fd)
            : sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    (void)close(fd);
    return status;
}

/* What was made has a number by which it is known again after the mount. */
static void note_inode(struct court *court, const struct act *act)
{
    uint32_t object = history_find(court->history, act->program, act->path);
    char path[256];
    struct stat stat;

    (void)snprintf(path, sizeof path, ROOT "/fs/w%u/%s", act->program, act->path);
    tp_assert(object != 0);
    if (court->history->objects[object].inode != 0)
        return; /* to look at a file again would give its next change a time of its own */
    tp_assert(lstat(path, &stat) == 0);
    court->history->objects[object].inode = stat.st_ino;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    tp_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void do_acts(struct court *court, uint64_t seed)
{
    struct programs programs = programs_make(seed);

    for (uint32_t i = 0; i < ACTS && history_has_room(court->history); i++) {
        struct act act = programs_next(&programs);
        uint32_t index =
            history_begin(court->history, &act, device_position(&court->device), now_ns());
        int32_t value = act.kind == ACT_WRITE_BACK || act.kind == ACT_COMMIT
                            ? write_back(&act)
                            : act_do(&court->script, &act);

        history_end(court->history, index, value, device_position(&court->device),
                    now_ns());
        court->acts++;
        if (value >= 0 &&
            (act.kind == ACT_OPEN || act.kind == ACT_EMPTY || act.kind == ACT_MKDIR))
            note_inode(court, &act);
    }
}

/* Runs the programs of a seed; the position after the mount, or -errno. */
static int64_t record(struct court *court, uint64_t seed)
{
    int disk = open(ROOT "/backing/disk", O_RDWR | O_CLOEXEC);
    struct act commit = {.kind = ACT_COMMIT};
    int64_t start;
    int error;

    if (disk < 0)
        return -errno;
    error = device_restart(&court->device, true);
    if (error == 0)
        error = mounted_mount(court->kind, disk, ROOT "/fs");
    (void)close(disk);
    if (error < 0)
        return error;
    (void)write_back(&commit); /* what the mount itself has to write */
    start = device_position(&court->device);
    history_clear(court->history, now_ns());
    script_init(&court->script, &court->c);
    do_acts(court, seed);
    script_deinit(&court->script);
    (void)write_back(&commit); /* a cut may come in the middle of this, too */
    error = mounted_unmount(ROOT "/fs");
    return error < 0 ? error : start;
}

/* ------------------------------------------------------------------ power cuts */

static void print_history(const struct court *court, const struct device_cut *cut)
{
    const struct history *h = court->history;

    (void)printf("  position %u, flushed %u; %u writes not flushed, %u of them kept, %u "
                 "torn (way %u, sectors of %u)\n",
                 cut->at, cut->flushed, cut->writes, cut->kept, cut->torn, cut->way,
                 cut->sector_bytes);
    for (uint32_t i = 0; i < h->act_count; i++) {
        char line[96];

        if (h->acts[i].begun > cut->at)
            break;
        act_print(&h->acts[i], line, sizeof line);
        (void)printf("  %3u %5u-%-5u %-36s %d\n", i, h->acts[i].begun, h->acts[i].ended,
                     line, h->acts[i].value);
    }
    for (uint32_t i = 1; i < court->seen->count; i++) {
        const struct seen_entry *entry = &court->seen->entries[i];

        (void)printf("  seen: %s/%s inode %llu, %u bytes\n",
                     court->seen->entries[entry->parent].name, entry->name,
                     (unsigned long long)entry->inode, entry->size);
    }
}

/* The simulated disk must agree with the judge on what that cut may leave. */
static bool ask_model(struct court *court, uint64_t seed, const struct device_cut *cut)
{
    struct model_options options = {
        .profile = model_profile(court->options.wrong ? "paranoid" : court->rules->name),
        .seed = seed + cut->at};
    char why[512];

    if (options.profile == TP_DISK_PROFILES)
        return true;
    court->modelled++;
    if (model_agrees(&options, court->rules, court->history, cut->at, court->seen, why))
        return true;
    court->disagreements++;
    (void)printf("%s, seed %llu: the simulated disk does not agree:\n  %s\n",
                 court->kind->name, (unsigned long long)seed, why);
    if (!court->options.caught)
        print_history(court, cut);
    return false;
}

/* Mounts what a cut left, looks, and judges. False: not allowed. */
static bool judge_cut(struct court *court, uint64_t seed, const struct device_cut *cut)
{
    int error = mounted_mount(court->kind, court->image, ROOT "/fs");
    char why[512];
    bool allowed;

    if (error < 0) {
        court->unmountable++;
        (void)snprintf(why, sizeof why, "it cannot be mounted: %s", strerror(-error));
        court->seen->count = 0;
        allowed = false;
    } else {
        seen_look(court->seen, ROOT "/fs");
        allowed =
            judge(court->rules, court->history, court->seen, cut->at, &court->tally, why);
        error = mounted_unmount(ROOT "/fs");
        tp_assert(error == 0);
    }
    court->forbidden += !allowed;
    if (allowed)
        return ask_model(court, seed, cut);
    (void)printf("%s, seed %llu: not allowed by profile %s:\n  %s\n", court->kind->name,
                 (unsigned long long)seed, court->rules->name, why);
    if (!court->options.caught)
        print_history(court, cut);
    return allowed;
}

static int run_seed(struct court *court, uint64_t seed)
{
    struct tp_rng rng = tp_rng_make(seed, 2);
    int64_t start = record(court, seed);
    uint32_t end = device_position(&court->device);

    if (start < 0)
        return (int)start;
    for (uint32_t i = 0; i < end; i++) {
        court->writes += court->device.entries[i].len > 0;
        court->flushes += court->device.entries[i].len == 0;
    }
    tp_assert(!court->device.full);
    for (uint64_t i = 0; i < court->options.cuts; i++) {
        uint32_t at =
            (uint32_t)start + (uint32_t)tp_rng_below(&rng, end - (uint64_t)start + 1);
        struct device_cut cut;
        int error =
            device_cut(&court->device, at, court->options.lies, &rng, court->image, &cut);

        if (error < 0)
            return error;
        court->unflushed += cut.writes;
        court->torn += cut.torn;
        if (!judge_cut(court, seed, &cut) && court->options.caught)
            return 0;
    }
    return 0;
}

/* ------------------------------------------------------------------ the command */

static int usage(void)
{
    (void)fprintf(stderr, "usage: judges --fs ext4|xfs|btrfs [--seed N | --seeds A..B] "
                          "[--cuts N] [--profile NAME] [--plant device|model]\n");
    return 2;
}

static bool parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];

        if (strcmp(argv[i], "--seed") == 0 && parse_number(value, &options->first) == 0)
            options->last = options->first;
        else if (strcmp(argv[i], "--cuts") == 0 && parse_number(value, &options->cuts) == 0)
            ;
        else if (strcmp(argv[i], "--fs") == 0)
            options->fs = value;
        else if (strcmp(argv[i], "--profile") == 0)
            options->profile = value;
        else if (strcmp(argv[i], "--plant") == 0 && strcmp(value, "device") == 0)
            options->lies = true;
        else if (strcmp(argv[i], "--plant") == 0 && strcmp(value, "model") == 0)
            options->wrong = true;
        else if (strcmp(argv[i], "--seeds") != 0 ||
                 parse_range(value, &options->first, &options->last) < 0)
            return false;
    }
    if (options->profile == NULL)
        options->profile = options->fs;
    options->caught =
        options->lies || options->wrong || strcmp(options->profile, options->fs) != 0;
    return argc % 2 == 1;
}

static bool choose(struct court *court)
{
    for (uint32_t i = 0; i < judged_kind_count; i++) {
        if (strcmp(judged_kinds[i].name, court->options.fs) == 0)
            court->kind = &judged_kinds[i];
    }
    for (uint32_t i = 0; i < judge_rules_count; i++) {
        if (strcmp(judge_rules[i].name, court->options.profile) == 0)
            court->rules = &judge_rules[i];
    }
    return court->kind != NULL && court->rules != NULL;
}

/* A new file system, in which the programs have their directories. */
static const char *make_base(struct court *court)
{
    const char *reason;
    int error;

    if (!mounted_make(court->kind, ROOT "/now", &reason))
        return reason;
    if (mounted_mount(court->kind, court->device.now, ROOT "/fs") < 0)
        return "it cannot be mounted on a loop device";
    for (uint32_t program = 0; program < PROGRAMS; program++) {
        char path[64];

        (void)snprintf(path, sizeof path, ROOT "/fs/w%u", program);
        tp_assert(mkdir(path, 0755) == 0);
    }
    error = mounted_unmount(ROOT "/fs");
    if (error == 0)
        error = device_restart(&court->device, false);
    return error == 0 ? NULL : "its image cannot be kept";
}

/* NULL, or why it cannot run here. */
static const char *open_court(struct court *court)
{
    struct tp_linux_io_config config = {
        .size = sizeof config, .ops_max = 64, .fds_max = 512, .buf_count = 1};
    const char *reason;
    int error;

    if (!mounted_enter(&reason))
        return reason;
    tp_assert(mkdir(ROOT "/backing", 0700) == 0 && mkdir(ROOT "/fs", 0700) == 0);
    error = device_init(&court->device, ROOT, court->kind->size_bytes);
    if (error < 0)
        return "there is no memory for its image";
    court->device.whole = court->kind->superblock;
    court->image = open(ROOT "/image", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    tp_assert(court->image >= 0);
    court->backing = backing_start(&court->device, ROOT "/backing", &reason);
    if (court->backing == NULL)
        return reason;
    error = tp_linux_io_create(&config, &court->c.io);
    if (error < 0)
        return tp_linux_io_refusal(error);
    court->c.backend = "linux";
    court->c.program = "judges";
    court->c.patience_ns = PATIENCE_NS;
    (void)snprintf(court->c.dir, sizeof court->c.dir, ROOT "/fs");
    court->history = history_create();
    court->seen = seen_create();
    return make_base(court);
}

static void close_court(struct court *court)
{
    if (court->history != NULL)
        history_destroy(court->history);
    if (court->seen != NULL)
        seen_destroy(court->seen);
    tp_io_destroy(court->c.io);
    backing_stop(court->backing);
    device_deinit(&court->device);
}

static void print_tally(const struct court *court)
{
    const struct judge_tally *t = &court->tally;

#define U(value) ((unsigned long long)(value))
    (void)printf("%s judged by profile %s: %llu cuts of %llu programs (%llu acts; %llu "
                 "writes, %llu flushes; %llu not flushed at a cut, %llu torn)\n",
                 court->kind->name, court->rules->name, U(t->cuts), U(t->programs),
                 U(court->acts), U(court->writes), U(court->flushes), U(court->unflushed),
                 U(court->torn));
    (void)printf("  names: %llu promised, %llu kept all the same, %llu lost, %llu kept "
                 "after a lost one, %llu left beside the new, %llu lost but for what they "
                 "replaced, %llu lost before a synced write in place\n",
                 U(t->names_promised), U(t->names_kept), U(t->names_lost),
                 U(t->names_reordered), U(t->names_both), U(t->names_bare),
                 U(t->names_before));
    (void)printf("  files: %llu; newest %llu, as synced %llu, between %llu (mixed %llu); "
                 "size without data %llu, size of a version between %llu\n",
                 U(t->files), U(t->files_newest), U(t->files_synced), U(t->files_between),
                 U(t->mixed), U(t->sizes_alone), U(t->sizes_past));
    (void)printf("  sectors: %llu; older than newest %llu, of a version between %llu\n",
                 U(t->sectors), U(t->sectors_old), U(t->sectors_past));
    (void)printf("  not allowed: %llu (%llu not mountable); simulated as well: %llu, of "
                 "which %llu do not agree\n",
                 U(court->forbidden), U(court->unmountable), U(court->modelled),
                 U(court->disagreements));
#undef U
}

int main(int argc, char **argv)
{
    static struct court court = {
        .options = {.first = 1, .last = 4, .cuts = 5, .fs = "ext4"}};
    const char *reason;
    int error = 0;

    if (!parse(&court.options, argc, argv) || !choose(&court))
        return usage();
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    reason = open_court(&court);
    if (reason != NULL) {
        (void)printf("skipped: %s: %s\n", court.kind->name, reason);
        return EXIT_SKIPPED;
    }
    for (uint64_t seed = court.options.first; seed <= court.options.last; seed++) {
        error = run_seed(&court, seed);
        if (error < 0) {
            (void)printf("seed %llu: %s\n", (unsigned long long)seed, strerror(-error));
            break;
        }
        if (court.options.caught && court.forbidden + court.disagreements > 0)
            break;
    }
    print_tally(&court);
    close_court(&court);
    if (error < 0)
        return 1;
    return (court.forbidden + court.disagreements > 0) == court.options.caught ? 0 : 1;
}
