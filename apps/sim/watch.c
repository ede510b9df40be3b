/* What a watcher is told, and the barriers of an explanation. */
#include <string.h>

#include "apps/sim/sim_internal.h"
#include "io/virtual/disk_internal.h"
#include "runtime/scheduler_internal.h"

void tp_sim_tell(const struct tp_sim *sim, enum tp_fact_kind kind, uint32_t detail,
                 const struct tp_node *node, const char *text)
{
    struct tp_fact fact = {
        .kind = (uint32_t)kind, .detail = detail, .node = node, .text = text};

    if (sim->options.watch == NULL)
        return;
    fact.at_ns = tp_world_now_ns(sim->world);
    sim->options.watch->fact(sim->options.watch->context, &fact);
}

bool tp_watch_is_ready_made(const char *file)
{
    static const char *const places[] = {"sm/", "zoo/kit."};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *at = strstr(file, places[i]);

        if (at != NULL && (at == file || at[-1] == '/'))
            return true;
    }
    return false;
}

/* The same, of a file whose name stays where it is: to look for words in it takes longer
 * than to note a moment. */
static bool is_ready_made(struct tp_sim *sim, const char *file)
{
    const uint32_t place = (uint32_t)((uintptr_t)file >> 3 ^ (uintptr_t)file >> 7);

    if (sim->asked[place % SIM_ASKED].file != file) {
        sim->asked[place % SIM_ASKED].file = file;
        sim->asked[place % SIM_ASKED].is_ready_made = tp_watch_is_ready_made(file);
    }
    return sim->asked[place % SIM_ASKED].is_ready_made;
}

/* Where an operation was submitted; the op table knows until it is claimed. Of what a
 * ready-made machine does, it is where that was started, since there is what can be wrong.
 */
void tp_watch_site(const struct tp_node *node, uint64_t handle, const char **ret_file,
                   uint32_t *ret_line, uint32_t *ret_machine)
{
    const struct tp_slots *slots;
    const struct tp_slot *slot;

    if (node->scheduler == NULL)
        return; /* the process is gone: nobody waits for it any more */
    slots = &node->scheduler->slots;
    if (!tp_slots_hold(slots, handle))
        return;
    slot = &slots->slots[tp_slot_index(handle)];
    while (slot->owner != NULL && slot->owner->end_slot != 0 && slot->file != NULL &&
           is_ready_made(node->sim, slot->file))
        slot = &slots->slots[slot->owner->end_slot];
    *ret_file = slot->file;
    *ret_line = tp_slot_line(slot);
    *ret_machine = slot->owner == NULL ? 0 : slot->owner->index + 1;
}

bool tp_watch_timer(const struct tp_node *node, uint64_t *handle)
{
    const struct tp_slots *slots;
    uint32_t index = *handle == 0 ? 1 : tp_slot_index(*handle) + 1;

    if (node->scheduler == NULL)
        return false;
    slots = &node->scheduler->slots;
    for (; index < slots->fresh; index++) {
        const struct tp_slot *slot = &slots->slots[index];

        if (slot->kind != TP_TIMER || slot->state != TP_SLOT_FLYING)
            continue;
        *handle = tp_slot_handle(slots, index);
        return true;
    }
    return false;
}

static void tell_moment(struct tp_node *node, const struct tp_virtual_moment *moment)
{
    struct tp_fact fact = {.kind = TP_FACT_OPERATION, .node = node, .moment = moment};

    fact.at_ns = tp_world_now_ns(node->sim->world);
    tp_watch_site(node, moment->request->handle, &fact.file, &fact.line, &fact.machine);
    node->sim->options.watch->fact(node->sim->options.watch->context, &fact);
}

static void set_mute(struct tp_node *node, bool is_mute)
{
    node->is_mute = is_mute;
    tp_chaos_set_links(node->sim);
}

/* What its last process sent that nobody has received never will be: else it would arrive
 * from now on. */
void tp_watch_boot(struct tp_node *node)
{
    struct tp_sim *sim = node->sim;

    if (node->stays_mute)
        return;
    for (uint32_t i = 0; i < sim->node_count && node->is_mute; i++) {
        if (i != node->index && node->host != 0 && sim->nodes[i]->host != 0)
            (void)tp_net_reset(sim->net, node->host, sim->nodes[i]->host);
    }
    if (node->is_mute)
        set_mute(node, false);
}

uint32_t tp_watch_start_of(const struct tp_virtual_moment *moment)
{
    bool in_dir = (moment->request->flags & TP_IN_DIR) != 0;

    return in_dir && moment->inode != 0 ? moment->inode : TP_ROOT;
}

uint32_t tp_watch_dir_of(const struct tp_disk *disk, const struct tp_virtual_moment *moment)
{
    struct tp_walked walked;

    if (moment->path == NULL || tp_path_walk(disk, tp_watch_start_of(moment), moment->path,
                                             TP_WALK_PARENT, &walked) < 0)
        return 0;
    return walked.parent;
}

uint32_t tp_watch_to_dir_of(const struct tp_disk *disk,
                            const struct tp_virtual_moment *moment)
{
    bool in_dir = (moment->request->flags & TP_IN_DIR) != 0;
    struct tp_walked walked;

    if (moment->to_path == NULL ||
        tp_path_walk(disk, in_dir && moment->to_inode != 0 ? moment->to_inode : TP_ROOT,
                     moment->to_path, TP_WALK_PARENT, &walked) < 0)
        return 0;
    return walked.parent;
}

/* Which file or directory that is, the run says, and not the ghost: after another ghost it
 * may have another number, since what is durable sooner is freed sooner; or the run is
 * another one, in which there is no such thing. */
static void appear(struct tp_node *node, const struct tp_ghost *ghost,
                   const struct tp_virtual_moment *moment)
{
    const struct tp_disk *disk = node->disk;
    uint32_t inode = ghost->to      ? tp_watch_to_dir_of(disk, moment)
                     : ghost->names ? tp_watch_dir_of(disk, moment)
                                    : moment->inode;

    if (ghost->mutes) {
        node->stays_mute = node->stays_mute || ghost->stays;
        set_mute(node, true);
        return;
    }
    if (inode == 0 ||
        (tp_inode_at(disk, inode)->kind == TP_FILE_DIRECTORY) != ghost->names ||
        tp_inode_at(disk, inode)->kind == TP_FILE_OTHER)
        return;
    if (ghost->names)
        tp_name_log_commit_dir(node->disk, inode);
    else
        tp_media_sync(node->disk, inode, true);
}

void tp_watch_moment(struct tp_node *node, const struct tp_virtual_moment *moment)
{
    const struct tp_sim_options *options = &node->sim->options;

    if (moment->stage == TP_VIRTUAL_EFFECT)
        node->effects++;
    if (options->watch != NULL)
        tell_moment(node, moment);
    if (moment->stage != TP_VIRTUAL_EFFECT)
        return;
    for (uint32_t i = 0; i < options->ghost_count; i++) {
        if (options->ghosts[i].node == node->index &&
            options->ghosts[i].effect == node->effects)
            appear(node, &options->ghosts[i], moment);
    }
}
