#include "layout.h"

#include <stdlib.h>
#include <string.h>

static void read_groups(const uint8_t *bytes, const struct tp_journal_segment *segment,
                        struct layout *layout)
{
    uint64_t at = TP_JOURNAL_BLOCK;

    while (at < segment->size_bytes) {
        struct tp_journal_place place = {segment->log_id, segment->number, at,
                                         segment->size_bytes - at};
        struct tp_journal_group group;

        if (!tp_journal_group_peek(bytes + at, &place, &group) ||
            !tp_journal_group_check(bytes + at, &group)) {
            at += TP_JOURNAL_BLOCK;
            continue;
        }
        tp_assert(layout->group_count < LAYOUT_GROUPS_MAX);
        layout->groups[layout->group_count++] = group;
        at += tp_journal_padded(group.len);
    }
}

void layout_read(struct world *world, uint64_t lowest, struct layout *ret_layout)
{
    struct tp_statx statx;

    memset(ret_layout, 0, sizeof *ret_layout);
    ret_layout->lowest = lowest;
    for (uint64_t number = lowest;
         tp_disk_stat(world->disk, world_segment(number), false, &statx) == 0; number++) {
        struct tp_journal_segment *segment =
            &ret_layout->segments[ret_layout->segment_count++];
        uint8_t *bytes = malloc(statx.size);
        int error;

        tp_assert(bytes != NULL && ret_layout->segment_count <= LAYOUT_SEGMENTS_MAX);
        world_read(world, number, 0, bytes, (uint32_t)statx.size);
        error = tp_journal_segment_decode(bytes, segment);
        tp_assert(error == 0 && segment->size_bytes == statx.size);
        read_groups(bytes, segment, ret_layout);
        ret_layout->highest = number;
        free(bytes);
    }
}
