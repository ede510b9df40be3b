#include "seen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM_BYTES (FILE_BYTES_MAX + 1)

struct seen *seen_create(void)
{
    struct seen *seen = calloc(1, sizeof *seen);

    tp_assert(seen != NULL);
    seen->bytes = malloc((size_t)SEEN_ENTRIES_MAX * ROOM_BYTES);
    tp_assert(seen->bytes != NULL);
    for (uint32_t i = 0; i < SEEN_ENTRIES_MAX; i++)
        seen->entries[i].bytes = seen->bytes + (size_t)i * ROOM_BYTES;
    return seen;
}

void seen_destroy(struct seen *seen)
{
    free(seen->bytes);
    free(seen);
}

/* The first trouble is the one to tell. */
static void trouble(struct seen *seen, const char *what, const char *path)
{
    if (seen->trouble[0] == '\0')
        (void)snprintf(seen->trouble, sizeof seen->trouble, "%.80s: %.70s", path, what);
}

static void read_file(struct seen *seen, struct seen_entry *entry, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t count = 0;

    if (fd < 0) {
        trouble(seen, strerror(errno), path);
        return;
    }
    while (entry->size < ROOM_BYTES) {
        count = read(fd, entry->bytes + entry->size, ROOM_BYTES - entry->size);
        if (count <= 0)
            break;
        entry->size += (uint32_t)count;
    }
    if (count < 0)
        trouble(seen, strerror(errno), path);
    else if (entry->size == ROOM_BYTES)
        trouble(seen, "is larger than it ever was", path);
    (void)close(fd);
}

static void look_at(struct seen *seen, uint32_t parent, const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *item;

    if (dir == NULL) {
        trouble(seen, strerror(errno), path);
        return;
    }
    while ((item = readdir(dir)) != NULL) {
        struct seen_entry *entry = &seen->entries[seen->count];
        char child[256];
        struct stat stat;

        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0 ||
            (parent == 0 && item->d_name[0] != 'w'))
            continue;
        (void)snprintf(child, sizeof child, "%s/%.32s", path, item->d_name);
        if (seen->count == SEEN_ENTRIES_MAX || strlen(item->d_name) >= sizeof entry->name) {
            trouble(seen, "is a name that was never made", child);
            break;
        }
        if (lstat(child, &stat) != 0) {
            trouble(seen, strerror(errno), child);
            continue;
        }
        (void)snprintf(entry->name, sizeof entry->name, "%.31s", item->d_name);
        entry->parent = parent;
        entry->inode = stat.st_ino;
        entry->is_dir = S_ISDIR(stat.st_mode);
        entry->size = 0;
        seen->count++;
        if (!entry->is_dir)
            read_file(seen, entry, child);
        else
            look_at(seen, seen->count - 1, child);
    }
    (void)closedir(dir);
}

void seen_look(struct seen *seen, const char *dir)
{
    seen->count = 1;
    seen->trouble[0] = '\0';
    look_at(seen, 0, dir);
}
