/* A node's disk: files with their pages and names, what waits, what a power cut would take.
 */
#include <inttypes.h>
#include <string.h>

#include "apps/sim/engine/engine.h"
#include "apps/sim/record_look.h"
#include "apps/sim/text.h"
#include "io/virtual/virtual_internal.h"

enum { PATH_BYTES = 512, DEPTH = 32 };

struct pages {
    uint32_t cached, device, durable, lost;
};

struct look {
    const struct tp_node *node;
    FILE *out;
    uint32_t space;       /* of names: in memory, then on the media */
    uint32_t files, more; /* written, and left out */
    struct pages pages;   /* of all files */
    char path[PATH_BYTES];
};

/* ------------------------------------------------------------------ pages */

static void count(struct pages *pages, char letter)
{
    pages->cached += letter == 'c';
    pages->device += letter == 'd';
    pages->durable += letter == 'm';
    pages->lost += letter == 'x';
}

/* The first pages, a letter each. */
static void look_at_pages(struct look *look, const struct tp_inode *inode,
                          struct pages *ret_pages, char *ret_letters)
{
    const struct tp_disk *disk = look->node->disk;
    uint64_t end = (inode->size + TP_PAGE_BYTES - 1) / TP_PAGE_BYTES;
    uint32_t slot = tp_map_next(disk, &inode->map, 0);
    uint32_t shown = end < ENGINE_PAGES ? (uint32_t)end : ENGINE_PAGES;

    memset(ret_letters, '.', shown);
    ret_letters[shown] = '\0';
    while (slot != 0) {
        const struct tp_page_slot *s = tp_slot_at(disk, slot);
        char letter = tp_look_page(disk, s);

        count(ret_pages, letter);
        count(&look->pages, letter);
        if (s->page < shown)
            ret_letters[s->page] = letter;
        slot = tp_map_next(disk, &inode->map, (uint64_t)s->page + 1);
    }
}

/* ------------------------------------------------------------------ files */

/* Whether a power cut could take the name: it, or one like it, is in one space only. */
static const char *state_of_name(const struct tp_disk *disk, const struct tp_entry *entry,
                                 uint32_t space)
{
    uint32_t other =
        tp_names_find(disk, space == TP_IN_MEMORY ? TP_ON_MEDIA : TP_IN_MEMORY, entry->dir,
                      tp_texts_at(&disk->texts, entry->name), entry->name_len);

    if (space == TP_ON_MEDIA)
        return "gone";
    return other != 0 && tp_entry_at(disk, TP_ON_MEDIA, other)->inode == entry->inode
               ? "durable"
               : "pending";
}

static const char *kind_of(const struct tp_inode *inode)
{
    switch (inode->kind) {
    case TP_FILE_REGULAR:
        return "file";
    case TP_FILE_DIRECTORY:
        return "dir";
    case TP_FILE_SYMLINK:
        return "link";
    default:
        return "other";
    }
}

static void write_file(struct look *look, const struct tp_entry *entry)
{
    const struct tp_disk *disk = look->node->disk;
    const struct tp_inode *inode = tp_inode_at(disk, entry->inode);
    char letters[ENGINE_PAGES + 1] = "";
    struct pages pages = {0};
    FILE *out = look->out;

    if (inode->kind == TP_FILE_REGULAR)
        look_at_pages(look, inode, &pages, letters);
    if (look->files == ENGINE_LIST_MAX) {
        look->more++;
        return;
    }
    (void)fputs(look->files++ == 0 ? "" : ",", out);
    (void)fputs("{\"path\":", out);
    tp_text_json(look->path, out);
    (void)fprintf(
        out,
        ",\"inode\":%u,\"kind\":\"%s\",\"size\":%" PRIu64 ",\"durable_size\":%" PRIu64
        ",\"name\":\"%s\","
        "\"pages\":\"%s\",\"cached\":%u,\"device\":%u,\"durable\":%u,\"lost\":%u}",
        entry->inode, kind_of(inode), inode->size, inode->media_size,
        state_of_name(disk, entry, look->space), letters, pages.cached, pages.device,
        pages.durable, pages.lost);
}

/* In the space of the media only what is not in memory as well. */
static bool is_shown(const struct look *look, const struct tp_entry *entry)
{
    const struct tp_disk *disk = look->node->disk;

    return look->space == TP_IN_MEMORY ||
           tp_names_find(disk, TP_IN_MEMORY, entry->dir,
                         tp_texts_at(&disk->texts, entry->name), entry->name_len) == 0;
}

