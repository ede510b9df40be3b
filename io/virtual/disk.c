#include "disk.h"

#include <errno.h>

#include "io/virtual/disk_internal.h"

static const struct tp_disk_rules profiles[TP_DISK_PROFILES] = {
    [TP_DISK_PARANOID] = {.name = "paranoid", .reverts = true, .enospc_at_close = true},
    [TP_DISK_EXT4] = {.name = "ext4",
                      .names_in_order = true,
                      .fsync_commits_names = true,
                      .journal = TP_JOURNAL_READ_ONLY},
    [TP_DISK_XFS] = {.name = "xfs",
                     .names_in_order = true,
                     .fsync_commits_names = true,
                     .journal = TP_JOURNAL_SHUT},
    [TP_DISK_BTRFS] = {.name = "btrfs",
                       .fsync_commits_own = true,
                       .rename_leaves_old = true,
                       .replaces_in_two = true,
                       .journal = TP_JOURNAL_READ_ONLY_SYNCS},
    [TP_DISK_NVME_PLP] = {.name = "nvme-plp", .device_cache_survives = true},
    [TP_DISK_CONSUMER_SSD] = {.name = "consumer-ssd", .tears_sectors = true},
    [TP_DISK_DIRECT] = {.name = "direct", .no_page_cache = true},
};

const char *tp_disk_profile_name(uint32_t profile)
{
    return profile < TP_DISK_PROFILES ? profiles[profile].name : NULL;
}

static int fill_defaults(struct tp_disk_config *config)
{
    if (config->size > sizeof *config || config->profile >= TP_DISK_PROFILES)
        return -EINVAL;
    if (config->capacity_bytes == 0)
        config->capacity_bytes = UINT64_C(1) << 30;
    if (config->inodes_max == 0)
        config->inodes_max = UINT32_C(1) << 20;
    if (config->sector_bytes == 0)
        config->sector_bytes = 512;
    if (config->names_pending_max == 0)
        config->names_pending_max = 4096;
    if (config->writeback_one_in == 0)
        config->writeback_one_in = 64;
    if (config->sector_bytes != 512 && config->sector_bytes != TP_PAGE_BYTES)
        return -EINVAL;
    return config->capacity_bytes < TP_PAGE_BYTES ? -EINVAL : 0;
}

static size_t landings_bytes(void)
{
    return TP_LANDINGS_MAX * sizeof(struct tp_landing);
}

static size_t paths_kept_bytes(void)
{
    return TP_PATHS_KEPT * sizeof(struct tp_path_kept);
}

/* What every disk has for itself, a copy too. */
static int init_tables(struct tp_disk *disk)
{
    disk->landings = tp_alloc(disk->allocator, landings_bytes(), 16);
    disk->paths_kept = tp_alloc(disk->allocator, paths_kept_bytes(), 16);
    return disk->landings == NULL || disk->paths_kept == NULL ? -ENOMEM : 0;
}

static int init_parts(struct tp_disk *disk)
{
    const struct tp_allocator *allocator = disk->allocator;
    int error = tp_pages_init(&disk->pages, allocator);

    tp_pool_init(&disk->leaves, sizeof(struct tp_map_leaf));
    tp_pool_init(&disk->nodes, sizeof(struct tp_map_node));
    tp_pool_init(&disk->inodes, sizeof(struct tp_inode));
    tp_pool_init(&disk->name_ops, sizeof(struct tp_name_op));
    tp_texts_init(&disk->texts);
    if (error == 0)
        error = tp_pool_reserve(&disk->inodes, allocator); /* for the root */
    for (uint32_t space = 0; space < TP_NAME_SPACES && error == 0; space++)
        error = tp_names_init(&disk->names[space], space, allocator);
    return error < 0 ? error : init_tables(disk);
}

int tp_disk_create(const struct tp_disk_config *config, struct tp_disk **ret_disk)
{
    static const struct tp_disk_config defaults;
    struct tp_disk_config filled = config == NULL ? defaults : *config;
    struct tp_disk *disk;
    uint32_t root;
    int error = fill_defaults(&filled);

    if (error < 0)
        return error;
    disk = tp_alloc(filled.allocator, sizeof *disk, 16);
    if (disk == NULL)
        return -ENOMEM;
    disk->config = filled;
    disk->allocator = filled.allocator;
    disk->rules = &profiles[filled.profile];
    disk->pages_max = filled.capacity_bytes / TP_PAGE_BYTES;
    error = init_parts(disk);
    if (error < 0) {
        tp_disk_destroy(disk);
        return error;
    }
    root = tp_inode_make(disk, TP_FILE_DIRECTORY, 0755, 0);
    tp_assert(root == TP_ROOT);
    tp_inode_at(disk, root)->parent = root;
    *ret_disk = disk;
    return 0;
}

