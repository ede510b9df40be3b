#include "apps/sim/record_look.h"

#include <string.h>

#include "apps/sim/sim_internal.h"
#include "io/virtual/virtual_internal.h"

/* ------------------------------------------------------------------ disks */

static bool is_same(const struct tp_disk *disk, const struct tp_page_slot *slot)
{
    return slot->cache == slot->media ||
           memcmp(tp_pages_read(&disk->pages, slot->cache),
                  tp_pages_read(&disk->pages, slot->media), TP_PAGE_BYTES) == 0;
}

char tp_look_page(const struct tp_disk *disk, const struct tp_page_slot *slot)
{
    if (slot->dirty != 0)
        return 'c';
    if (slot->device_dirty != 0)
        return 'd';
    if (!is_same(disk, slot))
        return 'x';
    return (slot->flags & TP_SLOT_ALLOCATED) != 0 ? 'm' : '.';
}

static void count_pages(const struct tp_disk *disk, const struct tp_inode *inode,
                        struct tp_record_disk *ret)
{
    uint32_t slot = tp_map_next(disk, &inode->map, 0);

    for (uint32_t i = 0; slot != 0 && i < TP_RECORD_LOOK_PAGES; i++) {
        const struct tp_page_slot *s = tp_slot_at(disk, slot);
        char letter = tp_look_page(disk, s);

        ret->cached += letter == 'c';
        ret->device += letter == 'd';
        ret->durable += letter == 'm';
        ret->lost += letter == 'x';
        slot = tp_map_next(disk, &inode->map, (uint64_t)s->page + 1);
    }
}

static void look_at_file(const struct tp_disk *disk, uint32_t inode,
                         struct tp_record_disk *ret)
{
    ret->known = true;
    ret->names = disk->name_ops.live;
    if (inode == 0 || inode >= disk->inodes.used ||
        tp_inode_at(disk, inode)->kind != TP_FILE_REGULAR)
        return;
    ret->size = tp_inode_at(disk, inode)->size;
    ret->media_size = tp_inode_at(disk, inode)->media_size;
    count_pages(disk, tp_inode_at(disk, inode), ret);
}

struct walk {
    struct tp_recorder *recorder;
    const struct tp_fact *fact;
    uint32_t files;
};

static int32_t note_file(void *context, const char *name, const struct tp_statx *statx)
{
    struct walk *walk = context;
    const struct tp_node *node = walk->fact->node;
    struct tp_record *record;
    char path[TP_RECORD_TEXT];
    int64_t inode;

    if (statx->kind != TP_FILE_REGULAR)
        return 0;
    if (walk->files++ == TP_RECORD_LOOK_FILES)
        return 1;
    record = tp_recorder_add(walk->recorder);
    if (record == NULL)
        return 1;
    record->kind = TP_RECORD_FILE;
    record->at_ns = walk->fact->at_ns;
    record->node = node->number;
    (void)snprintf(path, sizeof path, "/%s", name);
    memcpy(record->text, path, sizeof record->text);
    inode = tp_path_find(node->disk, TP_ROOT, path, TP_WALK_NO_FOLLOW);
    record->inode = inode > 0 ? (uint32_t)inode : 0;
    look_at_file(node->disk, record->inode, &record->disk);
    return 0;
}

/* ------------------------------------------------------------------ messages */

static const struct tp_socket *socket_of(const struct tp_node *node, uint64_t handle)
{
    const struct tp_virtual *v = tp_virtual_of_const(node->io);
    uint32_t flight = tp_flight_find(v, handle);
    uint32_t file = flight == 0 ? 0 : tp_flight_at(v, flight)->file;
    uint32_t socket = file == 0 ? 0 : tp_vfile_at(v, file)->socket;

    return socket == 0 || v->net != node->sim->net ? NULL : tp_socket_at(v->net, socket);
}

static void forget(struct tp_recorder *recorder, uint32_t index)
{
    recorder->sent_count--;
    for (uint32_t i = index; i < recorder->sent_count; i++)
        recorder->sent[i] = recorder->sent[i + 1];
}

/* A datagram that does not come may never come: the oldest makes room. */
static void make_room(struct tp_recorder *recorder)
{
    for (uint32_t i = 0; i < recorder->sent_count; i++) {
        if (recorder->sent[i].to != 0)
            continue;
        forget(recorder, i);
        return;
    }
}

