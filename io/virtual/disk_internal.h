/** io/virtual/disk_internal.h - how a disk is kept: the layers, and what each file offers.
 *
 * Everything is named by index (pool.h), so a clone is a copy of bytes and nothing depends
 * on an address. Reading order of the files:
 *
 *     pages.c, pool.c, texts.c   storage for everything below
 *     map.c       which pages a file has: a tree of slots, one for a page in all layers
 *     data.c      the page cache: read, write, truncate, fallocate, find_data
 *     media.c     the way down: device cache, media, sync, write-back
 *     names.c     a name space: directory entries; one in memory, one on the media
 *     name_log.c  the operations that the second lacks, and how they get there
 *     inode.c     files and directories, and when one is gone
 *     path.c      from a path to a name in a directory
 *     tree.c      what open, rename, ... do to names
 *     power.c     what survives a power cut
 *     disk.c      create, destroy, clone
 *     host.c      the functions on paths of disk.h
 *     damage.c    what is lost on the way down, and what the media do to data
 *     check.c     invariants and the hash
 */
#ifndef TEMPEST_IO_VIRTUAL_DISK_INTERNAL_H
#define TEMPEST_IO_VIRTUAL_DISK_INTERNAL_H

#include "disk.h"
#include "pages.h"
#include "pool.h"
#include "texts.h"

#define TP_ROOT          UINT32_C(1)             /* inode of the root directory */
#define TP_FILE_SIZE_MAX UINT64_C(0xffffffff000) /* ext4's, with blocks of 4096 bytes */
#define TP_LINKS_MAX     40 /* symbolic links that one path may lead through */
#define TP_UMASK         UINT32_C(022)
#define TP_TICK_NS       INT64_C(10000000) /* of the coarsest clock that times of files have */
#define TP_LOCK_LEFT     UINT32_MAX
#define TP_FILE_SOCKET   UINT32_C(64) /* a kind that programs see as TP_FILE_OTHER */

/* ------------------------------------------------------------------ pages of a file */

enum tp_page_slot_flag {
    TP_SLOT_USED = 1,
    TP_SLOT_ALLOCATED = 2,      /* counts as storage: written, or reserved by fallocate */
    TP_SLOT_WRITTEN = 4,        /* holds data, as find_data sees it */
    TP_SLOT_MEDIA_RESERVED = 8, /* the reservation is durable */
    TP_SLOT_DIRECT = 16,        /* written past the page cache last */
};

/** One page of a file, through all layers. Bit i of a mask is sector i of the page. */
struct tp_page_slot {
    uint64_t stamp;       /* when it was dirtied last: the order of writes */
    uint32_t cache;       /* what programs read */
    uint32_t device;      /* with the device, flushed or not */
    uint32_t media;       /* what a power cut leaves */
    uint32_t page;        /* number in the file */
    uint32_t next, prev;  /* in the file's list of dirty slots, oldest first */
    uint8_t dirty;        /* sectors of `cache` that the device does not have */
    uint8_t device_dirty; /* sectors of `device` that the media do not have */
    uint8_t flags;
    uint8_t bad; /* sectors of `media` that cannot be read */
    uint8_t reserved[4];
};

#define TP_MAP_FANOUT_LOG2 5
#define TP_MAP_FANOUT      32

struct tp_map_leaf {
    uint32_t used, reserved;
    struct tp_page_slot slots[TP_MAP_FANOUT];
};

struct tp_map_node {
    uint32_t used;
    uint32_t children[TP_MAP_FANOUT];
};

/** The tree of a file: height 0 is empty, 1 a leaf, 2 a node of leaves, ... */
struct tp_map {
    uint32_t root, height;
};

/* ------------------------------------------------------------------ files and names */

enum { TP_IN_MEMORY, TP_ON_MEDIA, TP_NAME_SPACES };

/** The entries of a directory in one name space, in the order in which they were made. */
struct tp_entry_list {
    uint32_t first, last, count;
};

