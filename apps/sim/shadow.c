#include "apps/sim/shadow.h"

#include <stdio.h>
#include <string.h>

#include "io/base.h"

enum { FILES = 64, PAGES = 128, PAGE_BYTES = 4096, PATH_BYTES = 96 };

struct file {
    uint32_t node;
    char path[PATH_BYTES]; /* "": free */
};

struct page {
    uint32_t file; /* its place plus one; 0: free */
    uint64_t number;
    uint8_t now[PAGE_BYTES], before[PAGE_BYTES];
    uint32_t writer[PAGE_BYTES]; /* 0: nobody's */
};

struct tp_shadow {
    struct file files[FILES];
    struct page pages[PAGES];
};

size_t tp_shadow_size_bytes(void)
{
    return sizeof(struct tp_shadow);
}

/* ------------------------------------------------------------------ places */

/* Its place plus one; 0: it is not kept. */
static uint32_t find_file(const struct tp_shadow *shadow, uint32_t node, const char *path)
{
    for (uint32_t i = 0; i < FILES; i++) {
        const struct file *file = &shadow->files[i];

        if (path[0] != '\0' && file->node == node && strcmp(file->path, path) == 0)
            return i + 1;
    }
    return 0;
}

static uint32_t add_file(struct tp_shadow *shadow, uint32_t node, const char *path)
{
    uint32_t file = find_file(shadow, node, path);

    for (uint32_t i = 0; i < FILES && file == 0; i++) {
        if (shadow->files[i].path[0] != '\0')
            continue;
        if (path[0] == '\0' || strlen(path) >= PATH_BYTES - 1) /* it may have been cut */
            return 0;
        shadow->files[i].node = node;
        (void)snprintf(shadow->files[i].path, PATH_BYTES, "%s", path);
        file = i + 1;
    }
    return file;
}

static uint32_t find_page(const struct tp_shadow *shadow, uint32_t file, uint64_t number)
{
    for (uint32_t i = 0; i < PAGES; i++) {
        if (file != 0 && shadow->pages[i].file == file && shadow->pages[i].number == number)
            return i;
    }
    return PAGES;
}

static uint32_t add_page(struct tp_shadow *shadow, uint32_t file, uint64_t number)
{
    uint32_t page = find_page(shadow, file, number);

    for (uint32_t i = 0; i < PAGES && page == PAGES && file != 0; i++) {
        if (shadow->pages[i].file != 0)
            continue;
        memset(&shadow->pages[i], 0, sizeof shadow->pages[i]);
        shadow->pages[i].file = file;
        shadow->pages[i].number = number;
        page = i;
    }
    return page;
}

static void drop_file(struct tp_shadow *shadow, uint32_t file)
{
    for (uint32_t i = 0; i < PAGES; i++) {
        if (shadow->pages[i].file == file)
            shadow->pages[i].file = 0;
    }
    shadow->files[file - 1].path[0] = '\0';
}

/* ------------------------------------------------------------------ changes */

void tp_shadow_write(struct tp_shadow *shadow, const struct tp_shadow_part *part,
                     const uint8_t *bytes, const uint8_t *before, uint32_t writer)
{
    uint32_t at = (uint32_t)(part->offset % PAGE_BYTES);
    uint32_t file = add_file(shadow, part->node, part->path);
    uint32_t index = add_page(shadow, file, part->offset / PAGE_BYTES);
    struct page *page = &shadow->pages[index == PAGES ? 0 : index];

    tp_assert(writer > 0 && at + part->len <= PAGE_BYTES);
    if (index == PAGES)
        return;
    memcpy(page->now + at, bytes, part->len);
    memcpy(page->before + at, before, part->len);
    for (uint32_t i = at; i < at + part->len; i++)
        page->writer[i] = writer;
}

void tp_shadow_cut(struct tp_shadow *shadow, uint32_t node, const char *path, uint64_t size)
{
    uint32_t file = find_file(shadow, node, path);

    for (uint32_t i = 0; i < PAGES && file != 0; i++) {
        struct page *page = &shadow->pages[i];
        uint64_t from = page->number * PAGE_BYTES;
        uint64_t keep = size <= from ? 0 : size - from;

        if (page->file == file && keep < PAGE_BYTES)
            memset(page->writer + keep, 0,
                   (size_t)(PAGE_BYTES - keep) * sizeof *page->writer);
    }
}

