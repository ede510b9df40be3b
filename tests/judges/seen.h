/** tests/judges/seen.h - what is in a directory tree, as a mount shows it. */
#ifndef TEMPEST_TESTS_JUDGES_SEEN_H
#define TEMPEST_TESTS_JUDGES_SEEN_H

#include "history.h"

enum { SEEN_ENTRIES_MAX = 512 };

struct seen_entry {
    uint32_t parent; /* entry of the directory that it is in; 0: the top */
    char name[32];
    uint64_t inode;
    bool is_dir;
    uint32_t size;
    uint8_t *bytes; /* FILE_BYTES_MAX + 1 */
};

struct seen {
    struct seen_entry entries[SEEN_ENTRIES_MAX]; /* from 1; 0 is the top itself */
    uint32_t count;
    uint8_t *bytes;
    char trouble[160]; /* what cannot be: not readable, too large; or "" */
};

struct seen *seen_create(void);
void seen_destroy(struct seen *seen);

/** Looks at everything below `w0`, `w1`, ... of the directory. */
void seen_look(struct seen *seen, const char *dir);

#endif
