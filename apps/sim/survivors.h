/** apps/sim/survivors.h - the sets of survivors of one power cut, one after another.
 *
 * What a cut leaves is drawn on the node's crash stream: how operations in flight end, and,
 * of names, data and sizes, first a way that correlates and then, if it says so, of each
 * whether it is kept. Here the way is always the last, each by itself, so a set is the
 * values of all other draws. If there are not more sets than the limit, each comes once; of
 * a draw that says how far or which one, and has many values, only the ends and those next
 * to them are tried, and then these are not all there are. Else come the corner cases (all
 * kept, none, each alone lost, each alone kept; if these are more than half of the limit,
 * some of them, evenly), and then sets that are drawn, until there are as many as the
 * limit.
 *
 * What there is to be chosen is known from a run only. So each call gives what the draws
 * are to be, and is told what they were; the first few runs keep all, to find out. A tape
 * has to realign while it runs with a set (tp_tape_realign()).
 */
#ifndef TEMPEST_APPS_SIM_SURVIVORS_H
#define TEMPEST_APPS_SIM_SURVIVORS_H

#include "io/virtual/tape.h"

/** Draws of one cut that can be chosen from; of a larger one some are left at 0. */
enum { TP_SURVIVORS_DRAWS = 1024 };

/** Of a draw of so many values, all of them are tried. */
enum { TP_SURVIVORS_VALUES = 8 };

/** The value behind `value` that is tried, of a draw of more values one of the ends or next
 * to them; the bound: there is none. */
static inline uint64_t tp_survivors_value_after(const struct tp_draw_entry *entry,
                                                uint64_t value)
{
    do
        value++;
    while (value < entry->bound && entry->bound > TP_SURVIVORS_VALUES && value >= 2 &&
           value + 2 < entry->bound);
    return value;
}

enum tp_survivors_stage {
    TP_SURVIVORS_ASK,    /* everything is kept, to know what there is */
    TP_SURVIVORS_ALL,    /* every set */
    TP_SURVIVORS_CORNER, /* corner cases */
    TP_SURVIVORS_DRAWN,
    TP_SURVIVORS_OVER,
};

struct tp_survivors {
    uint32_t limit; /* sets at most */
    enum tp_survivors_stage stage;
    uint64_t sets; /* so far */
    uint64_t
        there_are; /* sets, at most, as far as the first says; UINT64_MAX: that, or more */
    bool is_set;   /* the last run was one of them, and did not only ask */
    bool skips;    /* of a draw not every value is tried */
    /* What is drawn next, and what all kept is. */
    struct tp_draw_entry next[TP_SURVIVORS_DRAWS], kept[TP_SURVIVORS_DRAWS];
    uint32_t next_count, kept_count;
    uint64_t corner, corners, step; /* the next one, how many there are, and are passed */
};

/** Begins with the first. `limit` is at least 1. */
void tp_survivors_begin(struct tp_survivors *survivors, uint32_t limit);

/** Puts the next set behind what the stream has, which is what is drawn before the cut. 0,
 * or -ENOMEM. There must be one. */
int tp_survivors_put(const struct tp_survivors *survivors, struct tp_tape *tape,
                     uint32_t stream);

/** Is told what was drawn at the cut: from `from` on, up to `to`. False: that was the last
 * set. */
bool tp_survivors_note(struct tp_survivors *survivors, const struct tp_tape *tape,
                       uint32_t stream, uint64_t from, uint64_t to);

/** Whether every set there is came, or comes. */
bool tp_survivors_are_all(const struct tp_survivors *survivors);

#endif
