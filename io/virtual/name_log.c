/* Operations on names that the media do not have yet.
 *
 * Rule R5: each is atomic (but see leaves_old_name() and replaces_in_two()), may be lost,
 * and may be kept while an earlier one is lost, unless it needs the earlier one: because
 * both touch the same name, or because both move directories (without that order a
 * directory could come to lie within itself). Every choice below is closed under that need.
 */
#include "disk_internal.h"

static bool is_same_place(const struct tp_disk *disk, const struct tp_name_place *a,
                          const struct tp_name_place *b)
{
    if (a->dir == 0 || a->dir != b->dir || a->hash != b->hash || a->name_len != b->name_len)
        return false;
    for (uint32_t i = 0; i < a->name_len; i++) {
        if (tp_texts_at(&disk->texts, a->name)[i] != tp_texts_at(&disk->texts, b->name)[i])
            return false;
    }
    return true;
}

/* Whether the later operation cannot be without the earlier one. */
static bool needs(const struct tp_disk *disk, const struct tp_name_op *later,
                  const struct tp_name_op *earlier)
{
    return (later->moves_dir && earlier->moves_dir) ||
           is_same_place(disk, &later->from, &earlier->from) ||
           is_same_place(disk, &later->from, &earlier->to) ||
           is_same_place(disk, &later->to, &earlier->from) ||
           is_same_place(disk, &later->to, &earlier->to);
}

static struct tp_name_place place_make(struct tp_disk *disk, const struct tp_spot *spot)
{
    struct tp_name_place place = {0, 0, 0, 0};

    if (spot == NULL)
        return place;
    place.dir = spot->dir;
    place.name_len = spot->len;
    place.hash = tp_name_hash(spot->dir, spot->name, spot->len);
    place.name = tp_texts_add(&disk->texts, spot->name, spot->len, disk->allocator);
    tp_inode_at(disk, spot->dir)->pending++;
    return place;
}

static void place_forget(struct tp_disk *disk, const struct tp_name_place *place)
{
    if (place->dir == 0)
        return;
    tp_texts_remove(&disk->texts, place->name);
    tp_assert(tp_inode_at(disk, place->dir)->pending > 0);
    tp_inode_at(disk, place->dir)->pending--;
    tp_inode_settle(disk, place->dir);
}

/* The file and the directories have changed, and the operation is part of that. */
static void note_change(struct tp_disk *disk, struct tp_name_op *op, uint32_t inode)
{
    op->number = ++disk->name_ops_made;
    tp_inode_at(disk, inode)->changed_at = op->number;
    if (op->to.dir != 0)
        tp_inode_at(disk, inode)->named_at = op->number;
    if (op->from.dir != 0)
        tp_inode_at(disk, op->from.dir)->changed_at = op->number;
    if (op->to.dir != 0)
        tp_inode_at(disk, op->to.dir)->changed_at = op->number;
}

void tp_name_log_add(struct tp_disk *disk, const struct tp_spot *from,
                     const struct tp_spot *to, uint32_t inode)
{
    struct tp_name_place from_place = place_make(disk, from);
    struct tp_name_place to_place = place_make(disk, to);
    uint32_t op = tp_pool_take(&disk->name_ops, disk->allocator);
    struct tp_name_op *o = tp_name_op_at(disk, op);

    tp_assert(from != NULL || to != NULL);
    o->from = from_place;
    o->to = to_place;
    o->inode = inode;
    o->moves_dir =
        from != NULL && to != NULL && tp_inode_at(disk, inode)->kind == TP_FILE_DIRECTORY;
    tp_inode_at(disk, inode)->pending++;
    note_change(disk, o, inode);
    o->prev = disk->name_op_last;
    if (o->prev != 0)
        tp_name_op_at(disk, o->prev)->next = op;
    else
        disk->name_op_first = op;
    disk->name_op_last = op;
    if (disk->name_ops.live > disk->config.names_pending_max)
        tp_name_log_commit_op(disk, disk->name_op_first);
}

/* Whether a rename is two operations, of which the first takes away what it replaces. So it
 * is on btrfs: its log forgets the replaced one at once, and takes in the rename only if it
 * has what is renamed, or the directory that that comes from. It has what was changed and
 * synced since the replaced one got its name; and of what is older than a sync of all it
 * forgets nothing. */
static bool replaces_in_two(const struct tp_disk *disk, const struct tp_spot *from,
                            uint32_t inode, uint32_t replaced)
{
    uint64_t named_at = tp_inode_at(disk, replaced)->named_at;

    return disk->rules->replaces_in_two && named_at > disk->name_ops_whole &&
           tp_inode_at(disk, inode)->synced_at < named_at &&
           tp_inode_at(disk, from->dir)->synced_at < named_at;
}

void tp_name_log_rename(struct tp_disk *disk, const struct tp_spot *from,
                        const struct tp_spot *to, uint32_t inode, uint32_t replaced)
{
    if (replaced != 0 && replaces_in_two(disk, from, inode, replaced))
        tp_name_log_add(disk, to, NULL, replaced);
    tp_name_log_add(disk, from, to, inode);
}