void tp_shadow_forget(struct tp_shadow *shadow, uint32_t node, const char *path,
                      uint32_t writer)
{
    uint32_t file = find_file(shadow, node, path);

    for (uint32_t i = 0; i < PAGES && file != 0; i++) {
        struct page *page = &shadow->pages[i];

        for (uint32_t j = 0; j < PAGE_BYTES && page->file == file; j++) {
            if (page->writer[j] < writer)
                page->writer[j] = 0;
        }
    }
}

void tp_shadow_remove(struct tp_shadow *shadow, uint32_t node, const char *path)
{
    size_t len = strlen(path);

    for (uint32_t i = 0; i < FILES && len > 0; i++) {
        const struct file *file = &shadow->files[i];

        if (file->path[0] != '\0' && file->node == node &&
            strncmp(file->path, path, len) == 0 &&
            (file->path[len] == '\0' || file->path[len] == '/'))
            drop_file(shadow, i + 1);
    }
}

void tp_shadow_remove_all(struct tp_shadow *shadow, uint32_t node)
{
    for (uint32_t i = 0; i < FILES; i++) {
        if (shadow->files[i].path[0] != '\0' && shadow->files[i].node == node)
            drop_file(shadow, i + 1);
    }
}

/* What a page holds is, of a file that takes its name, what was there before. */
static void be_before(const struct tp_shadow *shadow, uint32_t old, struct page *page)
{
    uint32_t index = find_page(shadow, old, page->number);

    if (index == PAGES)
        memset(page->before, 0, sizeof page->before);
    else
        memcpy(page->before, shadow->pages[index].now, sizeof page->before);
}

void tp_shadow_rename(struct tp_shadow *shadow, uint32_t node, const char *path,
                      const char *to_path)
{
    uint32_t file = find_file(shadow, node, path);
    uint32_t old = find_file(shadow, node, to_path);

    for (uint32_t i = 0; i < PAGES && file != 0; i++) {
        if (shadow->pages[i].file == file)
            be_before(shadow, old, &shadow->pages[i]);
    }
    if (file == 0 || to_path[0] == '\0' || strlen(to_path) >= PATH_BYTES - 1) {
        /* It is not kept, or not from now on; or it is a directory. */
        tp_shadow_remove(shadow, node, path);
        tp_shadow_remove(shadow, node, to_path);
        return;
    }
    if (old != 0 && old != file)
        drop_file(shadow, old);
    (void)snprintf(shadow->files[file - 1].path, PATH_BYTES, "%s", to_path);
}

/* ------------------------------------------------------------------ what was read */

static void note_byte(const struct page *page, uint32_t i, const uint8_t *byte,
                      uint64_t offset, struct tp_shadow_found *found)
{
    bool zero = byte != NULL && *byte == 0;
    bool before = byte != NULL && *byte == page->before[i];

    if (found->differs == 0) {
        found->at = offset;
        found->writer = page->writer[i];
        found->missing = byte == NULL;
        found->all_zero = found->all_before = true;
    }
    if (found->writer != page->writer[i])
        return;
    found->differs++;
    found->all_zero = found->all_zero && zero;
    found->all_before = found->all_before && before;
}

void tp_shadow_compare(const struct tp_shadow *shadow, const struct tp_shadow_part *part,
                       const uint8_t *bytes, struct tp_shadow_found *found)
{
    uint32_t at = (uint32_t)(part->offset % PAGE_BYTES);
    uint32_t file = find_file(shadow, part->node, part->path);
    uint32_t index = find_page(shadow, file, part->offset / PAGE_BYTES);
    const struct page *page = &shadow->pages[index == PAGES ? 0 : index];

    tp_assert(at + part->len <= PAGE_BYTES);
    for (uint32_t i = 0; i < part->len && index < PAGES; i++) {
        const uint8_t *byte = bytes == NULL ? NULL : bytes + i;
        uint32_t writer = page->writer[at + i];

        if (writer == 0)
            continue;
        found->latest = byte != NULL && writer > found->latest ? writer : found->latest;
        if (byte == NULL || *byte != page->now[at + i])
            note_byte(page, at + i, byte, part->offset + i, found);
    }
}

enum tp_shadow_way tp_shadow_way(const struct tp_shadow_found *found)
{
    tp_assert(found->differs > 0);
    if (found->missing)
        return TP_SHADOW_MISSING;
    if (found->all_zero)
        return TP_SHADOW_ZERO;
    return found->all_before ? TP_SHADOW_BEFORE : TP_SHADOW_OTHER;
}