static void free_parts(struct tp_disk *disk)
{
    tp_pool_deinit(&disk->leaves, disk->allocator);
    tp_pool_deinit(&disk->nodes, disk->allocator);
    tp_pool_deinit(&disk->inodes, disk->allocator);
    tp_pool_deinit(&disk->name_ops, disk->allocator);
    tp_pages_deinit(&disk->pages, disk->allocator);
    tp_texts_deinit(&disk->texts, disk->allocator);
    for (uint32_t space = 0; space < TP_NAME_SPACES; space++)
        tp_names_deinit(&disk->names[space], disk->allocator);
    for (uint32_t i = 0; disk->landings != NULL && i < disk->landing_count; i++)
        tp_free(disk->allocator, disk->landings[i].bytes, disk->landings[i].len, 1);
    tp_free(disk->allocator, disk->landings, landings_bytes(), 16);
    tp_free(disk->allocator, disk->paths_kept, paths_kept_bytes(), 16);
}

void tp_disk_destroy(struct tp_disk *disk)
{
    if (disk == NULL)
        return;
    tp_assert(disk->attached == 0);
    free_parts(disk);
    tp_free(disk->allocator, disk, sizeof *disk, 16);
}

static int clone_parts(struct tp_disk *clone, const struct tp_disk *disk)
{
    const struct tp_allocator *allocator = disk->allocator;
    int error = tp_pages_clone(&clone->pages, &disk->pages, allocator);

    if (error == 0)
        error = tp_pool_clone(&clone->leaves, &disk->leaves, allocator);
    if (error == 0)
        error = tp_pool_clone(&clone->nodes, &disk->nodes, allocator);
    if (error == 0)
        error = tp_pool_clone(&clone->inodes, &disk->inodes, allocator);
    if (error == 0)
        error = tp_pool_clone(&clone->name_ops, &disk->name_ops, allocator);
    if (error == 0)
        error = tp_texts_clone(&clone->texts, &disk->texts, allocator);
    for (uint32_t space = 0; space < TP_NAME_SPACES && error == 0; space++)
        error = tp_names_clone(&clone->names[space], &disk->names[space], allocator);
    return error < 0 ? error : init_tables(clone);
}

/* The writes of the dead that are still to land. */
static int clone_landings(struct tp_disk *clone, const struct tp_disk *disk)
{
    for (uint32_t i = 0; i < disk->landing_count; i++) {
        const struct tp_landing *from = &disk->landings[i];
        struct tp_landing *to = &clone->landings[i];

        *to = *from;
        to->bytes = tp_alloc(disk->allocator, from->len, 1);
        if (to->bytes == NULL)
            return -ENOMEM;
        for (uint32_t at = 0; at < from->len; at++)
            to->bytes[at] = from->bytes[at];
        clone->landing_count++;
    }
    return 0;
}

int tp_disk_clone(const struct tp_disk *disk, struct tp_disk **ret_clone)
{
    struct tp_disk *clone;
    int error;

    tp_assert(disk->attached == 0);
    clone = tp_alloc(disk->allocator, sizeof *clone, 16);
    if (clone == NULL)
        return -ENOMEM;
    clone->config = disk->config;
    clone->rules = disk->rules;
    clone->allocator = disk->allocator;
    clone->name_op_first = disk->name_op_first;
    clone->name_op_last = disk->name_op_last;
    clone->name_ops_made = disk->name_ops_made;
    clone->name_ops_whole = disk->name_ops_whole;
    clone->stamp = disk->stamp;
    clone->pages_max = disk->pages_max;
    clone->pages_used = disk->pages_used;
    clone->inodes_counted = disk->inodes_counted;
    clone->dirty_pages = disk->dirty_pages;
    clone->boot = disk->boot;
    clone->opens = disk->opens;
    clone->locks = disk->locks;
    clone->operations = disk->operations;
    clone->bad_slots = disk->bad_slots;
    clone->journal = disk->journal;
    error = clone_parts(clone, disk);
    if (error == 0)
        error = clone_landings(clone, disk);
    if (error < 0) {
        tp_disk_destroy(clone);
        return error;
    }
    *ret_clone = clone;
    return 0;
}

void tp_disk_sync(struct tp_disk *disk)
{
    tp_name_log_commit_all(disk);
    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        if (tp_inode_at(disk, inode)->kind != TP_FILE_OTHER)
            tp_media_sync(disk, inode, false);
    }
}

void tp_disk_set_capacity(struct tp_disk *disk, uint64_t capacity_bytes)
{
    tp_assert(capacity_bytes >= TP_PAGE_BYTES);
    disk->config.capacity_bytes = capacity_bytes;
    disk->pages_max = capacity_bytes / TP_PAGE_BYTES;
}

struct tp_disk_usage tp_disk_usage(const struct tp_disk *disk)
{
    struct tp_disk_usage usage = {
        .capacity_bytes = disk->pages_max * TP_PAGE_BYTES,
        .used_bytes = disk->pages_used * TP_PAGE_BYTES,
        .inodes_max = disk->config.inodes_max,
        .inodes = disk->inodes_counted,
        .dirty_pages = disk->dirty_pages,
        .pending_names = disk->name_ops.live,
    };
    return usage;
}