/* Takes an operation out of the log, whatever became of it. */
static void op_forget(struct tp_disk *disk, uint32_t op)
{
    struct tp_name_op o = *tp_name_op_at(disk, op);

    if (o.prev != 0)
        tp_name_op_at(disk, o.prev)->next = o.next;
    else
        disk->name_op_first = o.next;
    if (o.next != 0)
        tp_name_op_at(disk, o.next)->prev = o.prev;
    else
        disk->name_op_last = o.prev;
    tp_pool_give(&disk->name_ops, op);
    place_forget(disk, &o.from);
    place_forget(disk, &o.to);
    tp_assert(tp_inode_at(disk, o.inode)->pending > 0);
    tp_inode_at(disk, o.inode)->pending--;
    tp_inode_settle(disk, o.inode);
}

/* Removes a name from the media; false if it was not there. */
static bool clear_on_media(struct tp_disk *disk, const struct tp_name_place *place)
{
    uint32_t entry = tp_names_find(disk, TP_ON_MEDIA, place->dir,
                                   tp_texts_at(&disk->texts, place->name), place->name_len);
    uint32_t inode;

    if (entry == 0)
        return false;
    inode = tp_entry_at(disk, TP_ON_MEDIA, entry)->inode;
    tp_names_remove(disk, TP_ON_MEDIA, entry);
    tp_inode_settle(disk, inode);
    return true;
}

/* What an operation does, done to the names on the media. */
static void op_apply(struct tp_disk *disk, uint32_t op)
{
    struct tp_name_op o = *tp_name_op_at(disk, op);

    if (o.from.dir != 0) {
        bool was_there = clear_on_media(disk, &o.from);

        tp_assert(was_there); /* what made the name was needed, so it came before */
    }
    if (o.to.dir != 0) {
        (void)clear_on_media(disk, &o.to);
        tp_names_add(disk, TP_ON_MEDIA, o.to.dir, tp_texts_at(&disk->texts, o.to.name),
                     o.to.name_len, o.inode);
    }
    op_forget(disk, op);
}

/* Marks what the marked operations need, from the last to the first. Operations that lie
 * within `dir` alone are skipped: what they need lies there too, and is marked already. */
static void mark_needed(struct tp_disk *disk, uint32_t dir)
{
    for (uint32_t op = disk->name_op_last; op != 0; op = tp_name_op_at(disk, op)->prev) {
        const struct tp_name_op *o = tp_name_op_at(disk, op);
        bool within = (o->from.dir == 0 || o->from.dir == dir) &&
                      (o->to.dir == 0 || o->to.dir == dir) && !o->moves_dir;

        if (!o->marked || (dir != 0 && within))
            continue;
        for (uint32_t earlier = o->prev; earlier != 0;
             earlier = tp_name_op_at(disk, earlier)->prev) {
            struct tp_name_op *e = tp_name_op_at(disk, earlier);

            if (!e->marked && needs(disk, o, e))
                e->marked = true;
        }
    }
}

/* Whether of a rename only the new name goes to the media: a sync of that one's directory
 * says nothing of the old one's (btrfs), unless an operation that goes along needs the old
 * name gone. */
static bool leaves_old_name(const struct tp_disk *disk, uint32_t op, uint32_t dir)
{
    const struct tp_name_op *o = tp_name_op_at(disk, op);

    if (!disk->rules->rename_leaves_old || dir == 0 || o->to.dir != dir ||
        o->from.dir == 0 || o->from.dir == dir || o->moves_dir)
        return false;
    for (uint32_t later = o->next; later != 0; later = tp_name_op_at(disk, later)->next) {
        const struct tp_name_op *l = tp_name_op_at(disk, later);

        if (l->marked && (is_same_place(disk, &l->from, &o->from) ||
                          is_same_place(disk, &l->to, &o->from)))
            return false;
    }
    return true;
}

/* The new name goes to the media; what stays in the log removes the old one. */
static void op_apply_new_name(struct tp_disk *disk, uint32_t op)
{
    static const struct tp_name_place none;
    struct tp_name_op *o = tp_name_op_at(disk, op);
    struct tp_name_place to = o->to;

    tp_assert(to.dir != 0 && o->from.dir != 0 && o->from.dir != to.dir);
    o->to = none;
    o->marked = false;
    (void)clear_on_media(disk, &to);
    tp_names_add(disk, TP_ON_MEDIA, to.dir, tp_texts_at(&disk->texts, to.name), to.name_len,
                 o->inode);
    place_forget(disk, &to);
}

/* `dir`: the directory that is being synced, or 0. */
static void apply_marked(struct tp_disk *disk, uint32_t dir)
{
    uint32_t next;

    for (uint32_t op = disk->name_op_first; op != 0; op = next) {
        next = tp_name_op_at(disk, op)->next;
        if (!tp_name_op_at(disk, op)->marked)
            continue;
        if (leaves_old_name(disk, op, dir))
            op_apply_new_name(disk, op);
        else
            op_apply(disk, op);
    }
}

