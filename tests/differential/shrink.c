#include "differential.h"

#include <stdio.h>

/* Without the steps [from, from + count). */
static void program_without(const struct program *program, uint32_t from, uint32_t count,
                            struct program *ret_program)
{
    ret_program->seed = program->seed;
    ret_program->count = 0;
    for (uint32_t i = 0; i < program->count; i++) {
        if (i < from || i >= from + count)
            memcpy(ret_program->lines[ret_program->count++], program->lines[i], LINE_BYTES);
    }
}

/* Nothing after the step that differs matters. */
static void cut_behind(struct program *program, const struct difference *difference)
{
    if (difference->step < program->count)
        program->count = difference->step + 1;
}

/* Deletes runs of steps, long ones first, over and over until not one step can go. */
void pair_shrink(struct pair *pair, struct program *program, struct difference *difference)
{
    struct program *shorter = tp_alloc(NULL, sizeof *shorter, 64);
    struct difference now;
    uint32_t chunk;

    tp_assert(shorter != NULL && difference->found);
    cut_behind(program, difference);
    for (chunk = program->count / 2 + 1; chunk > 0;) {
        bool went = false;

        for (uint32_t from = 0; from < program->count;) {
            program_without(program, from, chunk, shorter);
            if (pair_run(pair, shorter, &now) == 0 && now.found) {
                *program = *shorter;
                *difference = now;
                cut_behind(program, difference);
                went = true;
            } else {
                from += chunk;
            }
        }
        chunk = chunk > 1 ? chunk / 2 : went ? 1 : 0;
    }
    tp_free(NULL, shorter, sizeof *shorter, 64);
}

/* The steps as a row for the conformance suite, with what Linux said to each. */
static void print_row(const struct program *program, const struct difference *difference,
                      char (*record)[RECORD_MAX])
{
    bool in_tree = difference->step >= program->count;

    (void)printf("as a row for tests/conformance, expecting what Linux does:\n"
                 "    SCRIPT(\"differential_%llu\",\n",
                 (unsigned long long)program->seed);
    for (uint32_t i = 0; i < program->count; i++)
        (void)printf("           \"%s = %s%s\n", program->lines[i], record[i],
                     in_tree || i + 1 < program->count ? "; \"" : "\"),");
    if (in_tree)
        (void)printf("           \"%s = %s\"),\n", difference->line,
                     record[program->count]);
}

void pair_report(struct pair *pair, const struct program *program,
                 const struct difference *difference)
{
    char(*record)[RECORD_MAX] = tp_alloc(NULL, (size_t)OPS_MAX * RECORD_MAX, 64);
    struct difference again;

    tp_assert(record != NULL);
    (void)printf("seed %llu: linux in %s and virtual differ; %u steps are left:\n",
                 (unsigned long long)program->seed, pair->root, program->count);
    for (uint32_t i = 0; i < program->count; i++)
        (void)printf("  %3u  %s\n", i + 1, program->lines[i]);
    if (difference->step >= program->count)
        (void)printf("       %s\n", difference->line);
    (void)printf("         linux    %s\n         virtual  %s\n", difference->sides[0],
                 difference->sides[1]);
    pair->record = record;
    if (pair_run(pair, program, &again) == 0)
        print_row(program, difference, record);
    pair->record = NULL;
    tp_free(NULL, record, (size_t)OPS_MAX * RECORD_MAX, 64);
}