/* Down from the root, without recursion: a directory's place in the list of its parent is
 * kept for the way up. */
static void look_at_names(struct look *look)
{
    const struct tp_disk *disk = look->node->disk;
    struct {
        uint32_t dir, entry;
        uint64_t cookie;
        size_t path_len;
    } stack[DEPTH] = {{.dir = TP_ROOT}};
    uint32_t depth = 1;

    while (depth > 0) {
        uint32_t top = depth - 1, next;
        const struct tp_entry *entry;
        size_t at = stack[top].path_len;

        next = tp_names_next(disk, look->space, stack[top].dir, stack[top].cookie,
                             stack[top].entry);
        if (next == 0) {
            depth--;
            continue;
        }
        entry = tp_entry_at(disk, look->space, next);
        stack[top].entry = next;
        stack[top].cookie = entry->cookie;
        (void)snprintf(look->path + at, sizeof look->path - at, "/%s",
                       tp_texts_at(&disk->texts, entry->name));
        if (is_shown(look, entry))
            write_file(look, entry);
        if (tp_inode_at(disk, entry->inode)->kind != TP_FILE_DIRECTORY || depth == DEPTH)
            continue;
        stack[depth].dir = entry->inode;
        stack[depth].entry = 0;
        stack[depth].cookie = 0;
        stack[depth].path_len = strlen(look->path);
        depth++;
    }
}

/* ------------------------------------------------------------------ names that wait */

static void name_place(const struct tp_disk *disk, const struct tp_name_place *place,
                       char *ret_path, uint32_t size)
{
    char dir[PATH_BYTES];

    (void)tp_path_of(disk, place->dir, dir, sizeof dir);
    (void)snprintf(ret_path, size, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir,
                   tp_texts_at(&disk->texts, place->name));
}

static void write_pending(const struct tp_disk *disk, FILE *out)
{
    uint32_t written = 0, more = 0;

    (void)fputs(",\"pending_names\":[", out);
    for (uint32_t at = disk->name_op_first; at != 0; at = tp_name_op_at(disk, at)->next) {
        const struct tp_name_op *op = tp_name_op_at(disk, at);
        char from[PATH_BYTES + 256] = "", to[PATH_BYTES + 256] = "";
        char text[2 * sizeof from + 16];

        if (written == ENGINE_LIST_MAX) {
            more++;
            continue;
        }
        if (op->from.dir != 0)
            name_place(disk, &op->from, from, sizeof from);
        if (op->to.dir != 0)
            name_place(disk, &op->to, to, sizeof to);
        (void)snprintf(text, sizeof text, "%s %s%s%s",
                       op->from.dir == 0 ? "create"
                       : op->to.dir == 0 ? "remove"
                                         : "rename",
                       from, op->from.dir != 0 && op->to.dir != 0 ? " -> " : "", to);
        (void)fputs(written++ == 0 ? "" : ",", out);
        tp_text_json(text, out);
    }
    (void)fprintf(out, "],\"pending_names_more\":%u", more);
}

/* ------------------------------------------------------------------ the disk */

void engine_write_disk(const struct tp_node *node, FILE *out)
{
    const struct tp_disk *disk = node->disk;
    struct tp_disk_usage usage = tp_disk_usage(disk);
    struct look look = {.node = node, .out = out};
    bool sync_will_fail = node->io != NULL && tp_virtual_of_const(node->io)->sync_fails;

    (void)fprintf(out,
                  "{\"capacity\":%" PRIu64 ",\"used\":%" PRIu64 ",\"full\":%s,"
                  "\"failing\":%s,\"sync_will_fail\":%s",
                  usage.capacity_bytes, usage.used_bytes,
                  usage.used_bytes + TP_PAGE_BYTES > usage.capacity_bytes ? "true"
                                                                          : "false",
                  disk->journal != TP_JOURNAL_FINE ? "true" : "false",
                  sync_will_fail ? "true" : "false");
    (void)fputs(",\"files\":[", out);
    look.space = TP_IN_MEMORY;
    look_at_names(&look);
    look.space = TP_ON_MEDIA;
    look_at_names(&look);
    (void)fprintf(out,
                  "],\"files_more\":%u,\"pages\":{\"cached\":%u,\"device\":%u,"
                  "\"durable\":%u,\"lost\":%u}",
                  look.more, look.pages.cached, look.pages.device, look.pages.durable,
                  look.pages.lost);
    write_pending(disk, out);
    (void)fputc('}', out);
}
