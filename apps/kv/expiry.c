#include "apps/kv/expiry.h"

enum { ITEMS_A_PAGE = KV_PAGE_BYTES / sizeof(struct kv_expiry_item), CHILDREN = 4 };

static struct kv_expiry_item *item(const struct kv_expiry *expiry, uint64_t index)
{
    return kv_pages_find(&expiry->items, index);
}

static void place(const struct kv_expiry *expiry, uint64_t index,
                  struct kv_expiry_item moved)
{
    *item(expiry, index) = moved;
    moved.entry->expiry_at = (uint32_t)(index + 1);
}

/* Each of the two moves the gap at `index` to where `moved` may stand. */
static uint64_t rise(const struct kv_expiry *expiry, uint64_t index,
                     struct kv_expiry_item moved)
{
    while (index > 0) {
        uint64_t parent = (index - 1) / CHILDREN;

        if (item(expiry, parent)->when_ms <= moved.when_ms)
            break;
        place(expiry, index, *item(expiry, parent));
        index = parent;
    }
    return index;
}

static uint64_t sink(const struct kv_expiry *expiry, uint64_t index,
                     struct kv_expiry_item moved)
{
    for (;;) {
        uint64_t first = index * CHILDREN + 1;
        uint64_t least = first;

        if (first >= expiry->count)
            return index;
        for (uint64_t i = first + 1; i < first + CHILDREN && i < expiry->count; i++) {
            if (item(expiry, i)->when_ms < item(expiry, least)->when_ms)
                least = i;
        }
        if (item(expiry, least)->when_ms >= moved.when_ms)
            return index;
        place(expiry, index, *item(expiry, least));
        index = least;
    }
}

static void settle(const struct kv_expiry *expiry, uint64_t index,
                   struct kv_expiry_item moved)
{
    uint64_t risen = rise(expiry, index, moved);

    place(expiry, risen == index ? sink(expiry, index, moved) : risen, moved);
}

/* Frees the last page, but keeps one to grow into behind the last that is used. */
static void shrink(struct kv_expiry *expiry, struct kv_memory *memory)
{
    uint64_t page = expiry->count / ITEMS_A_PAGE + 2;

    if (expiry->count == 0)
        kv_pages_deinit(&expiry->items, memory);
    else if (page < expiry->items.slots)
        (void)kv_pages_drop(&expiry->items, memory, (uint32_t)page);
}

static void remove_at(struct kv_expiry *expiry, struct kv_memory *memory, uint64_t index)
{
    struct kv_expiry_item last = *item(expiry, expiry->count - 1);

    item(expiry, index)->entry->expiry_at = 0;
    expiry->count--;
    if (index < expiry->count)
        settle(expiry, index, last);
    shrink(expiry, memory);
}

static void add(struct kv_expiry *expiry, struct kv_memory *memory,
                struct kv_expiry_item added)
{
    uint64_t capacity = (uint64_t)expiry->items.slots * ITEMS_A_PAGE;

    tp_assert(expiry->count < UINT32_MAX);
    if (expiry->items.item_bytes == 0)
        kv_pages_init(&expiry->items, sizeof added, ITEMS_A_PAGE);
    if (expiry->count == capacity)
        kv_pages_extend(&expiry->items, memory, capacity == 0 ? 1 : 2 * capacity);
    (void)kv_pages_make(&expiry->items, memory, expiry->count);
    expiry->count++;
    place(expiry, rise(expiry, expiry->count - 1, added), added);
}

void kv_expiry_set(struct kv_expiry *expiry, struct kv_memory *memory,
                   struct kv_entry *entry, int64_t when_ms)
{
    struct kv_expiry_item changed = {when_ms, entry};

    tp_assert(when_ms >= 0);
    if (entry->expiry_at == 0) {
        if (when_ms != 0)
            add(expiry, memory, changed);
        return;
    }
    tp_assert(item(expiry, entry->expiry_at - 1)->entry == entry);
    if (when_ms == 0)
        remove_at(expiry, memory, entry->expiry_at - 1);
    else
        settle(expiry, entry->expiry_at - 1, changed);
}

int64_t kv_expiry_of(const struct kv_expiry *expiry, const struct kv_entry *entry)
{
    return entry->expiry_at == 0 ? 0 : item(expiry, entry->expiry_at - 1)->when_ms;
}

void kv_expiry_pass(struct kv_expiry *expiry, struct kv_entry *from, struct kv_entry *to)
{
    tp_assert(to->expiry_at == 0);
    if (from->expiry_at == 0)
        return;
    item(expiry, from->expiry_at - 1)->entry = to;
    to->expiry_at = from->expiry_at;
    from->expiry_at = 0;
}

struct kv_entry *kv_expiry_first(const struct kv_expiry *expiry)
{
    return expiry->count == 0 ? NULL : item(expiry, 0)->entry;
}

bool kv_expiry_drain(struct kv_expiry *expiry, struct kv_memory *memory)
{
    bool dropped = false;

    if (expiry->items.slots == 0)
        return false;
    expiry->count = 0;
    if (expiry->items.made > 0)
        dropped = kv_pages_drop(&expiry->items, memory, expiry->items.made - 1);
    tp_assert(dropped || expiry->items.made == 0);
    if (expiry->items.made == 0)
        kv_pages_deinit(&expiry->items, memory);
    return true;
}
