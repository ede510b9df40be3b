/* A name space: a hash table over (directory, name), and a list for each directory. */
#include "disk_internal.h"

#include <errno.h>
#include <string.h>

#include "io/hash.h"

#define NAMES_FIRST_BUCKETS 64

static size_t buckets_bytes(uint32_t count)
{
    return (size_t)count * sizeof(uint32_t);
}

int tp_names_init(struct tp_names *names, uint32_t space,
                  const struct tp_allocator *allocator)
{
    tp_pool_init(&names->entries, sizeof(struct tp_entry));
    names->space = space;
    names->cookie = 0;
    names->changes = 0;
    names->bucket_count = NAMES_FIRST_BUCKETS;
    names->buckets = tp_alloc(allocator, buckets_bytes(NAMES_FIRST_BUCKETS), 16);
    return names->buckets == NULL ? -ENOMEM : 0;
}

void tp_names_deinit(struct tp_names *names, const struct tp_allocator *allocator)
{
    tp_pool_deinit(&names->entries, allocator);
    tp_free(allocator, names->buckets, buckets_bytes(names->bucket_count), 16);
    names->buckets = NULL;
}

int tp_names_clone(struct tp_names *names, const struct tp_names *source,
                   const struct tp_allocator *allocator)
{
    *names = *source;
    names->buckets = NULL;
    if (tp_pool_clone(&names->entries, &source->entries, allocator) < 0)
        return -ENOMEM;
    names->buckets = tp_alloc(allocator, buckets_bytes(source->bucket_count), 16);
    if (names->buckets == NULL) {
        tp_names_deinit(names, allocator);
        return -ENOMEM;
    }
    memcpy(names->buckets, source->buckets, buckets_bytes(source->bucket_count));
    return 0;
}

uint32_t tp_name_hash(uint32_t dir, const char *name, uint32_t len)
{
    return (uint32_t)tp_hash(name, len, dir);
}

static struct tp_entry *entry_at(const struct tp_names *names, uint32_t entry)
{
    return tp_pool_at(&names->entries, entry);
}

uint32_t tp_names_find(const struct tp_disk *disk, uint32_t space, uint32_t dir,
                       const char *name, uint32_t len)
{
    const struct tp_names *names = &disk->names[space];
    uint32_t hash = tp_name_hash(dir, name, len);
    uint32_t entry = names->buckets[hash & (names->bucket_count - 1)];

    for (; entry != 0; entry = entry_at(names, entry)->next_in_bucket) {
        const struct tp_entry *e = entry_at(names, entry);

        if (e->hash == hash && e->dir == dir && e->name_len == len &&
            memcmp(tp_texts_at(&disk->texts, e->name), name, len) == 0)
            return entry;
    }
    return 0;
}

