/* conformance [--backend NAME]... [--only PATTERN] [--dir DIR] [--table FILE] [--list]
 *
 * Runs the programs on the backends and ends with a line that counts. Exit status: 0 all
 * passed, 1 something failed, 2 wrong usage, 77 nothing could run here (it says why). */
#include "conformance.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PROGRAMS_MAX = 1024, BACKENDS_MAX = 32, EXIT_SKIPPED = 77 };

#define PATIENCE_NS UINT64_C(60000000000)

enum result { NOT_RUN, PASSED, FAILED, SKIPPED, RESULTS };

struct runner {
    const char *backends[BACKENDS_MAX]; /* asked for; none: all */
    uint32_t backend_count;
    const char *only, *dir, *table;
    bool list;
    uint8_t results[BACKENDS_MAX][PROGRAMS_MAX]; /* enum result */
    const char *reasons[BACKENDS_MAX];           /* why it did not run; or NULL */
    uint32_t counts[RESULTS];
};

static bool wants_backend(const struct runner *runner, const char *name)
{
    for (uint32_t i = 0; i < runner->backend_count; i++) {
        if (strcmp(runner->backends[i], name) == 0)
            return true;
    }
    return runner->backend_count == 0;
}

/* '*' stands for any text. */
static bool matches(const char *pattern, const char *name)
{
    if (*pattern == '\0')
        return *name == '\0';
    if (*pattern == '*')
        return matches(pattern + 1, name) || (*name != '\0' && matches(pattern, name + 1));
    return *pattern == *name && matches(pattern + 1, name + 1);
}

/* A pattern without '*' may be anywhere in the name; '!' before it means all others. */
static bool wants_program(const struct runner *runner, const char *name)
{
    const bool others = runner->only != NULL && runner->only[0] == '!';
    const char *pattern = others ? runner->only + 1 : runner->only;

    if (pattern == NULL)
        return true;
    return others != (strchr(pattern, '*') == NULL ? strstr(name, pattern) != NULL
                                                   : matches(pattern, name));
}

/* Where the programs of this backend get their directories. */
static void root_of(const struct runner *runner, const struct conformance_backend *backend,
                    char *ret_root, size_t size_bytes)
{
    char here[DIR_MAX / 2] = "/tmp";

    if (backend->root != NULL)
        (void)snprintf(ret_root, size_bytes, "%s", backend->root);
    else if (runner->dir != NULL && runner->dir[0] == '/')
        (void)snprintf(ret_root, size_bytes, "%s/conformance-%d", runner->dir,
                       (int)getpid());
    else if (getcwd(here, sizeof here) != NULL)
        (void)snprintf(ret_root, size_bytes, "%s/%s/conformance-%d", here,
                       runner->dir ? runner->dir : ".", (int)getpid());
    else
        tp_stop(__FILE__, __LINE__, "the current directory has too long a path");
}

/* The path of a socket has little room (107 bytes), so it is said from here. */
static bool enter(struct tp_io *io, const char *root)
{
    return tp_io_create_dir_all_blocking(io, root) == 0 && chdir(root) == 0;
}

static enum result run_program(const struct conformance_backend *backend,
                               const struct conformance_program *program, const char *root,
                               const char **ret_reason)
{
    struct tp_io *io = backend->create(backend, ret_reason);
    struct conformance *c;
    enum result result;

    if (io == NULL)
        return NOT_RUN;
    c = tp_alloc(NULL, sizeof *c, 64);
    tp_assert(c != NULL);
    c->io = io;
    c->backend = backend->name;
    c->patience_ns = PATIENCE_NS;
    c->inside = backend->root == NULL && enter(io, root);
    result = conformance_run(c, program, root) ? PASSED : FAILED;
    if (result == PASSED && c->skipped != NULL) {
        (void)printf("%s: %s: skipped: no %s\n", backend->name, program->name, c->skipped);
        result = SKIPPED;
    }
    tp_free(NULL, c, sizeof *c, 64);
    tp_io_destroy(io);
    return result;
}

static void run_backend(struct runner *runner, uint32_t index)
{
    const struct conformance_backend *backend = &conformance_backends[index];
    const struct conformance_program *program;
    const int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t ran = 0;
    char root[DIR_MAX];

    tp_assert(here >= 0);
    root_of(runner, backend, root, sizeof root);
    for (uint32_t i = 0; (program = conformance_program_at(i)) != NULL; i++) {
        enum result result;

        if (!wants_program(runner, program->name))
            continue;
        result = run_program(backend, program, root, &runner->reasons[index]);
        if (result == NOT_RUN) {
            (void)printf("%s: cannot run here: %s\n", backend->name,
                         runner->reasons[index]);
            runner->counts[FAILED] += ran > 0; /* it could a moment ago */
            break;
        }
        ran++;
        runner->results[index][i] = (uint8_t)result;
        runner->counts[result]++;
    }
    if (fchdir(here) != 0)
        tp_stop(__FILE__, __LINE__, "cannot go back to where it was started");
    (void)close(here);
    if (backend->root == NULL)
        (void)rmdir(root);
}