struct tp_inode {
    uint64_t size, media_size;
    uint64_t size_low;   /* the smallest since a size reached the media */
    uint64_t changed_at; /* operations on names up to its last change, its own included */
    uint64_t synced_at;  /* the same, as the last sync found it */
    uint64_t named_at;   /* the operation that gave it its name in memory */
    int64_t modified_ns, media_modified_ns;
    int64_t tick_ns;   /* when it was written: noted once in a tick at most */
    uint64_t tick_ops; /* operations on names up to that */
    uint32_t kind;     /* enum tp_file_kind or TP_FILE_SOCKET; TP_FILE_OTHER: free */
    uint32_t mode, media_mode;
    uint32_t names[TP_NAME_SPACES]; /* entries that name it, in each space */
    uint32_t entry;   /* the last that came to name it in memory, while that is there */
    uint32_t pending; /* mentions in the log of name operations */
    uint32_t opens;   /* open descriptions */
    uint32_t lock; /* its holder's; 0: it is free; TP_LOCK_LEFT: a dead process still ... */
    uint64_t lock_until; /* ... has it, before the disk has seen so many operations */
    uint32_t allocated;  /* pages that count as storage */
    struct tp_map map;
    uint32_t dirty_first, dirty_last, dirty_count;
    uint32_t target; /* symbolic links: a text */
    uint32_t parent; /* directories: the one above, in memory */
    uint32_t subdirs;
    struct tp_entry_list list[TP_NAME_SPACES];
    uint8_t counted;    /* its storage is part of the disk's use */
    uint8_t diverged;   /* clean pages of memory may differ from what the device has */
    uint8_t error_seen; /* the last failure was told to somebody */
    uint8_t reserved[5];
    int32_t error;           /* of the last page that was lost on its way down */
    uint32_t error_sequence; /* grows with each that is to be told anew; 0: none so far */
};

struct tp_entry {
    uint32_t next_in_bucket; /* first, where the pool links free ones: a free one's cookie
                                stays 0 */
    uint32_t hash;
    uint64_t
        cookie; /* grows along the directory's list: where a reader of it has come to */
    uint32_t dir, inode;
    uint32_t name, name_len;
    uint32_t next, prev; /* in the directory's list */
};

/** A name space: from (directory, name) to entry. */
struct tp_names {
    uint32_t space; /* TP_IN_MEMORY or TP_ON_MEDIA */
    uint32_t bucket_count;
    uint32_t *buckets;
    struct tp_pool entries;
    uint64_t cookie;
    uint64_t changes; /* names that came or went so far */
};

enum { TP_PATHS_KEPT = 16, TP_PATH_KEPT_BYTES = 96 };

/** A path that was asked for when so many names had changed. */
struct tp_path_kept {
    uint64_t changes;
    uint32_t inode; /* 0: none was */
    uint32_t len;   /* 0: it has none, or one that does not fit */
    char text[TP_PATH_KEPT_BYTES];
};

/** A name in a directory, kept; dir 0: none. */
struct tp_name_place {
    uint32_t dir, name, name_len, hash;
};

/** An operation on names that is in memory and not on the media: `from` is cleared, and
 * `to` names the inode. */
struct tp_name_op {
    struct tp_name_place from, to;
    uint64_t number; /* of all that were ever made, from 1 */
    uint32_t inode;
    uint32_t next, prev;
    bool moves_dir; /* a directory changes its place: ordered among its like */
    bool marked;    /* chosen, while a choice is being made */
};

/** A write of a killed process that the kernel still has. */
struct tp_landing {
    uint32_t inode;
    uint32_t delay; /* operations of the successor that come first */
    uint64_t offset;
    uint32_t len;
    uint32_t direct;
    uint8_t *bytes;
};
#define TP_LANDINGS_MAX 256

/** What has become of the journal (R7b). */
enum tp_journal {
    TP_JOURNAL_FINE,
    TP_JOURNAL_READ_ONLY,       /* a change gives -EROFS, and so does a sync */
    TP_JOURNAL_READ_ONLY_SYNCS, /* the same, but a sync says 0 */
    TP_JOURNAL_SHUT,            /* everything gives -EIO */
};

struct tp_disk_rules {
    const char *name;
    bool names_in_order;      /* name operations survive as a prefix */
    bool fsync_commits_names; /* of everything up to the file's last change */
    bool fsync_commits_own;   /* of the file itself; and nothing once it has no name */
    bool rename_leaves_old;   /* a sync of the new directory says nothing of the old name */
    bool replaces_in_two;     /* what a rename replaced may be gone, and the rename lost */
    bool device_cache_survives;
    bool tears_sectors; /* shorn, garbage, zeros */
    bool reverts;       /* memory may show the old content at once after a failed sync */
    bool enospc_at_close;
    bool no_page_cache; /* every write goes to the device */
    uint8_t journal;    /* enum tp_journal, once it has failed; FINE: any */
};

