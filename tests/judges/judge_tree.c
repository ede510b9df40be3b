#include "judge_internal.h"

#include <stdio.h>
#include <string.h>

static bool names_differ(struct trial *trial, uint32_t program, const char *name,
                         const char *what)
{
    if (!trial->matched || trial->why[0] == '\0')
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

static uint32_t left_behind(const struct trial *trial, uint32_t place)
{
    const struct history *h = trial->history;

    for (uint32_t i = trial->op_count; i > 0 && trial->rules->both_names; i--) {
        const struct name_op *op = &h->name_ops[i - 1];

        if (!trial->kept[i - 1] || (op->from != place && op->to != place))
            continue;
        if (op->from == place && op->to != 0 && !h->objects[op->object].is_dir &&
            h->places[op->to].dir != h->places[place].dir)
            return op->object;
        break;
    }
    return 0;
}

uint32_t object_at(const struct trial *trial, uint32_t place)
{
    return trial->value[place] != 0 ? trial->value[place] : left_behind(trial, place);
}

/* Whether the names in a directory are those of the guess, and so on below it. */
static bool names_match(struct trial *trial, uint32_t dir, uint32_t parent)
{
    const struct history *h = trial->history;
    uint32_t program = h->objects[dir].program;
    uint32_t expected = 0, found = 0, index;

    for (uint32_t place = 1; place < h->place_count; place++) {
        uint32_t object = object_at(trial, place);
        const char *name = h->places[place].name;
        const struct seen_entry *entry;

        if (h->places[place].dir != dir || object == 0)
            continue;
        entry = entry_in(trial, parent, name, &index);
        if (entry == NULL && trial->value[place] == 0)
            continue;
        trial->files.names_both += trial->value[place] == 0;
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
        object = object_at(trial, history_place(h, dir, entry->name));
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
