/** tests/runtime/fixture.h - a scheduler on a manual Io, and machines made of a function.
 */
#ifndef TESTS_RUNTIME_FIXTURE_H
#define TESTS_RUNTIME_FIXTURE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "runtime/tempest.h"
#include "tests/common/expect_stop.h"
#include "tests/common/manual_io.h"

static struct manual_io manual;
static struct tp_scheduler *scheduler;

static inline void set_up(void)
{
    manual_io_init(&manual);
    scheduler = tp_scheduler_create(&manual.io, 4096);
    cr_assert(ne(ptr, scheduler, NULL));
}

static inline void tear_down(void)
{
    tp_scheduler_destroy(scheduler);
    manual_io_deinit(&manual);
}

/** One iteration. */
static inline enum tp_progress tick(void)
{
    return tp_scheduler_tick(scheduler);
}

/** Runs while something is ready. */
static inline enum tp_progress settle(void)
{
    enum tp_progress progress;

    while ((progress = tick()) == TP_PROGRESS) {
    }
    return progress;
}

/* What happened, in order, as a text: every machine notes a letter. */
static char events[256];

static inline void note(char letter)
{
    size_t len = strlen(events);

    if (len + 1 < sizeof events)
        events[len] = letter;
}

/* A machine with the members that the tests need. */
struct part {
    struct tp_machine machine;
    struct tp_op op, other;
    struct tp_op ops[4];
    struct tp_result result;
    struct tp_fd fd;
    struct tp_buf buf;
    uint8_t memory[64];
    struct part *peer;
    int32_t value;
    uint32_t count;
    char letter;
};

static inline struct part *part_of(struct tp_machine *machine)
{
    return tp_container_of(machine, struct part, machine);
}

#endif
