/* Does the suite notice? Every program runs on a backend that lies once, at a place of its
 * own, and must fail then. A handful of programs cannot know (a cancel that nobody waits
 * for, a fact that they do not look at), so a share is demanded for each lie, not all of
 * them. And every program is run twice without lies: both runs have the same trace.
 *
 * conformance-self [BACKEND [SHOW]]: SHOW prints the programs that noticed nothing. */
#include "conformance.h"

#include <stdio.h>

#include "io/virtual/virtual.h"
#include "liar.h"

enum { PERCENT_MIN = 95, PROGRAMS_MIN = 200, TOLD_MIN = 50 };

#define PATIENCE_NS UINT64_C(20000000000)

static const struct conformance_backend *backend_called(const char *name)
{
    for (uint32_t i = 0; conformance_backends[i].name != NULL; i++) {
        if (strcmp(conformance_backends[i].name, name) == 0)
            return &conformance_backends[i];
    }
    return NULL;
}

struct trial {
    uint32_t occasions[LIES];
    uint64_t trace;
    bool passed;
};

/* Runs a program on a liar. */
static struct trial try_program(const struct conformance_backend *backend,
                                const struct conformance_program *program, enum lie lie,
                                uint32_t nth)
{
    const char *reason = "";
    struct tp_io *inner = backend->create(backend, &reason);
    struct tp_io *io = inner == NULL ? NULL : liar_create(inner, lie, nth);
    struct conformance *c = tp_alloc(NULL, sizeof *c, 64);
    struct trial trial;

    tp_assert(io != NULL && c != NULL);
    c->io = io;
    c->backend = "liar";
    c->patience_ns = PATIENCE_NS;
    c->quiet = lie != LIE_NONE; /* told nothing but the truth, it must pass */
    trial.passed = conformance_run(c, program, backend->root);
    for (enum lie l = LIE_NONE; l < LIES; l++)
        trial.occasions[l] = liar_occasions(io, l);
    trial.trace = tp_virtual_io_trace_hash(inner);
    tp_free(NULL, c, sizeof *c, 64);
    tp_io_destroy(io);
    return trial;
}

struct tally {
    uint32_t told[LIES], noticed[LIES];
};

/* A program about sockets that was lied to may give up while memory of its own is still on
 * loan, which stops the program where the hook of AddressSanitizer sees it. */
static bool may_be_lied_to(const struct conformance_program *program)
{
#ifdef __SANITIZE_ADDRESS__
    return strncmp(program->name, "net_", 4) != 0;
#else
    return program != NULL;
#endif
}

/* Tells a program the truth, twice, then each lie for which it gave an occasion, once. */
static bool try_lies(const struct conformance_backend *backend, uint32_t index, bool show,
                     struct tally *tally)
{
    const struct conformance_program *program = conformance_program_at(index);
    struct trial truth = try_program(backend, program, LIE_NONE, 0);

    if (!truth.passed)
        return false;
    if (try_program(backend, program, LIE_NONE, 0).trace != truth.trace) {
        (void)printf("%s: two runs, and two traces\n", program->name);
        return false;
    }
    for (enum lie lie = LIE_NONE; lie < LIES && may_be_lied_to(program); lie++) {
        uint32_t nth;

        if (truth.occasions[lie] == 0)
            continue;
        nth = index * 7919 % truth.occasions[lie];
        tally->told[lie]++;
        if (!try_program(backend, program, lie, nth).passed)
            tally->noticed[lie]++;
        else if (show)
            (void)printf("%s: not noticed by %s (%u of %u)\n", lie_names[lie],
                         program->name, nth, truth.occasions[lie]);
    }
    return true;
}

/* Names are directories, so no two programs share one. */
static bool names_differ(void)
{
    const struct conformance_program *program, *other;
    uint32_t count = 0;

    for (; (program = conformance_program_at(count)) != NULL; count++) {
        for (uint32_t i = 0; i < count && (other = conformance_program_at(i)) != NULL;
             i++) {
            if (strcmp(program->name, other->name) == 0) {
                (void)printf("two programs are called %s\n", program->name);
                return false;
            }
        }
    }
    (void)printf("%u programs\n", count);
    return count >= PROGRAMS_MIN;
}

int main(int argc, char **argv)
{
    const struct conformance_backend *backend =
        backend_called(argc > 1 ? argv[1] : "virtual");
    struct tally tally = {{0}, {0}};
    bool good = names_differ();

    tp_assert(backend != NULL && backend->root != NULL);
    for (uint32_t i = 0; conformance_program_at(i) != NULL; i++)
        good = try_lies(backend, i, argc > 2, &tally) && good;
    for (enum lie lie = LIE_ERRNO; lie < LIES; lie++) {
        (void)printf("%-8s told %u programs, %u noticed\n", lie_names[lie], tally.told[lie],
                     tally.noticed[lie]);
        good = good && tally.told[lie] >= TOLD_MIN &&
               tally.noticed[lie] * 100 >= tally.told[lie] * PERCENT_MIN;
    }
    (void)printf("%s\n", good ? "the suite notices" : "the suite is blind");
    return good ? 0 : 1;
}
