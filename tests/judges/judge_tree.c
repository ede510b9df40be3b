#include "judge_internal.h"

#include <stdio.h>
#include <string.h>

static bool names_differ(struct trial *trial, uint32_t program, const char *name,
                         const char *what)
{
    if (!trial->matched)
        (void)snprintf(trial->why, WHY_BYTES, "the names of w%u: %s %s", program, name,
                       what);
    return false;
}

static const struct seen_entry *entry_in(const struct trial *trial, uint32_t parent,
                                         const char *name, uint32_t *ret_index)
{
    for (uint32_t i = 1; i < trial->seen->count; i++) {
        const struct seen_entry *entry = &trial->seen->entries[i];

        if (entry->parent == parent && strcmp(entry->name, name) == 0) {
            *ret_index = i;
            return entry;
        }
    }
    return NULL;
}

/* Whether the names in a directory are those of the guess, and so on below it. */
static bool names_match(struct trial *trial, uint32_t dir, uint32_t parent)
{
    const struct history *h = trial->history;
    uint32_t program = h->objects[dir].program;
    uint32_t expected = 0, found = 0, index;

    for (uint32_t place = 1; place < h->place_count; place++) {
        uint32_t object = trial->value[place];
        const char *name = h->places[place].name;
        const struct seen_entry *entry;

        if (h->places[place].dir != dir || object == 0)
            continue;
        entry = entry_in(trial, parent, name, &index);
        if (entry == NULL)
            return names_differ(trial, program, name, "is missing");
        if (entry->inode != h->objects[object].inode ||
            entry->is_dir != h->objects[object].is_dir)
            return names_differ(trial, program, name, "names something else");
        if (entry->is_dir && !names_match(trial, object, index))
            return false;
        expected++;
    }
    for (uint32_t i = 1; i < trial->seen->count; i++)
        found += trial->seen->entries[i].parent == parent;
    return found == expected || names_differ(trial, program, "a name", "is there too much");
}

static bool files_match(struct trial *trial, uint32_t dir, uint32_t parent)
{
    const struct history *h = trial->history;

    for (uint32_t i = 1; i < trial->seen->count; i++) {
        const struct seen_entry *entry = &trial->seen->entries[i];
        uint32_t object;

        if (entry->parent != parent)
            continue;
        object = trial->value[history_place(h, dir, entry->name)];
        if (entry->is_dir ? !files_match(trial, object, i)
                          : !file_is_allowed(trial, object, entry))
            return false;
    }
    return true;
}

bool tree_is_allowed(struct trial *trial, uint32_t program)
{
    char name[8];
    uint32_t root;

    (void)snprintf(name, sizeof name, "w%u", program);
    if (entry_in(trial, 0, name, &root) == NULL)
        return names_differ(trial, program, "its directory", "is missing");
    if (!names_match(trial, 1 + program, root))
        return false;
    trial->matched = true;
    return files_match(trial, 1 + program, root);
}
