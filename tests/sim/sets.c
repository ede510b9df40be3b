/* tests/sim/sets.c - of barriers that heal only together, the fewest are found, of one the
 * change after which it belongs: as if a run passed whenever all that are needed are there.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/explain_internal.h"
#include "apps/sim/sim_internal.h"

enum { RUNS_A_TRY = 3 };

/* A search in which `count` candidates have been listed, each after a write of its own. */
struct fake {
    struct tp_explain explain;
    struct tp_explain_search search;
    struct tp_record records[TP_EXPLAIN_CANDIDATES + 2];
    struct tp_tape *tape;
    bool needed[TP_EXPLAIN_CANDIDATES];
    uint32_t tries;
};

static struct fake *begin(uint32_t count)
{
    struct fake *f = calloc(1, sizeof *f);
    struct tp_explain_search *s;

    cr_assert_not_null(f);
    s = &f->search;
    cr_assert(eq(int, tp_tape_from_seed(1, false, NULL, &f->tape), 0));
    f->explain.tape = s->filled = f->tape;
    s->explain = &f->explain;
    s->records = f->records;
    s->record_count = count + 1;
    s->candidate_count = count;
    f->records[count] = (struct tp_record){.kind = TP_FACT_PROMISE, .node = 1};
    f->records[count + 1] =
        (struct tp_record){.kind = TP_FACT_END, .node = 1, .detail = TP_END_POWER};
    for (uint32_t i = 0; i < count; i++) {
        f->records[i] = (struct tp_record){.kind = TP_FACT_OPERATION,
                                           .node = 1,
                                           .effect = i + 1,
                                           .op = TP_WRITE,
                                           .file = "loop.c",
                                           .line = i % 2 + 1,
                                           .inode = i + 1,
                                           .changes = true};
        s->candidates[i] = (struct tp_candidate){.ghost = {.effect = i + 1},
                                                 .record = i,
                                                 .loss = count + 1,
                                                 .before = TP_BEFORE_PROMISE};
    }
    tp_explain_begin_ghosts(s);
    return f;
}

static void end(struct fake *f)
{
    tp_tape_destroy(f->tape);
    free(f);
}

static bool is_searching(const struct fake *f)
{
    return f->search.stage >= TP_STAGE_ONE && f->search.stage <= TP_STAGE_EARLIEST;
}

/* Whether all that are needed are among those whose turn it is. */
static bool heals(struct fake *f)
{
    struct tp_explain_search *s = &f->search;
    uint32_t needed = 0, there = 0;

    tp_explain_choose_ghosts(s, 0);
    for (uint32_t i = 0; i < s->candidate_count; i++)
        needed += f->needed[i];
    for (uint32_t i = 0; i < s->ghost_count; i++)
        there += f->needed[s->ghosts[i].effect - 1];
    return there == needed;
}

static bool are_chosen(const struct tp_explain_search *s, const struct tp_ghost *ghosts,
                       uint32_t count)
{
    bool same = s->ghost_count == count;

    for (uint32_t i = 0; i < count && same; i++)
        same = s->ghosts[i].effect == ghosts[i].effect;
    return same;
}

/* The tries that were counted, of which the last is what it was said to be: others are
 * tried ahead. */
static void try_all(struct fake *f)
{
    struct tp_explain_search *s = &f->search;
    static struct tp_ghost last[TP_EXPLAIN_CANDIDATES];
    uint32_t tries = tp_explain_tries(s), last_count;
    bool good = false, more = true;

    cr_assert(lt(u32, 0, tries));
    tp_explain_choose_ghosts(s, tries - 1);
    last_count = s->ghost_count;
    memcpy(last, s->ghosts, last_count * sizeof *last);
    while (more) {
        good = heals(f);
        if (--tries == 0)
            cr_assert(are_chosen(s, last, last_count), "the last is another one");
        f->tries++;
        f->explain.runs += RUNS_A_TRY;
        more = tp_explain_tried(s, good);
        if (more)
            cr_assert(tries > 0 && !good, "there are more than were counted");
    }
}

static void *no_memory(void *context, size_t size_bytes, size_t align)
{
    (void)context, (void)size_bytes, (void)align;
    return NULL;
}