struct tp_disk {
    struct tp_disk_config config; /* defaults filled in */
    const struct tp_disk_rules *rules;
    const struct tp_allocator *allocator;
    struct tp_pages pages;
    struct tp_pool leaves, nodes, inodes, name_ops;
    struct tp_texts texts;
    struct tp_names names[TP_NAME_SPACES];
    uint32_t name_op_first, name_op_last;
    uint64_t name_ops_made;  /* operations on names so far */
    uint64_t name_ops_whole; /* the same, when the media had all of them last */
    uint64_t stamp;
    uint64_t pages_max, pages_used; /* storage, as programs see it */
    uint32_t inodes_counted; /* files that programs can see; others wait for the media */
    uint32_t dirty_pages;
    uint32_t boot;     /* power cuts so far */
    uint32_t attached; /* Ios at work */
    uint32_t landing_count;
    uint32_t opens;      /* descriptions of all files */
    uint32_t locks;      /* taken so far: each is a number of its own */
    uint64_t operations; /* that have taken effect */
    uint32_t bad_slots;  /* with sectors that cannot be read */
    uint8_t journal;     /* enum tp_journal */
    bool overcommits;    /* for a moment: a write finds room although there is none */
    struct tp_landing *landings;
    struct tp_path_kept *paths_kept; /* TP_PATHS_KEPT of them */
};

static inline struct tp_inode *tp_inode_at(const struct tp_disk *disk, uint32_t inode)
{
    return tp_pool_at(&disk->inodes, inode);
}

/* ------------------------------------------------------------------ map.c */

/** A slot's number: its leaf and its place in it. 0: none. Pointers to slots are good until
 * the next tp_map_make(). */
static inline struct tp_page_slot *tp_slot_at(const struct tp_disk *disk, uint32_t slot)
{
    struct tp_map_leaf *leaf = tp_pool_at(&disk->leaves, slot >> TP_MAP_FANOUT_LOG2);
    return &leaf->slots[slot & (TP_MAP_FANOUT - 1)];
}

/** The slot of a page; 0 if the file has none. */
uint32_t tp_map_find(const struct tp_disk *disk, const struct tp_map *map, uint32_t page);
/** The slot of a page, made if it is missing. */
uint32_t tp_map_make(struct tp_disk *disk, struct tp_map *map, uint32_t page);
/** Takes a slot out; it must hold no page any more. */
void tp_map_remove(struct tp_disk *disk, struct tp_map *map, uint32_t page);
/** The first slot at or after `page`; 0 if there is none. */
uint32_t tp_map_next(const struct tp_disk *disk, const struct tp_map *map, uint64_t page);

/* ------------------------------------------------------------------ data.c */

/** Result: bytes read; 0 at or past the end. */
uint64_t tp_data_read(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                      uint8_t *bytes, uint64_t len);
/** The hash of a part of a file. */
uint64_t tp_data_hash(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                      uint64_t len);
/** Writes into the page cache, or (direct) through it to the device. Result: bytes, fewer
 * when storage runs out; -ENOSPC, -EFBIG. The file's inode has changed by that only if its
 * size has, or a page was written for the first time; see tp_inode_modified(). */
int64_t tp_data_write(struct tp_disk *disk, uint32_t inode, uint64_t offset,
                      const uint8_t *bytes, uint64_t len, bool direct);
int32_t tp_data_truncate(struct tp_disk *disk, uint32_t inode, uint64_t size);
int32_t tp_data_fallocate(struct tp_disk *disk, uint32_t inode, uint64_t offset,
                          uint64_t len, bool keep_size);
int32_t tp_data_find(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                     struct tp_extent *ret_extent);
/** Gives back all pages of all layers. */
void tp_data_drop(struct tp_disk *disk, uint32_t inode);
/** All sectors of a page, as a mask. */
uint8_t tp_sectors_all(const struct tp_disk *disk);

/* ------------------------------------------------------------------ media.c */

/** Notes that sectors of a slot's cache were written: dirty, and the youngest of the file's
 * list. */
void tp_slot_touch(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot,
                   uint8_t sectors);
/** The cache's content goes to the device. */
void tp_slot_to_device(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot);
/** The cache's content goes to the media; a slot that holds nothing any more is removed. */
void tp_slot_to_media(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot);
/** The device's content goes to the media. */
void tp_slot_flush(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot);
/** Dirty sectors become fewer, or change their layer, whatever the layers hold; the place
 * in the order of writes stays. */
void tp_slot_settle(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot,
                    uint8_t dirty, uint8_t device_dirty);