void tp_name_log_commit_dir(struct tp_disk *disk, uint32_t dir)
{
    tp_inode_at(disk, dir)->synced_at = tp_inode_at(disk, dir)->changed_at;
    if (tp_inode_at(disk, dir)->pending == 0)
        return;
    for (uint32_t op = disk->name_op_first; op != 0; op = tp_name_op_at(disk, op)->next) {
        struct tp_name_op *o = tp_name_op_at(disk, op);

        o->marked = o->from.dir == dir || o->to.dir == dir;
    }
    mark_needed(disk, dir);
    apply_marked(disk, dir);
}

void tp_name_log_commit_inode(struct tp_disk *disk, uint32_t inode)
{
    if (tp_inode_at(disk, inode)->pending == 0)
        return;
    for (uint32_t op = disk->name_op_first; op != 0; op = tp_name_op_at(disk, op)->next) {
        struct tp_name_op *o = tp_name_op_at(disk, op);

        o->marked = o->inode == inode;
    }
    mark_needed(disk, 0);
    apply_marked(disk, 0);
}

void tp_name_log_commit_op(struct tp_disk *disk, uint32_t op)
{
    tp_name_op_at(disk, op)->marked = true;
    mark_needed(disk, 0);
    apply_marked(disk, 0);
}

void tp_name_log_commit_all(struct tp_disk *disk)
{
    while (disk->name_op_first != 0)
        op_apply(disk, disk->name_op_first);
    disk->name_ops_whole = disk->name_ops_made;
}

void tp_name_log_commit_until(struct tp_disk *disk, uint64_t count)
{
    while (disk->name_op_first != 0 &&
           tp_name_op_at(disk, disk->name_op_first)->number <= count)
        op_apply(disk, disk->name_op_first);
}

void tp_name_log_writeback(struct tp_disk *disk, struct tp_tape *tape, uint32_t node)
{
    uint32_t stream = tp_stream(node, TP_CONCERN_WRITEBACK);
    uint64_t bound = disk->config.writeback_one_in;
    uint32_t op = disk->name_op_first;
    uint64_t steps;

    if (disk->config.writeback_off || op == 0 || disk->journal != TP_JOURNAL_FINE)
        return;
    if (tp_tape_draw(tape, stream, TP_DRAW_WRITEBACK, bound * 2) < bound * 2 - 2)
        return;
    steps = disk->rules->names_in_order
                ? 0
                : tp_tape_draw(tape, stream, TP_DRAW_PAGE,
                               disk->name_ops.live < 16 ? disk->name_ops.live : 16);
    for (; steps > 0; steps--)
        op = tp_name_op_at(disk, op)->next;
    tp_name_log_commit_op(disk, op);
}

/* Keeps or loses each by itself; one that needs a lost one is lost. */
static void choose_each(struct tp_disk *disk, struct tp_tape *tape, uint32_t stream)
{
    for (uint32_t op = disk->name_op_first; op != 0; op = tp_name_op_at(disk, op)->next) {
        struct tp_name_op *o = tp_name_op_at(disk, op);
        bool kept = tp_tape_draw(tape, stream, TP_DRAW_CUT_NAME, 2) == 0;

        for (uint32_t earlier = disk->name_op_first; kept && earlier != op;
             earlier = tp_name_op_at(disk, earlier)->next) {
            const struct tp_name_op *e = tp_name_op_at(disk, earlier);

            if (!e->marked && needs(disk, o, e))
                kept = false;
        }
        o->marked = kept;
    }
}

static void choose_first(struct tp_disk *disk, uint64_t kept)
{
    for (uint32_t op = disk->name_op_first; op != 0; op = tp_name_op_at(disk, op)->next) {
        tp_name_op_at(disk, op)->marked = kept > 0;
        kept -= kept > 0;
    }
}

uint32_t tp_name_log_cut(struct tp_disk *disk, struct tp_tape *tape, uint32_t stream)
{
    uint32_t count = disk->name_ops.live;
    uint32_t lost = 0;
    uint64_t way;

    if (count == 0)
        return 0;
    if (disk->journal != TP_JOURNAL_FINE)
        way = 1; /* a journal that has failed commits nothing any more */
    else
        way = tp_tape_draw(tape, stream, TP_DRAW_CUT_NAMES,
                           disk->rules->names_in_order ? 3 : 4);
    if (way == 3)
        choose_each(disk, tape, stream);
    else if (way == 2)
        choose_first(disk, count - tp_tape_draw(tape, stream, TP_DRAW_CUT_POINT,
                                                (uint64_t)count + 1));
    else
        choose_first(disk, way == 0 ? count : 0);
    apply_marked(disk, 0);
    while (disk->name_op_first != 0) {
        op_forget(disk, disk->name_op_first);
        lost++;
    }
    return lost;
}
