#include "judge_internal.h"

#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, PAGE = 4096 };

/* The versions that a file may be made of: from the one that was synced last to the last
 * that had begun. */
struct versions {
    const struct version *items[VERSIONS_MAX];
    uint32_t count;
    bool synced; /* the first was; else the file had just been made */
};

static void gather(const struct trial *trial, uint32_t object, struct versions *ret)
{
    const struct history *h = trial->history;
    uint32_t from = 0;

    ret->count = 0;
    ret->synced = false;
    for (uint32_t i = 0; i < h->sync_count; i++) {
        bool vain = trial->rules->sync_own_names && !h->syncs[i].named;

        if (h->syncs[i].object == object && !vain &&
            act_has_ended(trial, h->syncs[i].act)) {
            from = h->syncs[i].version;
            ret->synced = true;
        }
    }
    for (uint32_t i = from; i < h->version_count; i++) {
        if (h->versions[i].object == object &&
            (ret->count == 0 ||
             (!trial->least && act_has_begun(trial, h->versions[i].act))))
            ret->items[ret->count++] = &h->versions[i];
    }
    tp_assert(ret->count > 0);
}

/* R4: a size that the file had since, or the end of a page on the way to one. */
static bool size_is_allowed(const struct versions *versions, uint32_t size,
                            struct judge_tally *tally)
{
    const struct version *first = versions->items[0];
    uint32_t largest = 0;

    for (uint32_t i = 0; i < versions->count; i++) {
        if (versions->items[i]->size > largest)
            largest = versions->items[i]->size;
    }
    if (size == first->size || size == versions->items[versions->count - 1]->size)
        return true;
    tally->sizes_past++;
    for (uint32_t i = 1; i < versions->count; i++) {
        if (versions->items[i]->size == size)
            return true;
    }
    return size % PAGE == 0 && size > first->size && size < largest;
}

/* A bit for each of the first 64 versions that the bytes [at, at + len) may be from. */
static bool sources_of(const struct versions *versions, const uint8_t *bytes, uint32_t at,
                       uint32_t len, uint64_t *ret_sources)
{
    bool any = false;

    *ret_sources = 0;
    for (uint32_t i = 0; i < versions->count; i++) {
        if (memcmp(versions->items[i]->bytes + at, bytes + at, len) != 0)
            continue;
        any = true;
        *ret_sources |= UINT64_C(1) << (i < 63 ? i : 63);
    }
    return any;
}

static bool is_whole(const struct version *version, const struct seen_entry *entry)
{
    return version->size == entry->size &&
           memcmp(version->bytes, entry->bytes, entry->size) == 0;
}

static void count_file(struct judge_tally *tally, const struct versions *versions,
                       const struct seen_entry *entry, uint64_t common, bool past_sync)
{
    const struct version *first = versions->items[0];

    tally->files++;
    if (is_whole(versions->items[versions->count - 1], entry))
        tally->files_newest++;
    else if (is_whole(first, entry))
        tally->files_synced++;
    else
        tally->files_between++;
    tally->mixed += entry->size > 0 && common == 0;
    tally->sizes_alone += entry->size > first->size && !past_sync;
}

bool file_is_allowed(struct trial *trial, uint32_t object, const struct seen_entry *entry)
{
    static struct versions versions;
    uint64_t common = UINT64_MAX, last;
    bool past_sync = false;

    gather(trial, object, &versions);
    last = UINT64_C(1) << (versions.count < 64 ? versions.count - 1 : 63);
    if (!size_is_allowed(&versions, entry->size, &trial->files)) {
        (void)snprintf(trial->why, WHY_BYTES,
                       "w%u/.../%s has %u bytes: neither the %u that were %s, nor the %u "
                       "last, nor any in between",
                       trial->history->objects[object].program, entry->name, entry->size,
                       versions.items[0]->size, versions.synced ? "synced" : "first",
                       versions.items[versions.count - 1]->size);
        return false;
    }
    for (uint32_t at = 0; at < entry->size; at += SECTOR) {
        uint32_t len = entry->size - at < SECTOR ? entry->size - at : SECTOR;
        uint64_t sources;

        if (!sources_of(&versions, entry->bytes, at, len, &sources)) {
            (void)snprintf(trial->why, WHY_BYTES,
                           "w%u/.../%s (%u bytes) has at %u what no version since the last "
                           "sync has there (%02x; synced %02x; newest %02x; %u versions)",
                           trial->history->objects[object].program, entry->name,
                           entry->size, at, entry->bytes[at], versions.items[0]->bytes[at],
                           versions.items[versions.count - 1]->bytes[at], versions.count);
            return false;
        }
        common &= sources;
        past_sync = past_sync || (sources & 1) == 0;
        trial->files.sectors++;
        trial->files.sectors_old += versions.count > 1 && (sources & last) == 0;
        trial->files.sectors_past += (sources & (last | 1)) == 0;
    }
    count_file(&trial->files, &versions, entry, common, past_sync);
    return true;
}
