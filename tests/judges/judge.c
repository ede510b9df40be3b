#include "judge_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUESSES_MAX = 2000000 };

const struct judge_rules judge_rules[] = {
    {.name = "paranoid"},
    {.name = "ext4", .names_in_order = true, .sync_all_names = true},
    {.name = "xfs", .names_in_order = true, .sync_all_names = true},
    {.name = "btrfs",
     .sync_own_names = true,
     .both_names = true,
     .replaces_in_two = true,
     .passing_names = true},
    {.name = "at-once", .names_in_order = true, .at_once = true},
};
const uint32_t judge_rules_count = sizeof judge_rules / sizeof judge_rules[0];

/* ------------------------------------------------------------------ what was promised */

static bool needs(const struct name_op *later, const struct name_op *earlier)
{
    uint32_t places[2] = {later->from, later->to};

    if (later->moves_dir && earlier->moves_dir)
        return true;
    for (uint32_t i = 0; i < 2; i++) {
        if (places[i] != 0 && (places[i] == earlier->from || places[i] == earlier->to))
            return true;
    }
    return false;
}

/* Whether an operation takes a name away that a new file had for a while; what made it, in
 * `ret_made`. */
static bool ends_passing(const struct trial *trial, uint32_t op, uint32_t *ret_made)
{
    const struct name_op *ops = trial->history->name_ops;
    uint32_t place = ops[op].from;

    if (!trial->rules->passing_names || trial->least || place == 0)
        return false;
    for (uint32_t made = op; made > 0; made--) {
        const struct name_op *o = &ops[made - 1];

        if (o->from != place && o->to != place)
            continue;
        *ret_made = made - 1;
        return o->from == 0 && o->to == place && o->object == ops[op].object;
    }
    return false;
}

static bool is_in_dir(const struct history *h, const struct name_op *op, uint32_t dir)
{
    return (op->from != 0 && h->places[op->from].dir == dir) ||
           (op->to != 0 && h->places[op->to].dir == dir);
}

/* Whether a sync made an operation on names durable, by R5 and the profile. */
static bool sync_covers(const struct trial *trial, const struct sync *sync,
                        const struct name_op *op)
{
    const struct judge_rules *rules = trial->rules;

    if (op->act >= sync->act)
        return false;
    if (sync->data_only)
        return false;
    if (rules->sync_all_names && op->act < sync->changed)
        return true;
    if (trial->history->objects[sync->object].is_dir)
        return is_in_dir(trial->history, op, sync->object);
    return rules->sync_own_names && sync->named && op->object == sync->object;
}

/* Whether the later operation, which was promised, takes the earlier one along. */
static bool takes_along(const struct trial *trial, uint32_t later, uint32_t op)
{
    const struct name_op *ops = trial->history->name_ops;
    uint32_t made = 0;

    if (trial->rules->names_in_order)
        return true;
    if (!needs(&ops[later], &ops[op]))
        return false;
    /* Neither what took a passing name away nor what made it is needed by what comes into
     * its place. */
    for (uint32_t end = op; end < later; end++) {
        if (ends_passing(trial, end, &made) && (end == op || made == op) &&
            ops[later].to == ops[end].from && ops[later].from == 0 && !trial->promised[end])
            return false;
    }
    return true;
}

static void find_promised(struct trial *trial)
{
    const struct history *h = trial->history;

    for (uint32_t i = 0; i < h->sync_count; i++) {
        for (uint32_t op = 0; op < trial->op_count; op++) {
            if (act_has_ended(trial, h->syncs[i].act) &&
                sync_covers(trial, &h->syncs[i], &h->name_ops[op]))
                trial->promised[op] = true;
        }
    }
    for (uint32_t op = 0; op < trial->op_count; op++) {
        if (trial->rules->at_once && act_has_ended(trial, h->name_ops[op].act))
            trial->promised[op] = true;
    }
    for (uint32_t later = trial->op_count; later > 0; later--) {
        for (uint32_t op = 0; op < later - 1 && trial->promised[later - 1]; op++) {
            if (takes_along(trial, later - 1, op))
                trial->promised[op] = true;
        }
    }
}

/* ------------------------------------------------------------------ guesses */