/** Gives up all pages of a slot, and the slot. */
void tp_slot_drop(struct tp_disk *disk, struct tp_inode *inode, uint32_t slot);
/** fsync of a file or a directory, with the names that the profile adds. */
void tp_media_sync(struct tp_disk *disk, uint32_t inode, bool data_only);
/** Whether fsync of a file says 0 and does nothing: btrfs, once the file has no name. */
bool tp_media_syncs_in_vain(const struct tp_disk *disk, uint32_t inode);
/** An O_DSYNC write's own part of that: the pages from `offset` on, and the size. */
void tp_media_sync_range(struct tp_disk *disk, uint32_t inode, uint64_t offset,
                         uint64_t len);
/** A failed fsync: pages that were dirty count as clean, and the device does not have
 * them. */
void tp_media_sync_failed(struct tp_disk *disk, uint32_t inode);
/** Perhaps moves one page of the file down, as a kernel and a device do by themselves. */
void tp_media_writeback(struct tp_disk *disk, uint32_t inode, struct tp_tape *tape,
                        uint32_t node);

/* ------------------------------------------------------------------ damage.c */

/** Notes that data of a file were lost on their way down (-errno). It is told once to each
 * description that is open, and to one opened later if nobody was told yet. */
void tp_inode_fail(struct tp_disk *disk, uint32_t inode, int32_t error);
/** Where a description that is being opened stands in the file's failures. */
uint32_t tp_inode_error_since(const struct tp_disk *disk, uint32_t inode);
/** What is to be told to a description, and is told by that: 0, or -errno. */
int32_t tp_inode_error(struct tp_disk *disk, uint32_t inode, uint32_t *since);

/** The page is lost on its way down: clean, and the media have the old; memory keeps the
 * new until it is evicted, or (`reverts`) has the old at once. */
void tp_slot_lose(struct tp_disk *disk, uint32_t inode, uint32_t slot, bool reverts);
/** Reads a clean page from the device again; false if that changes nothing. */
bool tp_slot_evict(struct tp_disk *disk, uint32_t inode, uint32_t slot);
/** Whether the page is the same in all layers, with data. */
bool tp_slot_is_settled(const struct tp_disk *disk, uint32_t slot);
/** The sectors of a page that a read must fail on. */
uint8_t tp_slot_unreadable(const struct tp_page_slot *s);
/** The device had other sectors put in place of these: they can be read again. */
void tp_slot_mend(struct tp_disk *disk, struct tp_page_slot *s, uint8_t sectors);
/** R9, for a settled page: sectors become unreadable; a bit flips; memory has what belongs
 * to the page of `other`. */
void tp_damage_unreadable(struct tp_disk *disk, uint32_t slot, uint8_t sectors);
void tp_damage_flip(struct tp_disk *disk, uint32_t inode, uint32_t slot, uint32_t bit);
void tp_damage_misread(struct tp_disk *disk, uint32_t inode, uint32_t slot, uint32_t other);
/** R9, for a dirty page: all of it but the `stale` sectors reaches the media, which nobody
 * is told; it lands on the settled page of `other`, which may be another file's. */
void tp_damage_stale(struct tp_disk *disk, uint32_t inode, uint32_t slot, uint8_t stale);
void tp_damage_miswrite(struct tp_disk *disk, uint32_t inode, uint32_t slot,
                        uint32_t other_inode, uint32_t other);
/** How many of these bytes can be read (or written) before the first that cannot. */
uint64_t tp_damage_readable(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                            uint64_t len, bool direct);
uint64_t tp_damage_writable(const struct tp_disk *disk, uint32_t inode, uint64_t offset,
                            uint64_t len);

/* ------------------------------------------------------------------ names.c */

int tp_names_init(struct tp_names *names, uint32_t space,
                  const struct tp_allocator *allocator);
void tp_names_deinit(struct tp_names *names, const struct tp_allocator *allocator);
int tp_names_clone(struct tp_names *names, const struct tp_names *source,
                   const struct tp_allocator *allocator);
uint32_t tp_name_hash(uint32_t dir, const char *name, uint32_t len);
/** The entry of a name; 0 if there is none. */
uint32_t tp_names_find(const struct tp_disk *disk, uint32_t space, uint32_t dir,
                       const char *name, uint32_t len);
/** Makes an entry; the name must be free. */
void tp_names_add(struct tp_disk *disk, uint32_t space, uint32_t dir, const char *name,
                  uint32_t len, uint32_t inode);
