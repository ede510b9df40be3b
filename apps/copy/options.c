#include "apps/copy/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/common/args.h"
#include "apps/common/say.h"
#include "sm/copy_file.h"

static const uint32_t block_bytes_max = UINT32_C(64) << 20;

enum {
    JOBS_DEFAULT = 64,
    JOBS_MAX = 1024,
    DEPTH_DEFAULT = 16,
    BLOCK_DEFAULT = 256 << 10,    /* fits into the processor's cache with its neighbours */
    BLOCK_SYNC_DEFAULT = 1 << 20, /* past the page cache, where each write is a request */
    BLOCK_ALIGN = 4096,
    POWER_CUTS_MAX = 1000000,
};

static const char usage[] =
    "usage: tempest-copy [OPTION]... SRC... DST\n"
    "\n"
    "Copies files and directory trees, as cp -r does: modes, symbolic links, holes, any "
    "name.\n"
    "If DST is a directory, every SRC goes into it; else the one SRC gets that name.\n"
    "A file appears under its name when all of it is there: it is written beside it and\n"
    "renamed, so an interrupted copy leaves no half files.\n"
    "\n"
    "  -s, --sync          durable when it returns: files, directories and their names\n"
    "  -v, --verify        read both sides afterwards and compare them byte for byte\n"
    "  -n, --dry-run       say what would be copied, touch nothing\n"
    "  -q, --quiet         no progress and no summary; errors are always said\n"
    "      --stats         print the statistics of the loop\n"
    "  -j, --jobs N        files in flight (64)\n"
    "  -d, --depth N       blocks in flight of one file (16)\n"
    "  -b, --block BYTES   size of a block, a multiple of 4K (256K, with --sync 1M)\n"
    "      --io=auto       through io_uring where that is allowed, else through threads\n"
    "                      (the default); --io=linux, --io=posix: only the one\n"
    "      --io=virtual    load SRC into a disk in memory, copy there, print the trace "
    "hash;\n"
    "                      the machine's disk is only read\n"
    "      --seed N        of the virtual world (1)\n"
    "      --power-cuts N  on the virtual disk, over older files, N times with the power "
    "cut\n"
    "                      at a random moment; says whether every file was old, new or "
    "absent\n"
    "      --no-sync       with --power-cuts: copy without --sync, to see what that costs\n"
    "  -h, --help          this text\n"
    "      --version       the version\n"
    "\n"
    "Exit status: 0 all was copied, 1 something was not (each is named), 2 wrong usage;\n"
    "128 + N when signal N (SIGINT, SIGTERM, SIGHUP) stopped it.\n"
    "\n"
    "Examples:\n"
    "  tempest-copy photos /mnt/backup/            the tree, as /mnt/backup/photos\n"
    "  tempest-copy --sync --verify a.db b.db      durable and checked\n"
    "  tempest-copy -- -odd-name copy-of-it        a name that begins with a dash\n"
    "  tempest-copy --io=virtual --seed 7 src dst  the same machines, a simulated disk\n"
    "  tempest-copy --power-cuts 100 src dst       what a power cut would leave of it\n";

enum option {
    SYNC,
    VERIFY,
    DRY_RUN,
    QUIET,
    STATS,
    JOBS,
    DEPTH,
    BLOCK,
    IO,
    SEED,
    POWER_CUTS,
    NO_SYNC,
    HELP,
    VERSION,
    RECURSIVE,
    OPTIONS
};

static const struct app_option table[OPTIONS] = {
    [SYNC] = {"sync", 's', false},
    [VERIFY] = {"verify", 'v', false},
    [DRY_RUN] = {"dry-run", 'n', false},
    [QUIET] = {"quiet", 'q', false},
    [STATS] = {"stats", 0, false},
    [JOBS] = {"jobs", 'j', true},
    [DEPTH] = {"depth", 'd', true},
    [BLOCK] = {"block", 'b', true},
    [IO] = {"io", 0, true},
    [SEED] = {"seed", 0, true},
    [POWER_CUTS] = {"power-cuts", 0, true},
    [NO_SYNC] = {"no-sync", 0, false},
    [HELP] = {"help", 'h', false},
    [VERSION] = {"version", 0, false},
    [RECURSIVE] = {"recursive", 'r', false}, /* as habit from cp; it always is */
};

static bool parse_io(const char *value, struct copy_options *options)
{
    if (app_backend_parse(value, &options->backend)) {
        options->world = COPY_SYSTEM;
    } else if (strcmp(value, "virtual") == 0) {
        options->world = COPY_VIRTUAL;
    } else {
        app_say("--io is auto, linux, posix or virtual, not '%s'", value);
        return false;
    }
    return true;
}

