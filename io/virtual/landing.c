/* Writes of a killed process that the kernel still has: they land when their time has come,
 * in the middle of the successor's work. */
#include "disk_internal.h"

#include <string.h>

void tp_landing_end(struct tp_disk *disk, uint32_t index)
{
    struct tp_landing *landing = &disk->landings[index];
    uint32_t inode = landing->inode;

    tp_free(disk->allocator, landing->bytes, landing->len, 1);
    for (uint32_t i = index; i + 1 < disk->landing_count; i++)
        disk->landings[i] = disk->landings[i + 1];
    disk->landing_count--;
    tp_inode_at(disk, inode)->pending--;
    tp_inode_settle(disk, inode);
}

bool tp_disk_land_later(struct tp_disk *disk, const struct tp_landing *landing)
{
    struct tp_landing *kept;

    tp_assert(landing->len > 0);
    if (disk->landing_count == TP_LANDINGS_MAX)
        return false;
    kept = &disk->landings[disk->landing_count++];
    *kept = *landing;
    kept->bytes = tp_alloc(disk->allocator, landing->len, 1);
    if (kept->bytes == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the virtual disk");
    memcpy(kept->bytes, landing->bytes, landing->len);
    tp_inode_at(disk, landing->inode)->pending++;
    return true;
}

void tp_landing_write(struct tp_disk *disk, uint32_t index, uint32_t len)
{
    const struct tp_landing *landing = &disk->landings[index];

    (void)tp_data_write(disk, landing->inode, landing->offset, landing->bytes, len,
                        landing->direct != 0);
    tp_landing_end(disk, index);
}

void tp_disk_land(struct tp_disk *disk)
{
    uint32_t index = 0;

    disk->operations++;
    while (index < disk->landing_count) {
        if (disk->landings[index].delay == 0) {
            tp_landing_write(disk, index, disk->landings[index].len);
        } else {
            disk->landings[index].delay--;
            index++;
        }
    }
}