static void op_apply(struct trial *trial, uint32_t index)
{
    const struct name_op *op = &trial->history->name_ops[index];

    trial->kept[index] = true;
    if (op->from != 0)
        trial->value[op->from] = 0;
    if (op->to != 0)
        trial->value[op->to] = op->object;
}

/* Whether an operation would be promised, were every write in place a change. */
static bool is_before_write(const struct trial *trial, uint32_t op)
{
    const struct history *h = trial->history;

    for (uint32_t i = 0; i < h->sync_count && trial->rules->sync_all_names; i++) {
        if (!h->syncs[i].data_only && act_has_ended(trial, h->syncs[i].act) &&
            h->name_ops[op].act < h->syncs[i].touched)
            return true;
    }
    return false;
}

static void count_names(const struct trial *trial, uint32_t program,
                        struct judge_tally *tally)
{
    bool lost = false;

    for (uint32_t op = 0; op < trial->op_count; op++) {
        if (trial->history->name_ops[op].program != program)
            continue;
        tally->names_promised += trial->promised[op];
        tally->names_kept += trial->kept[op] && !trial->promised[op];
        tally->names_lost += !trial->kept[op];
        tally->names_bare += trial->bare[op];
        tally->names_before += !trial->kept[op] && is_before_write(trial, op);
        tally->names_reordered += trial->kept[op] && lost;
        lost = lost || !trial->kept[op];
    }
}

static void count_files(const struct judge_tally *files, struct judge_tally *tally)
{
    tally->files += files->files;
    tally->names_both += files->names_both;
    tally->files_newest += files->files_newest;
    tally->files_synced += files->files_synced;
    tally->files_between += files->files_between;
    tally->sizes_alone += files->sizes_alone;
    tally->sizes_past += files->sizes_past;
    tally->sectors += files->sectors;
    tally->sectors_old += files->sectors_old;
    tally->sectors_past += files->sectors_past;
    tally->mixed += files->mixed;
}

/* The first `kept` operations of all programs survive, or only those that were promised. */
static bool try_first(struct trial *trial, uint32_t kept)
{
    static const struct judge_tally none;

    memset(trial->value, 0, sizeof trial->value);
    memset(trial->kept, 0, sizeof trial->kept);
    trial->files = none;
    for (uint32_t op = 0; op < kept; op++) {
        if (!trial->least || trial->promised[op])
            op_apply(trial, op);
    }
    for (uint32_t program = 0; program < PROGRAMS; program++) {
        if (!tree_is_allowed(trial, program))
            return false;
    }
    return true;
}

static bool judge_in_order(struct trial *trial, struct judge_tally *tally)
{
    uint32_t least = 0;

    for (uint32_t op = 0; op < trial->op_count; op++)
        least = trial->promised[op] ? op + 1 : least;
    for (uint32_t kept = trial->op_count + 1; kept > least; kept--) {
        if (!try_first(trial, kept - 1))
            continue;
        for (uint32_t program = 0; program < PROGRAMS; program++)
            count_names(trial, program, tally);
        count_files(&trial->files, tally);
        return true;
    }
    return false;
}

/* Whether a rename that was lost may have taken away what it replaced by the guess: not if
 * what is renamed, or the directory that it comes from, has changed and was synced since
 * the replaced one got the name. */
static bool replaces_in_two(const struct trial *trial, uint32_t op)
{
    const struct history *h = trial->history;
    const struct name_op *o = &h->name_ops[op];
    uint32_t named = 0;

    if (!trial->rules->replaces_in_two || o->from == 0 || o->to == 0 ||
        trial->blocked[o->to] || trial->value[o->to] == 0)
        return false;
    for (uint32_t i = 0; i < op; i++)
        named = h->name_ops[i].to == o->to ? h->name_ops[i].act : named;
    for (uint32_t i = 0; i < h->sync_count && h->syncs[i].act < o->act; i++) {
        const struct sync *sync = &h->syncs[i];

        if ((sync->object == o->object || sync->object == h->places[o->from].dir) &&
            sync->changed > named)
            return false;
    }
    return true;
}

static bool try_each(struct trial *trial, uint32_t program, uint32_t op, bool dirs_blocked);

