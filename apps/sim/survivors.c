#include "apps/sim/survivors.h"

#include <string.h>

/* ------------------------------------------------------------------ draws */

static bool is_way(const struct tp_draw_entry *entry)
{
    return entry->kind == TP_DRAW_CUT_NAMES || entry->kind == TP_DRAW_CUT_DATA ||
           entry->kind == TP_DRAW_CUT_SIZES;
}

/* The last way is the one by which each is chosen by itself. */
static uint64_t way_of(const struct tp_draw_entry *entry)
{
    return entry->bound - 1;
}

/* How many values are tried. */
static uint64_t width(const struct tp_draw_entry *entry)
{
    if (is_way(entry))
        return 1;
    return entry->bound <= TP_SURVIVORS_VALUES ? entry->bound : 4;
}

/* As many at most, with what is drawn besides for some of them: how long a part is, where a
 * sector is torn, up to where a file has grown. */
static uint64_t width_with_parts(const struct tp_draw_entry *entry)
{
    switch (entry->kind) {
    case TP_DRAW_CUT_OP:
    case TP_DRAW_CUT_SIZE:
        return width(entry) + (entry->bound > 2 ? TP_SURVIVORS_VALUES - 1 : 0);
    case TP_DRAW_CUT_SECTOR:
        return width(entry) + (entry->bound > 4 ? 2 * (TP_SURVIVORS_VALUES - 1) : 0);
    default:
        return width(entry);
    }
}

/* Where everything is kept, but each by itself. */
static uint64_t first_value(const struct tp_draw_entry *entry)
{
    return is_way(entry) ? way_of(entry) : 0;
}

/* The mildest loss. */
static uint64_t lost_value(const struct tp_draw_entry *entry)
{
    return entry->bound > 1 ? 1 : 0;
}

/* ------------------------------------------------------------------ every set */

/* Counts up, the last draw first. False: that was the last one. */
static bool advance(struct tp_survivors *s)
{
    for (uint32_t i = s->next_count; i > 0; i--) {
        struct tp_draw_entry *entry = &s->next[i - 1];
        uint64_t value =
            is_way(entry) ? entry->bound : tp_survivors_value_after(entry, entry->value);

        if (value >= entry->bound)
            continue;
        entry->value = value;
        for (uint32_t later = i; later < s->next_count; later++)
            s->next[later].value = first_value(&s->next[later]);
        return true;
    }
    return false;
}

static uint64_t count_sets(const struct tp_survivors *s)
{
    uint64_t count = 1;

    if (s->next_count == TP_SURVIVORS_DRAWS)
        return UINT64_MAX; /* what is behind is not seen */
    for (uint32_t i = 0; i < s->next_count; i++) {
        if (__builtin_mul_overflow(count, width_with_parts(&s->next[i]), &count))
            return UINT64_MAX;
    }
    return count;
}

/* ------------------------------------------------------------------ corner cases
 *
 * 0: none is kept; then of each draw each other value, alone; then of each draw that it
 * alone is kept. That all is kept came before. */

static uint64_t count_corners(const struct tp_survivors *s)
{
    uint64_t count = 1;

    for (uint32_t i = 0; i < s->kept_count; i++) {
        if (!is_way(&s->kept[i]))
            count += width(&s->kept[i]);
    }
    return count;
}

/* By the ways that say so: of none there is anything more to choose. */
static void put_none(struct tp_survivors *s)
{
    s->next_count = 0;
    for (uint32_t i = 0; i < s->kept_count; i++) {
        struct tp_draw_entry entry = s->kept[i];

        if (!is_way(&entry) && entry.kind != TP_DRAW_CUT_OP &&
            entry.kind != TP_DRAW_CUT_ORDER)
            continue;
        entry.value = entry.kind == TP_DRAW_CUT_ORDER ? 0 : lost_value(&entry);
        s->next[s->next_count++] = entry;
    }
}

static void keep_alone(struct tp_survivors *s, uint32_t index)
{
    for (uint32_t i = 0; i < s->next_count; i++) {
        if (!is_way(&s->next[i]))
            s->next[i].value = i == index ? 0 : lost_value(&s->next[i]);
    }
}

static void put_corner(struct tp_survivors *s, uint64_t corner)
{
    memcpy(s->next, s->kept, s->kept_count * sizeof *s->kept);
    s->next_count = s->kept_count;
    if (corner == 0) {
        put_none(s);
        return;
    }
    corner--;
    for (uint32_t i = 0; i < s->kept_count; i++) {
        uint64_t others = width(&s->kept[i]) - 1, value = 0;

        if (is_way(&s->kept[i]))
            continue;
        if (corner > others) {
            corner -= others + 1;
            continue;
        }
        if (corner == others) {
            keep_alone(s, i);
            return;
        }
        for (uint64_t more = 0; more <= corner; more++)
            value = tp_survivors_value_after(&s->kept[i], value);
        s->next[i].value = value;
        return;
    }
    tp_unreachable();
}