static void buckets_grow(struct tp_names *names, const struct tp_allocator *allocator)
{
    uint32_t old_count = names->bucket_count;
    uint32_t *old = names->buckets;
    uint32_t *buckets = tp_alloc(allocator, buckets_bytes(old_count * 2), 16);

    if (buckets == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for the virtual disk");
    for (uint32_t bucket = 0; bucket < old_count; bucket++) {
        uint32_t next;

        for (uint32_t entry = old[bucket]; entry != 0; entry = next) {
            struct tp_entry *e = entry_at(names, entry);
            uint32_t *head = &buckets[e->hash & (old_count * 2 - 1)];

            next = e->next_in_bucket;
            e->next_in_bucket = *head;
            *head = entry;
        }
    }
    tp_free(allocator, old, buckets_bytes(old_count), 16);
    names->buckets = buckets;
    names->bucket_count = old_count * 2;
}

static void list_append(struct tp_names *names, struct tp_entry_list *list, uint32_t entry)
{
    struct tp_entry *e = entry_at(names, entry);

    e->prev = list->last;
    e->next = 0;
    if (list->last != 0)
        entry_at(names, list->last)->next = entry;
    else
        list->first = entry;
    list->last = entry;
    list->count++;
}

void tp_names_add(struct tp_disk *disk, uint32_t space, uint32_t dir, const char *name,
                  uint32_t len, uint32_t inode)
{
    struct tp_names *names = &disk->names[space];
    uint32_t entry, text;
    uint32_t *head;
    struct tp_entry *e;

    names->changes++;
    tp_assert(tp_names_find(disk, space, dir, name, len) == 0);
    if (names->entries.live >= names->bucket_count)
        buckets_grow(names, disk->allocator);
    text = tp_texts_add(&disk->texts, name, len, disk->allocator);
    entry = tp_pool_take(&names->entries, disk->allocator);
    e = entry_at(names, entry);
    e->cookie = ++names->cookie;
    e->dir = dir;
    e->inode = inode;
    e->name = text;
    e->name_len = len;
    e->hash = tp_name_hash(dir, tp_texts_at(&disk->texts, text), len);
    head = &names->buckets[e->hash & (names->bucket_count - 1)];
    e->next_in_bucket = *head;
    *head = entry;
    list_append(names, &tp_inode_at(disk, dir)->list[space], entry);
    tp_inode_at(disk, inode)->names[space]++;
    if (space == TP_IN_MEMORY)
        tp_inode_at(disk, inode)->entry = entry;
}

void tp_names_remove(struct tp_disk *disk, uint32_t space, uint32_t entry)
{
    struct tp_names *names = &disk->names[space];
    struct tp_entry *e = entry_at(names, entry);
    struct tp_entry_list *list = &tp_inode_at(disk, e->dir)->list[space];
    uint32_t *link = &names->buckets[e->hash & (names->bucket_count - 1)];

    names->changes++;
    while (*link != entry)
        link = &entry_at(names, *link)->next_in_bucket;
    *link = e->next_in_bucket;
    if (e->prev != 0)
        entry_at(names, e->prev)->next = e->next;
    else
        list->first = e->next;
    if (e->next != 0)
        entry_at(names, e->next)->prev = e->prev;
    else
        list->last = e->prev;
    tp_assert(list->count > 0 && tp_inode_at(disk, e->inode)->names[space] > 0);
    list->count--;
    tp_inode_at(disk, e->inode)->names[space]--;
    if (space == TP_IN_MEMORY && tp_inode_at(disk, e->inode)->entry == entry)
        tp_inode_at(disk, e->inode)->entry = 0;
    tp_texts_remove(&disk->texts, e->name);
    e->cookie = 0;
    tp_pool_give(&names->entries, entry);
}

void tp_names_clear(struct tp_disk *disk, uint32_t space)
{
    struct tp_names *names = &disk->names[space];
    static const struct tp_entry_list empty;

    names->changes++;
    for (uint32_t inode = 1; inode < disk->inodes.used; inode++) {
        struct tp_inode *at = tp_inode_at(disk, inode);

        if (at->kind == TP_FILE_OTHER)
            continue;
        for (uint32_t entry = at->list[space].first; entry != 0;
             entry = entry_at(names, entry)->next)
            tp_texts_remove(&disk->texts, entry_at(names, entry)->name);
        at->list[space] = empty;
        at->names[space] = 0;
        if (space == TP_IN_MEMORY)
            at->entry = 0;
    }
    memset(names->buckets, 0, buckets_bytes(names->bucket_count));
    tp_pool_clear(&names->entries);
}

uint32_t tp_names_next(const struct tp_disk *disk, uint32_t space, uint32_t dir,
                       uint64_t after, uint32_t hint)
{
    const struct tp_names *names = &disk->names[space];
    uint32_t entry;

    if (hint != 0 && hint < names->entries.used && entry_at(names, hint)->cookie == after &&
        entry_at(names, hint)->dir == dir)
        return entry_at(names, hint)->next;
    entry = tp_inode_at(disk, dir)->list[space].first;
    while (entry != 0 && entry_at(names, entry)->cookie <= after)
        entry = entry_at(names, entry)->next;
    return entry;
}