static void no_free(void *context, void *bytes, size_t size_bytes)
{
    (void)context, (void)bytes, (void)size_bytes;
}

static void need(struct fake *f, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        f->needed[(i * 37 + 5) % f->search.candidate_count] = true;
}

Test(sets, the_fewest_are_found)
{
    static const uint32_t counts[] = {2, 3, 5, 16, 37 * 3, TP_EXPLAIN_CANDIDATES};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (uint32_t needs = 2; needs <= 40 && needs <= counts[i]; needs++) {
            struct fake *f = begin(counts[i]);
            uint32_t found = 0, needed = 0;

            need(f, needs);
            while (is_searching(f))
                try_all(f);
            for (uint32_t j = 0; j < f->search.member_count; j++)
                found += f->needed[f->search.members[j]];
            for (uint32_t j = 0; j < counts[i]; j++)
                needed += f->needed[j];
            cr_assert(eq(u32, found, needed), "%u of %u", needs, counts[i]);
            cr_assert(eq(u32, f->search.member_count, needed));
            cr_assert(eq(u32, tp_explain_missing(&f->explain), needed));
            cr_assert(le(u32, f->explain.barrier_count, 2), "one for each line");
            cr_assert(not(f->explain.has_more));
            /* One by one, then twice as many as are needed for each halving, at most. */
            cr_assert(le(u32, f->tries, 128 + 2 + 2 * needed * 11));
            end(f);
        }
    }
}

Test(sets, one_that_heals_alone_is_the_only_one)
{
    struct fake *f = begin(100);

    f->needed[60] = true;
    while (is_searching(f))
        try_all(f);
    cr_assert(eq(u32, f->tries, 61));
    cr_assert(eq(u32, tp_explain_missing(&f->explain), 1));
    cr_assert(eq(u64, f->explain.barriers[0].ghost.effect, 61));
    end(f);
}

/* On one object each ghost keeps what came before it: it is named after the change that
 * matters, whatever comes behind that, until the promise. */
Test(sets, one_is_named_as_early_as_it_heals)
{
    for (uint32_t matters = 1; matters <= 10; matters++) {
        struct fake *f = begin(10);
        struct tp_explain_search *s = &f->search;

        for (uint32_t i = 0; i < 10; i++) {
            f->records[i].inode = 1;
            s->candidates[i] = (struct tp_candidate){
                .ghost = {.effect = 10 - i}, .record = 9 - i, .before = TP_BEFORE_SAME};
        }
        s->candidates[0].before = TP_BEFORE_PROMISE;
        while (is_searching(f)) {
            cr_assert(eq(u32, tp_explain_tries(s), s->stage == TP_STAGE_ONE ? 10 : 1));
            tp_explain_choose_ghosts(s, 0);
            cr_assert(eq(u32, s->ghost_count, 1));
            f->tries++;
            cr_assert(not(tp_explain_tried(s, s->ghosts[0].effect >= matters)));
        }
        cr_assert(le(u32, f->tries, 1 + 4));
        cr_assert(eq(u64, f->explain.barriers[0].after.effect, matters));
        cr_assert(eq(u64, f->explain.barriers[0].last.effect, 10));
        cr_assert(eq(int, (int)f->explain.barriers[0].before, TP_BEFORE_PROMISE));
        cr_assert(eq(int, (int)f->explain.barriers[0].next.kind, TP_FACT_PROMISE));
        end(f);
    }
}

/* Ended in between, it is after the last change of which that is known. */
Test(sets, one_that_is_ended_early_is_named_where_it_heals)
{
    struct fake *f = begin(4);

    for (uint32_t i = 0; i < 4; i++)
        f->records[i].inode = 1;
    for (uint32_t i = 0; i < 3; i++)
        (void)tp_explain_tried(&f->search, false);
    (void)tp_explain_tried(&f->search, true);
    cr_assert(eq(int, (int)f->search.stage, TP_STAGE_EARLIEST));
    tp_explain_end_ghosts(&f->search);
    cr_assert(eq(u64, f->explain.barriers[0].after.effect, 4));
    cr_assert(eq(int, (int)f->explain.how, TP_EXPLAINED_BARRIER));
    end(f);
}