/** Removes an entry. */
void tp_names_remove(struct tp_disk *disk, uint32_t space, uint32_t entry);
/** Forgets all entries of a space, and every directory's list of them. */
void tp_names_clear(struct tp_disk *disk, uint32_t space);
/** The first entry of a directory with a cookie above `after`; `hint` is one that the
 * reader saw last (it may be gone). 0 at the end. */
uint32_t tp_names_next(const struct tp_disk *disk, uint32_t space, uint32_t dir,
                       uint64_t after, uint32_t hint);
static inline struct tp_entry *tp_entry_at(const struct tp_disk *disk, uint32_t space,
                                           uint32_t entry)
{
    return tp_pool_at(&disk->names[space].entries, entry);
}

/* ------------------------------------------------------------------ name_log.c */

static inline struct tp_name_op *tp_name_op_at(const struct tp_disk *disk, uint32_t op)
{
    return tp_pool_at(&disk->name_ops, op);
}

/** A name in a directory, not yet in the log. */
struct tp_spot {
    uint32_t dir;
    const char *name;
    uint32_t len;
};

/** Notes that `from` is cleared (NULL: nothing is) and `to` (NULL) now names `inode`. */
void tp_name_log_add(struct tp_disk *disk, const struct tp_spot *from,
                     const struct tp_spot *to, uint32_t inode);
/** Notes a rename, over `replaced` (0: nothing), which has no name any more. */
void tp_name_log_rename(struct tp_disk *disk, const struct tp_spot *from,
                        const struct tp_spot *to, uint32_t inode, uint32_t replaced);
/** Makes the operations that touch a directory durable, with those they need. Of a rename
 * into it the profile may leave the old name, elsewhere, until that one's directory or the
 * file is synced. */
void tp_name_log_commit_dir(struct tp_disk *disk, uint32_t dir);
/** The same for those that name, or took a name from, a file. */
void tp_name_log_commit_inode(struct tp_disk *disk, uint32_t inode);
/** The same for one operation. */
void tp_name_log_commit_op(struct tp_disk *disk, uint32_t op);
void tp_name_log_commit_all(struct tp_disk *disk);
/** The same for the first `count` that were ever made. */
void tp_name_log_commit_until(struct tp_disk *disk, uint64_t count);
/** Perhaps commits one operation, as a journal does by itself. */
void tp_name_log_writeback(struct tp_disk *disk, struct tp_tape *tape, uint32_t node);
/** Draws which operations survive a power cut, commits these and forgets the others.
 * Result: how many were lost. */
uint32_t tp_name_log_cut(struct tp_disk *disk, struct tp_tape *tape, uint32_t stream);

/* ------------------------------------------------------------------ inode.c */

/** A new file with no name, or 0 when the disk has no inode left. */
uint32_t tp_inode_make(struct tp_disk *disk, uint32_t kind, uint32_t mode, int64_t now_ns);
/** Frees the inode if nothing refers to it any more, and its storage if no program can see
 * it. */
void tp_inode_settle(struct tp_disk *disk, uint32_t inode);
/** A file's content was changed at this time. */
void tp_inode_modified(struct tp_disk *disk, uint32_t inode, int64_t now_ns);
void tp_inode_open(struct tp_disk *disk, uint32_t inode);
void tp_inode_close(struct tp_disk *disk, uint32_t inode);
/** Takes the lock for the description that keeps `*holder`: 0 before it has it. 0, or
 * -EAGAIN. */
int32_t tp_inode_lock(struct tp_disk *disk, uint32_t inode, uint32_t *holder);
/** Gives the holder's lock back, once the disk has seen `delay` operations more. */
void tp_inode_unlock(struct tp_disk *disk, uint32_t inode, uint32_t holder, uint64_t delay);
/** Whether it is a directory that was removed. */
bool tp_inode_is_dead(const struct tp_disk *disk, uint32_t inode);
void tp_inode_stat(const struct tp_disk *disk, uint32_t inode, struct tp_statx *ret_statx);
/** Its kind, as programs see it. */
static inline uint32_t tp_inode_kind(const struct tp_disk *disk, uint32_t inode)
{
    uint32_t kind = tp_inode_at(disk, inode)->kind;
    return kind == TP_FILE_SOCKET ? (uint32_t)TP_FILE_OTHER : kind;
}
/** Pages more that a file may take: 0 when the disk is full. */
static inline uint64_t tp_disk_room(const struct tp_disk *disk)
{
    return disk->pages_max > disk->pages_used ? disk->pages_max - disk->pages_used : 0;
}
/** Changes how many pages of storage a file has. */
void tp_inode_allocated(struct tp_disk *disk, struct tp_inode *inode, int32_t pages);

