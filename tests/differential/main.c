/* differential [--seed N | --seeds A..B] [--ops N] [--dir DIR] [--show] [--self-test]
 *
 * Runs the program of each seed on LinuxIo, in a scratch directory under DIR, and on
 * VirtualIo. Exit status: 0 no difference, 1 a difference (the first is made short and
 * printed), 2 wrong usage, 77 io_uring is not to be had here. */
#include "differential.h"

#include <stdio.h>
#include <unistd.h>

enum { EXIT_SKIPPED = 77 };

struct options {
    uint64_t first, last;
    uint64_t ops;
    const char *dir;
    bool show, self_test;
};

static int usage(void)
{
    (void)fprintf(stderr,
                  "usage: differential [--seed N | --seeds A..B] [--ops N] [--dir DIR] "
                  "[--show] [--self-test]\n");
    return 2;
}

static bool parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--show") == 0) {
            options->show = true;
            continue;
        }
        if (strcmp(argv[i], "--self-test") == 0) {
            options->self_test = true;
            continue;
        }
        if (strcmp(argv[i], "--seed") == 0 && parse_number(value, &options->first) == 0)
            options->last = options->first;
        else if (strcmp(argv[i], "--ops") == 0 && parse_number(value, &options->ops) == 0)
            ;
        else if (strcmp(argv[i], "--dir") == 0 && *value != '\0')
            options->dir = value;
        else if (strcmp(argv[i], "--seeds") != 0 ||
                 parse_range(value, &options->first, &options->last) < 0)
            return false;
        i++;
    }
    return options->ops > 0 && options->ops < OPS_MAX;
}

/* Runs one seed; if it differs, shortens and prints it. How many steps are left; 0: none.
 */
static uint32_t try_seed(struct pair *pair, struct program *program, uint64_t seed,
                         const struct options *options)
{
    struct difference difference;

    program_generate(program, seed, (uint32_t)options->ops);
    for (uint32_t i = 0; options->show && i < program->count; i++)
        (void)printf("%s\n", program->lines[i]);
    if (pair_run(pair, program, &difference) < 0)
        tp_stopf(__FILE__, __LINE__, "the program of seed %llu makes no sense",
                 (unsigned long long)seed);
    if (!difference.found)
        return 0;
    pair_shrink(pair, program, &difference);
    pair_report(pair, program, &difference);
    return program->count;
}

/* The first difference ends it; not so the self-test, which wants the lie found again and
 * again, each time down to what it takes: a directory, perhaps a fd, and the step that is
 * lied about. */
static int run_seeds(struct pair *pair, const struct options *options)
{
    static struct program program;
    uint32_t found = 0, left_max = 0;
    uint64_t seed;

    for (seed = options->first; seed <= options->last; seed++) {
        uint32_t left = try_seed(pair, &program, seed, options);

        found += left > 0;
        left_max = left > left_max ? left : left_max;
        if (left > 0 && !options->self_test)
            break;
    }
    (void)printf("%llu steps, %llu of them successes; programs that differ: %u\n",
                 (unsigned long long)pair->steps, (unsigned long long)pair->successes,
                 found);
    if (options->self_test)
        return found * 10 > (options->last - options->first + 1) * 9 && left_max <= 4 ? 0
                                                                                      : 1;
    return found == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1, .last = 200, .ops = 120, .dir = "."};
    char here[DIR_MAX / 4] = "", root[DIR_MAX / 2];
    struct pair pair;
    int status;

    if (!parse(&options, argc, argv))
        return usage();
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (options.dir[0] != '/' && getcwd(here, sizeof here) == NULL)
        tp_stop(__FILE__, __LINE__, "the current directory has too long a path");
    (void)snprintf(root, sizeof root, "%s%s%s/differential-%d", here, *here ? "/" : "",
                   options.dir, (int)getpid());
    if (!pair_init(&pair, root, options.self_test)) {
        (void)printf("skipped: %s\n", pair.refusal);
        return EXIT_SKIPPED;
    }
    status = run_seeds(&pair, &options);
    pair_deinit(&pair);
    (void)rmdir(root);
    return status;
}