/* The rest, without an operation. */
static bool try_lost(struct trial *trial, uint32_t program, uint32_t op, bool dirs_blocked)
{
    struct name_op at = trial->history->name_ops[op];
    bool blocked[2] = {trial->blocked[at.from], trial->blocked[at.to]};
    bool in_two = replaces_in_two(trial, op);
    uint32_t replaced = trial->value[at.to], made = 0;
    bool allowed;

    dirs_blocked = dirs_blocked || at.moves_dir;
    trial->blocked[at.from] = !(ends_passing(trial, op, &made) && !trial->kept[made]);
    trial->blocked[at.to] = true;
    allowed = try_each(trial, program, op + 1, dirs_blocked);
    if (!allowed && in_two) {
        trial->bare[op] = true;
        trial->value[at.to] = 0;
        allowed = try_each(trial, program, op + 1, dirs_blocked);
    }
    if (allowed)
        return true;
    trial->bare[op] = false;
    trial->value[at.to] = replaced;
    trial->blocked[at.from] = blocked[0];
    trial->blocked[at.to] = blocked[1];
    return false;
}

/* Decides on one operation after the other, in their order; a lost one takes those with it
 * that need it. */
static bool try_each(struct trial *trial, uint32_t program, uint32_t op, bool dirs_blocked)
{
    struct name_op at;
    uint32_t values[2];

    while (op < trial->op_count && trial->history->name_ops[op].program != program)
        op++;
    if (trial->guesses > GUESSES_MAX) { /* a part of a guess is none */
        (void)snprintf(trial->why, WHY_BYTES, "w%u: too many guesses", program);
        return false;
    }
    if (op == trial->op_count) {
        static const struct judge_tally none;

        trial->guesses++;
        trial->files = none;
        return tree_is_allowed(trial, program);
    }
    at = trial->history->name_ops[op];
    values[0] = trial->value[at.from];
    values[1] = trial->value[at.to];
    if (!(at.from != 0 && trial->blocked[at.from]) &&
        !(at.to != 0 && trial->blocked[at.to]) && !(at.moves_dir && dirs_blocked)) {
        op_apply(trial, op);
        if (try_each(trial, program, op + 1, dirs_blocked))
            return true;
        trial->kept[op] = false;
        trial->value[at.from] = values[0];
        trial->value[at.to] = values[1];
    }
    return !trial->promised[op] && try_lost(trial, program, op, dirs_blocked);
}

static bool judge_each(struct trial *trial, struct judge_tally *tally)
{
    for (uint32_t program = 0; program < PROGRAMS; program++) {
        trial->guesses = 0;
        trial->matched = false;
        if (!try_each(trial, program, 0, false))
            return false;
        count_names(trial, program, tally);
        count_files(&trial->files, tally);
    }
    return true;
}

static struct trial *trial_create(const struct judge_rules *rules,
                                  const struct history *history, const struct seen *seen,
                                  uint32_t cut, bool least)
{
    struct trial *trial = calloc(1, sizeof *trial);

    tp_assert(trial != NULL);
    trial->rules = rules;
    trial->history = history;
    trial->seen = seen;
    trial->cut = cut;
    trial->least = least;
    while (trial->op_count < history->name_op_count &&
           act_has_begun(trial, history->name_ops[trial->op_count].act))
        trial->op_count++;
    find_promised(trial);
    return trial;
}

bool judge_least(const struct judge_rules *rules, const struct history *history,
                 const struct seen *seen, uint32_t cut, char ret_why[512])
{
    struct trial *trial = trial_create(rules, history, seen, cut, true);
    bool allowed;

    allowed = try_first(trial, trial->op_count);
    if (!allowed)
        (void)snprintf(ret_why, WHY_BYTES, "at least, simulated: %.400s", trial->why);
    free(trial);
    return allowed;
}

bool judge(const struct judge_rules *rules, const struct history *history,
           const struct seen *seen, uint32_t cut, struct judge_tally *tally,
           char ret_why[512])
{
    struct trial *trial = trial_create(rules, history, seen, cut, false);
    bool allowed;

    tally->cuts++;
    tally->programs += PROGRAMS;
    if (seen->trouble[0] != '\0') {
        allowed = false;
        (void)snprintf(trial->why, WHY_BYTES, "%s", seen->trouble);
    } else {
        allowed =
            rules->names_in_order ? judge_in_order(trial, tally) : judge_each(trial, tally);
    }
    if (!allowed)
        (void)snprintf(ret_why, WHY_BYTES, "%s", trial->why);
    free(trial);
    return allowed;
}