/* ------------------------------------------------------------------ path.c */

enum tp_walk_mode {
    TP_WALK_FOLLOW,     /* what the path names */
    TP_WALK_NO_FOLLOW,  /* a symbolic link itself, unless a slash follows it */
    TP_WALK_CREATE,     /* as FOLLOW, for open with create: a trailing slash is -EISDIR */
    TP_WALK_CREATE_NEW, /* the same, and a symbolic link is not followed */
    TP_WALK_PARENT,     /* the last name is not looked through at all */
};

enum tp_walk_last { TP_LAST_NAME, TP_LAST_DOT, TP_LAST_DOT_DOT, TP_LAST_ROOT };

struct tp_walked {
    uint32_t parent; /* the directory that the last name is in */
    uint32_t inode;  /* what it names; 0: nothing */
    const char
        *name; /* TP_LAST_NAME: in the path or in a link's target, not NUL-terminated */
    uint32_t len;
    uint32_t last; /* enum tp_walk_last */
    bool slash;    /* slashes follow it */
};

/** From a directory (for relative paths) and a path to a name. 0, or -errno. */
int32_t tp_path_walk(const struct tp_disk *disk, uint32_t start, const char *path,
                     enum tp_walk_mode mode, struct tp_walked *ret_walk);

/** FOLLOW or NO_FOLLOW to something that must exist. Result: its inode, or -errno. */
int64_t tp_path_find(const struct tp_disk *disk, uint32_t start, const char *path,
                     enum tp_walk_mode mode);

/* ------------------------------------------------------------------ path_text.c */

/** A path that leads to the file in memory, NUL-terminated; "" if none does, or it is too
 * long. Result: its length. Looks at every name there is for one that has several. */
uint32_t tp_path_of(const struct tp_disk *disk, uint32_t inode, char *ret_path,
                    uint32_t size);

/* ------------------------------------------------------------------ tree.c */

/** Finds or makes what an open names; not yet opened. Result: an inode, or -errno.
 * `in_dir`: the path is one name, not followed. */
int64_t tp_tree_open(struct tp_disk *disk, uint32_t start, const char *path,
                     struct tp_open_options options, bool in_dir, int64_t now_ns);
int32_t tp_tree_make_dir(struct tp_disk *disk, uint32_t start, const char *path,
                         uint32_t mode, int64_t now_ns);
int32_t tp_tree_make_dir_all(struct tp_disk *disk, const char *path, int64_t now_ns);
int32_t tp_tree_symlink(struct tp_disk *disk, uint32_t start, const char *path,
                        const char *target, int64_t now_ns);
/** What bind does with a path. Result: an inode, or -errno. */
int64_t tp_tree_make_socket(struct tp_disk *disk, const char *path, int64_t now_ns);
int32_t tp_tree_remove(struct tp_disk *disk, uint32_t start, const char *path,
                       int64_t now_ns);
int32_t tp_tree_remove_dir(struct tp_disk *disk, uint32_t start, const char *path,
                           int64_t now_ns);
int32_t tp_tree_rename(struct tp_disk *disk, uint32_t start, const char *from,
                       uint32_t to_start, const char *to, int64_t now_ns);

/* ------------------------------------------------------------------ mount.c, landing.c */

/** Fills memory again from the media, and frees what nothing leads to. */
void tp_disk_reload(struct tp_disk *disk);

/** Keeps a copy of a write that lands later, bytes included. False: there are too many. */
bool tp_disk_land_later(struct tp_disk *disk, const struct tp_landing *landing);
/** Lets those land whose time has come; called before each operation, which it counts. */
void tp_disk_land(struct tp_disk *disk);
/** Lets the first `len` bytes of one land, or none; it is gone then. */
void tp_landing_write(struct tp_disk *disk, uint32_t index, uint32_t len);
void tp_landing_end(struct tp_disk *disk, uint32_t index);

/** How much there is of a write that lacks this many bytes (1 to `len`) at its end, and
 * stops where a unit does. */
static inline uint32_t tp_torn_len(uint64_t offset, uint32_t len, uint64_t missing,
                                   uint32_t unit)
{
    uint64_t end = offset + len - missing;

    tp_assert(missing >= 1 && missing <= len);
    end -= end % unit;
    return end > offset ? (uint32_t)(end - offset) : 0;
}

#endif
