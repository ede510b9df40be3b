/* From a file to a path that leads to it. Who watches a run asks with every moment, mostly
 * for the same few, so they are kept until a name changes. */
#include "disk_internal.h"

#include <string.h>

/* The entry in memory that names an inode; 0 if there is none. Of several, which only a cut
 * can leave behind, it is the first that is found. */
static uint32_t entry_of(const struct tp_disk *disk, uint32_t inode)
{
    const struct tp_inode *file = tp_inode_at(disk, inode);

    if (file->names[TP_IN_MEMORY] == 0 ||
        (file->names[TP_IN_MEMORY] == 1 && file->entry != 0))
        return file->entry;
    for (uint32_t dir = 1; dir < disk->inodes.used; dir++) {
        const struct tp_inode *at = tp_inode_at(disk, dir);
        uint32_t entry = at->kind == TP_FILE_DIRECTORY ? at->list[TP_IN_MEMORY].first : 0;

        for (; entry != 0; entry = tp_entry_at(disk, TP_IN_MEMORY, entry)->next) {
            if (tp_entry_at(disk, TP_IN_MEMORY, entry)->inode == inode)
                return entry;
        }
    }
    return 0;
}

/* Result: its length; 0 if there is none, or it does not fit. */
static uint32_t make_text(const struct tp_disk *disk, uint32_t inode, char *ret_path,
                          uint32_t size)
{
    uint32_t at = size - 1; /* filled from the end */

    ret_path[at] = '\0';
    while (inode != TP_ROOT) {
        uint32_t entry = entry_of(disk, inode);
        const struct tp_entry *e;

        if (entry == 0 || tp_entry_at(disk, TP_IN_MEMORY, entry)->name_len >= at) {
            ret_path[0] = '\0';
            return 0;
        }
        e = tp_entry_at(disk, TP_IN_MEMORY, entry);
        at -= e->name_len;
        memcpy(ret_path + at, tp_texts_at(&disk->texts, e->name), e->name_len);
        ret_path[--at] = '/';
        inode = e->dir;
    }
    if (ret_path[at] == '\0')
        ret_path[--at] = '/';
    memmove(ret_path, ret_path + at, size - at);
    return size - 1 - at;
}

uint32_t tp_path_of(const struct tp_disk *disk, uint32_t inode, char *ret_path,
                    uint32_t size)
{
    struct tp_path_kept *kept = &disk->paths_kept[inode % TP_PATHS_KEPT];
    uint64_t changes = disk->names[TP_IN_MEMORY].changes;

    tp_assert(size >= 2);
    if (kept->inode != inode || kept->changes != changes) {
        kept->inode = inode;
        kept->changes = changes;
        kept->len = make_text(disk, inode, kept->text, sizeof kept->text);
    }
    if (kept->len == 0 || kept->len >= size)
        return make_text(disk, inode, ret_path, size);
    memcpy(ret_path, kept->text, kept->len + 1);
    return kept->len;
}