static void follow(struct tp_recorder *recorder, const struct tp_record_sent *sent)
{
    if (recorder->sent_count == TP_RECORD_SENT_MAX)
        make_room(recorder);
    if (recorder->sent_count == TP_RECORD_SENT_MAX)
        recorder->not_followed++;
    else
        recorder->sent[recorder->sent_count++] = *sent;
}

static void follow_bytes(struct tp_recorder *recorder, const struct tp_node *node,
                         struct tp_record *record)
{
    const struct tp_socket *s = socket_of(node, record->handle);
    const struct tp_net *net = node->sim->net;
    struct tp_record_sent sent = {.node = node->number, .effect = record->effect};

    if (s == NULL || s->out == 0 || s->peer_host == 0)
        return;
    record->peer = net->hosts[s->peer_host].node;
    if (s->peer == 0)
        return;
    sent.to = s->peer;
    sent.to_serial = s->peer_serial;
    sent.upto = tp_pipe_at(net, s->out)->written;
    follow(recorder, &sent);
}

static void follow_datagram(struct tp_recorder *recorder, const struct tp_node *node,
                            struct tp_record *record)
{
    const struct tp_net *net = node->sim->net;
    struct tp_record_sent sent = {
        .node = node->number, .effect = record->effect, .to_serial = net->stats.datagrams};

    if (net->mailed_to == 0 || net->hosts[net->mailed_to].node == node->number)
        return;
    record->peer = net->hosts[net->mailed_to].node;
    follow(recorder, &sent);
}

static void note_received(struct tp_recorder *recorder, const struct tp_record_sent *sent,
                          uint32_t node, uint64_t at_ns)
{
    struct tp_record *record = tp_recorder_add(recorder);

    if (record == NULL)
        return;
    record->kind = TP_RECORD_MESSAGE;
    record->at_ns = at_ns;
    record->node = node;
    record->peer = sent->node;
    record->effect = sent->effect;
}

/* What comes twice is received once. */
static void note_datagram(struct tp_recorder *recorder, const struct tp_fact *fact)
{
    const struct tp_node *node = fact->node;

    for (uint32_t i = 0; i < recorder->sent_count; i++) {
        struct tp_record_sent sent = recorder->sent[i];

        if (sent.to != 0 || sent.to_serial != node->sim->net->mail_read)
            continue;
        forget(recorder, i);
        note_received(recorder, &sent, node->number, fact->at_ns);
        return;
    }
}

/* Whether it is over with: received, which is noted, or its receiver is gone. */
static bool has_ended(struct tp_recorder *recorder, const struct tp_net *net,
                      const struct tp_record_sent *sent, uint64_t at_ns)
{
    const struct tp_socket *to;

    if (sent->to == 0)
        return false;
    if (!tp_socket_is(net, sent->to, sent->to_serial))
        return true;
    to = tp_socket_at(net, sent->to);
    if (to->in == 0 || tp_pipe_at(net, to->in)->read < sent->upto)
        return to->in == 0;
    note_received(recorder, sent, net->hosts[to->host].node, at_ns);
    return true;
}

void tp_look_for_messages(struct tp_recorder *recorder, const struct tp_fact *fact)
{
    uint32_t kept = 0;

    if (fact->node == NULL)
        return;
    for (uint32_t i = 0; i < recorder->sent_count; i++) {
        struct tp_record_sent sent = recorder->sent[i];

        if (!has_ended(recorder, fact->node->sim->net, &sent, fact->at_ns))
            recorder->sent[kept++] = sent;
    }
    recorder->sent_count = kept;
}

/* ------------------------------------------------------------------ what a fact is about
 */

void tp_look_at(struct tp_recorder *recorder, const struct tp_fact *fact,
                struct tp_record *record)
{
    struct walk walk = {.recorder = recorder, .fact = fact};

    if (fact->kind == TP_FACT_BOOT) {
        (void)snprintf(record->text, sizeof record->text, "%s", tp_node_name(fact->node));
        (void)tp_disk_walk(fact->node->disk, "/", note_file, &walk);
        return;
    }
    if (fact->kind != TP_FACT_OPERATION || record->stage != TP_VIRTUAL_EFFECT)
        return;
    look_at_file(fact->node->disk, record->inode, &record->disk);
    if ((record->op == TP_SEND || record->op == TP_SEND_BUFS) && record->result > 0)
        follow_bytes(recorder, fact->node, record);
    else if (record->op == TP_SEND_TO && record->result >= 0)
        follow_datagram(recorder, fact->node, record);
    else if (record->op == TP_RECV_FROM && record->result >= 0)
        note_datagram(recorder, fact);
}