Test(sets, where_all_do_not_heal_there_are_none)
{
    for (uint32_t count = 0; count < 4; count++) {
        struct fake *f = begin(count);

        f->search.candidate_count = count;
        while (is_searching(f)) {
            f->tries++;
            (void)tp_explain_tried(&f->search, false);
        }
        cr_assert(eq(u32, f->tries, count < 2 ? count : count + 1));
        cr_assert(eq(int, (int)f->search.stage, TP_STAGE_FAULTS));
        cr_assert(zero(u32, f->explain.barrier_count));
        end(f);
    }
}

/* What comes before nothing may be torn, and is not missing. */
Test(sets, the_last_change_is_not_in_one)
{
    struct fake *f = begin(4);

    f->needed[0] = f->needed[3] = true;
    f->search.candidates[3].before = TP_BEFORE_NOTHING;
    while (is_searching(f))
        try_all(f);
    cr_assert(eq(int, (int)f->search.stage, TP_STAGE_FAULTS));
    end(f);
}

Test(sets, one_that_is_ended_early_may_have_more_than_are_needed)
{
    for (uint32_t way = 0; way < 3; way++) {
        struct fake *f = begin(64);

        need(f, 8);
        while (is_searching(f) && f->search.left_out != 8)
            try_all(f);
        cr_assert(eq(int, (int)f->search.stage, TP_STAGE_SET));
        cr_assert(zero(u32, tp_explain_missing(&f->explain)), "it is not told yet");
        if (way == 0)
            tp_explain_end_ghosts(&f->search);
        f->explain.runs += 100000; /* more than there may be */
        if (way == 1)
            try_all(f);
        if (way == 2)
            (void)tp_explain_tried(&f->search, false);
        cr_assert(not(is_searching(f)));
        cr_assert(f->explain.has_more);
        cr_assert(lt(u32, 8, tp_explain_missing(&f->explain)));
        cr_assert(eq(int, (int)f->explain.how, TP_EXPLAINED_BARRIER));
        end(f);
    }
}

/* A signal ends a try, or there is no memory for it: that one left out did not heal is not
 * known then, and what is known is told. */
Test(sets, one_whose_try_has_failed_is_told_as_far_as_it_is_known)
{
    struct tp_trial trial = {.said_fd = -1}; /* has no memory for a run */
    struct tp_tape *tape = NULL;
    struct fake *f = begin(2);

    cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
    f->explain.tape = f->search.filled = tape;
    f->explain.trial = &trial;
    f->explain.search = &f->search;
    trial.arena.allocator = (struct tp_allocator){no_memory, no_free, NULL};
    need(f, 2);
    while (f->search.left_out == 0)
        try_all(f);
    f->search.tried = 1; /* the other one was needed */
    cr_assert(not(tp_explain_step(&f->explain)));
    cr_assert(eq(int, f->search.error, -ENOMEM));
    cr_assert(eq(int, (int)f->explain.how, TP_EXPLAINED_BARRIER));
    cr_assert(eq(u32, tp_explain_missing(&f->explain), 2));
    cr_assert(f->explain.has_more, "whether it can do without the second is not known");
    tp_tape_destroy(tape);
    end(f);
}

/* Before it is known whether all heal there is nothing to be told. */
Test(sets, one_that_is_not_known_to_heal_is_not_told)
{
    struct fake *f = begin(8);

    need(f, 3);
    while (f->search.stage == TP_STAGE_ONE)
        try_all(f);
    tp_explain_end_ghosts(&f->search);
    cr_assert(zero(u32, tp_explain_missing(&f->explain)));
    cr_assert(eq(int, (int)f->explain.how, TP_EXPLAINED_NOT));
    end(f);
}

/* Of more lines than are told, all are counted. */
Test(sets, of_many_lines_some_are_told)
{
    struct fake *f = begin(TP_EXPLAIN_BARRIERS + 5);

    for (uint32_t i = 0; i < f->search.candidate_count; i++) {
        f->needed[i] = true;
        f->records[i].line = i + 1;
    }
    while (is_searching(f))
        try_all(f);
    cr_assert(eq(u32, f->explain.barrier_count, TP_EXPLAIN_BARRIERS));
    cr_assert(eq(u32, f->explain.barriers_more, 5));
    cr_assert(strstr(f->explain.unkept, "; and 9 more") != NULL, "%s", f->explain.unkept);
    end(f);
}