/* ------------------------------------------------------------------ one after another */

void tp_survivors_begin(struct tp_survivors *survivors, uint32_t limit)
{
    static const enum tp_draw ways[] = {TP_DRAW_CUT_NAMES, TP_DRAW_CUT_DATA,
                                        TP_DRAW_CUT_SIZES};

    tp_assert(limit > 0);
    memset(survivors, 0, sizeof *survivors);
    survivors->limit = limit;
    /* The last way, whatever there is: it is clamped to that. */
    for (uint32_t i = 0; i < sizeof ways / sizeof *ways; i++)
        survivors->next[survivors->next_count++] = (struct tp_draw_entry){
            .bound = UINT64_MAX, .value = UINT64_MAX - 1, .kind = (uint32_t)ways[i]};
}

int tp_survivors_put(const struct tp_survivors *survivors, struct tp_tape *tape,
                     uint32_t stream)
{
    /* Never drawn there: behind it nothing is, so what is drawn anew is recorded as 0. */
    static const struct tp_draw_entry end = {.bound = 1, .kind = TP_DRAW_SEED};
    uint64_t at = tp_tape_count(tape, stream);
    int error = 0;

    tp_assert(survivors->stage != TP_SURVIVORS_OVER);
    if (survivors->stage == TP_SURVIVORS_DRAWN)
        return tp_tape_go_on(tape, stream, survivors->sets);
    for (uint32_t i = 0; i < survivors->next_count && error == 0; i++)
        error = tp_tape_put(tape, stream, at++, survivors->next[i]);
    return error < 0 ? error : tp_tape_put(tape, stream, at, end);
}

/* What was drawn becomes what comes next. False: a way was not the last one. */
static bool learn(struct tp_survivors *s, const struct tp_tape *tape, uint32_t stream,
                  uint64_t from, uint64_t to)
{
    bool good = true;

    s->next_count = 0;
    for (uint64_t i = from; i < to && s->next_count < TP_SURVIVORS_DRAWS; i++) {
        struct tp_draw_entry entry = tp_tape_entry(tape, stream, i);

        if (entry.value >= entry.bound)
            entry.value = entry.bound - 1;
        if (is_way(&entry) && entry.value != way_of(&entry)) {
            entry.value = way_of(&entry);
            good = false;
        }
        s->skips = s->skips || (!is_way(&entry) && entry.bound > TP_SURVIVORS_VALUES);
        s->next[s->next_count++] = entry;
    }
    return good;
}

/* Everything is known that can be chosen when all is kept. */
static void choose_stage(struct tp_survivors *s)
{
    memcpy(s->kept, s->next, s->next_count * sizeof *s->next);
    s->kept_count = s->next_count;
    s->there_are = count_sets(s);
    s->stage = s->there_are <= s->limit ? TP_SURVIVORS_ALL : TP_SURVIVORS_CORNER;
    s->corners = count_corners(s);
    s->step = s->corners / (s->limit / 2 + 1) + 1;
}

static void go_on(struct tp_survivors *s)
{
    if (s->stage == TP_SURVIVORS_ALL) {
        if (!advance(s))
            s->stage = TP_SURVIVORS_OVER;
        else if (s->sets >= s->limit)
            s->there_are = UINT64_MAX; /* more than it seemed */
    }
    if (s->sets >= s->limit)
        s->stage = TP_SURVIVORS_OVER;
    if (s->stage != TP_SURVIVORS_CORNER)
        return;
    if (s->corner >= s->corners) {
        s->stage = TP_SURVIVORS_DRAWN;
        return;
    }
    put_corner(s, s->corner);
    s->corner += s->step;
}

bool tp_survivors_note(struct tp_survivors *survivors, const struct tp_tape *tape,
                       uint32_t stream, uint64_t from, uint64_t to)
{
    bool asks = survivors->stage == TP_SURVIVORS_ASK;
    bool learns = asks || survivors->stage == TP_SURVIVORS_ALL;

    survivors->is_set = !learns || learn(survivors, tape, stream, from, to);
    if (!survivors->is_set)
        return true; /* once more, with these ways */
    if (asks)
        choose_stage(survivors);
    survivors->sets++;
    go_on(survivors);
    return survivors->stage != TP_SURVIVORS_OVER;
}

bool tp_survivors_are_all(const struct tp_survivors *survivors)
{
    return survivors->there_are <= survivors->limit && !survivors->skips &&
           survivors->stage != TP_SURVIVORS_ASK;
}