/* ------------------------------------------------------------------ the table */

static void write_row(FILE *file, const struct runner *runner, uint32_t index)
{
    static const char *const words[RESULTS] = {"", "pass", "**fail**", "skip"};
    const struct conformance_program *program = conformance_program_at(index);
    const char *slash = strrchr(program->file, '/');
    const char *subject = slash == NULL ? program->file : slash + 1;

    (void)fprintf(file, "| %.*s | `%s` |", (int)strcspn(subject, "."), subject,
                  program->name);
    for (uint32_t i = 0; conformance_backends[i].name != NULL; i++) {
        if (wants_backend(runner, conformance_backends[i].name))
            (void)fprintf(file, " %s |", words[runner->results[i][index]]);
    }
    (void)fprintf(file, "\n");
}

static bool write_table(const struct runner *runner)
{
    char made[DIR_MAX];
    FILE *file;

    /* Whoever reads the table finds it whole. */
    (void)snprintf(made, sizeof made, "%s.%d", runner->table, (int)getpid());
    file = fopen(made, "w");
    if (file == NULL)
        return false;
    (void)fprintf(file, "| subject | program |");
    for (uint32_t i = 0; conformance_backends[i].name != NULL; i++) {
        if (wants_backend(runner, conformance_backends[i].name))
            (void)fprintf(file, " %s |", conformance_backends[i].name);
    }
    (void)fprintf(file, "\n|---|---|");
    for (uint32_t i = 0; conformance_backends[i].name != NULL; i++) {
        if (wants_backend(runner, conformance_backends[i].name))
            (void)fprintf(file, "---|");
    }
    (void)fprintf(file, "\n");
    for (uint32_t i = 0; conformance_program_at(i) != NULL; i++) {
        if (wants_program(runner, conformance_program_at(i)->name))
            write_row(file, runner, i);
    }
    return fclose(file) == 0 && rename(made, runner->table) == 0;
}

/* ------------------------------------------------------------------ the command line */

static int usage(void)
{
    (void)fprintf(stderr,
                  "usage: conformance [--backend NAME]... [--only PATTERN] [--dir DIR] "
                  "[--table FILE] [--list]\n");
    return 2;
}

static void list(const struct runner *runner)
{
    const struct conformance_program *program;

    (void)printf("backends:");
    for (uint32_t i = 0; conformance_backends[i].name != NULL; i++)
        (void)printf(" %s", conformance_backends[i].name);
    (void)printf("\n");
    for (uint32_t i = 0; (program = conformance_program_at(i)) != NULL; i++) {
        if (wants_program(runner, program->name))
            (void)printf("%-40s %s\n", program->name,
                         program->script ? program->script : "");
    }
}

static bool is_backend(const char *name)
{
    for (uint32_t i = 0; conformance_backends[i].name != NULL; i++) {
        if (strcmp(conformance_backends[i].name, name) == 0)
            return true;
    }
    (void)fprintf(stderr, "conformance: no backend is called %s\n", name);
    return false;
}

static bool parse(struct runner *runner, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--list") == 0) {
            runner->list = true;
            continue;
        }
        if (value == NULL)
            return false;
        i++;
        if (strcmp(argv[i - 1], "--only") == 0)
            runner->only = value;
        else if (strcmp(argv[i - 1], "--dir") == 0)
            runner->dir = value;
        else if (strcmp(argv[i - 1], "--table") == 0)
            runner->table = value;
        else if (strcmp(argv[i - 1], "--backend") == 0 && is_backend(value) &&
                 runner->backend_count < BACKENDS_MAX)
            runner->backends[runner->backend_count++] = value;
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct runner runner;

    if (!parse(&runner, argc, argv))
        return usage();
    (void)setvbuf(stdout, NULL, _IOLBF,
                  0); /* what was found before a program stops it all */
    if (runner.list) {
        list(&runner);
        return 0;
    }
    for (uint32_t i = 0; conformance_backends[i].name != NULL; i++) {
        if (wants_backend(&runner, conformance_backends[i].name))
            run_backend(&runner, i);
    }
    if (runner.table != NULL && !write_table(&runner)) {
        (void)fprintf(stderr, "conformance: cannot write %s\n", runner.table);
        return 1;
    }
    (void)printf("%u passed, %u failed, %u skipped\n", runner.counts[PASSED],
                 runner.counts[FAILED], runner.counts[SKIPPED]);
    if (runner.counts[FAILED] > 0)
        return 1;
    return runner.counts[PASSED] > 0 ? 0 : EXIT_SKIPPED;
}