static bool parse_block(const struct app_args *args, uint32_t *ret_bytes)
{
    uint64_t bytes;

    if (!app_args_number(args, BLOCK, true, BLOCK_ALIGN, block_bytes_max, &bytes))
        return false;
    if (bytes % BLOCK_ALIGN != 0) {
        app_say("--block is a multiple of 4096, not '%s'", args->value);
        return false;
    }
    *ret_bytes = (uint32_t)bytes;
    return true;
}

static bool parse_number(const struct app_args *args, enum option option, uint64_t max,
                         uint32_t *ret_number)
{
    uint64_t number;

    if (!app_args_number(args, (int)option, false, 1, max, &number))
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

/* Options that take a value. False when it is wrong, which has been said. */
static bool apply_value(struct copy_options *options, const struct app_args *args,
                        enum option option)
{
    struct copy_settings *settings = &options->settings;

    if (option == JOBS)
        return parse_number(args, JOBS, JOBS_MAX, &settings->jobs);
    if (option == DEPTH)
        return parse_number(args, DEPTH, TP_COPY_DEPTH_MAX, &settings->depth);
    if (option == BLOCK)
        return parse_block(args, &settings->block_bytes);
    if (option == IO)
        return parse_io(args->value, options);
    if (option == POWER_CUTS)
        return parse_number(args, POWER_CUTS, POWER_CUTS_MAX, &options->power_cuts);
    tp_assert(option == SEED);
    options->seed_given = true;
    return app_args_number(args, SEED, false, 0, UINT64_MAX, &options->seed);
}

static void apply_flag(struct copy_options *options, enum option option)
{
    options->settings.sync |= option == SYNC;
    options->settings.verify |= option == VERIFY;
    options->settings.dry_run |= option == DRY_RUN;
    options->no_sync |= option == NO_SYNC;
    options->quiet |= option == QUIET;
    options->stats |= option == STATS;
}

/* What the options together say. */
static enum copy_todo check(struct copy_options *options)
{
    struct copy_settings *settings = &options->settings;

    if (settings->source_count < 2) {
        app_say(settings->source_count == 0 ? "SRC and DST are missing; --help says more"
                                            : "DST is missing; --help says more");
        return COPY_USAGE;
    }
    settings->target = settings->sources[--settings->source_count];
    if (options->power_cuts > 0) {
        options->world = COPY_VIRTUAL;
        settings->sync = !options->no_sync;
    } else if (options->no_sync) {
        app_say("--no-sync goes with --power-cuts only");
        return COPY_USAGE;
    }
    if (settings->block_bytes == 0)
        settings->block_bytes = settings->sync ? BLOCK_SYNC_DEFAULT : BLOCK_DEFAULT;
    if (options->power_cuts > 0 && (settings->dry_run || settings->verify)) {
        app_say("--power-cuts goes neither with --dry-run nor with --verify");
        return COPY_USAGE;
    }
    if (options->seed_given && options->world != COPY_VIRTUAL) {
        app_say("--seed is of the virtual world: --io=virtual or --power-cuts is missing");
        return COPY_USAGE;
    }
    return COPY_GO;
}

enum copy_todo copy_options_parse(int argc, char **argv, struct copy_options *ret_options)
{
    struct app_args args = app_args_of(argc, argv, table, OPTIONS);
    struct copy_options options = {
        .settings = {.jobs = JOBS_DEFAULT,
                     .depth = DEPTH_DEFAULT,
                     .mode_created = UINT32_MAX},
        .seed = 1,
    };
    int option;

    options.sources = calloc((size_t)argc + 1, sizeof *options.sources);
    options.settings.sources = options.sources;
    *ret_options = options;
    if (options.sources == NULL) {
        app_say("no memory");
        return COPY_USAGE;
    }
    while ((option = app_args_next(&args)) != APP_ARGS_END) {
        if (option == APP_ARGS_WRONG)
            return COPY_USAGE;
        if (option == HELP || option == VERSION) {
            if (option == HELP)
                (void)fputs(usage, stdout);
            else
                (void)printf("tempest-copy %d.%d.%d\n", TP_VERSION_MAJOR, TP_VERSION_MINOR,
                             TP_VERSION_PATCH);
            return COPY_EXIT;
        }
        if (option == APP_ARGS_OPERAND)
            ret_options->sources[ret_options->settings.source_count++] = args.value;
        else if (!table[option].takes_value)
            apply_flag(ret_options, (enum option)option);
        else if (!apply_value(ret_options, &args, (enum option)option))
            return COPY_USAGE;
    }
    return check(ret_options);
}

void copy_options_deinit(struct copy_options *options)
{
    free(options->sources);
    options->sources = NULL;
}
