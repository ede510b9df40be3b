#include "apps/kv/table.h"

enum {
    BUCKETS_A_PAGE = KV_PAGE_BYTES / KV_SLOT_BYTES,
    EMPTY_A_STEP = 64, /* buckets that a step passes at most, looking for an entry */
};

/* ------------------------------------------------------------------ buckets */

static void buckets_init(struct kv_buckets *buckets, struct kv_memory *memory,
                         uint64_t count)
{
    uint32_t page_items = count < BUCKETS_A_PAGE ? (uint32_t)count : BUCKETS_A_PAGE;

    tp_assert(count > 0 && (count & (count - 1)) == 0);
    kv_pages_init(&buckets->pages, KV_SLOT_BYTES, page_items);
    kv_pages_extend(&buckets->pages, memory, count);
    buckets->count = count;
}

static void buckets_deinit(struct kv_buckets *buckets, struct kv_memory *memory)
{
    static const struct kv_buckets none;

    kv_pages_deinit(&buckets->pages, memory);
    *buckets = none;
}

/* The head of a chain; NULL when its page does not exist. */
static inline struct kv_entry **chain(const struct kv_buckets *buckets, uint64_t index)
{
    return kv_pages_find(&buckets->pages, index & (buckets->count - 1));
}

static void push(struct kv_buckets *buckets, struct kv_memory *memory,
                 struct kv_entry *entry)
{
    struct kv_entry **head =
        kv_pages_make(&buckets->pages, memory, entry->hash & (buckets->count - 1));

    entry->next = *head;
    *head = entry;
}

static struct kv_entry **find_in(const struct kv_buckets *buckets, uint32_t hash,
                                 struct kv_slice key)
{
    struct kv_entry **link = chain(buckets, hash);

    if (link == NULL)
        return NULL;
    for (; *link != NULL; link = &(*link)->next) {
        if ((*link)->hash == hash && kv_slice_equal(kv_entry_key(*link), key))
            return link;
    }
    return NULL;
}

/* ------------------------------------------------------------------ entries */

struct kv_entry **kv_table_find(const struct kv_table *table, uint32_t hash,
                                struct kv_slice key)
{
    struct kv_entry **link = NULL;

    if (table->from.count > 0 && (hash & (table->from.count - 1)) >= table->moved)
        link = find_in(&table->from, hash, key);
    if (link == NULL && table->to.count > 0)
        link = find_in(&table->to, hash, key);
    return link;
}

void kv_table_insert(struct kv_table *table, struct kv_memory *memory,
                     struct kv_entry *entry)
{
    tp_assert(entry->next == NULL);
    if (table->from.count == 0)
        buckets_init(&table->from, memory, KV_TABLE_MIN);
    push(table->to.count > 0 ? &table->to : &table->from, memory, entry);
    table->entries++;
}

struct kv_entry *kv_table_unlink(struct kv_table *table, struct kv_entry **link)
{
    struct kv_entry *entry = *link;

    tp_assert(entry != NULL && table->entries > 0);
    *link = entry->next;
    entry->next = NULL;
    table->entries--;
    return entry;
}

/* ------------------------------------------------------------------ another size */

/* The number of buckets that the table should have, at most KV_TABLE_RATIO from what it
 * has. Full tables double; one that is an eighth full or less shrinks to half full. */
static uint64_t count_wanted(const struct kv_table *table)
{
    uint64_t count = table->from.count;
    uint64_t wanted = KV_TABLE_MIN;

    if (table->entries >= count && count < KV_TABLE_MAX)
        return count * 2;
    if (table->entries > count / KV_TABLE_RATIO)
        return count;
    while (wanted < table->entries * 2 || wanted < count / KV_TABLE_RATIO)
        wanted *= 2;
    return wanted < count ? wanted : count;
}

static void finish_move(struct kv_table *table, struct kv_memory *memory)
{
    static const struct kv_buckets none;

    buckets_deinit(&table->from, memory);
    table->from = table->to;
    table->to = none;
    table->moved = 0;
}

/* Moves one bucket that is not empty, or passes some that are. */
static void move_some(struct kv_table *table, struct kv_memory *memory)
{
    struct kv_pages *pages = &table->from.pages;

    for (uint32_t passed = 0; passed < EMPTY_A_STEP && table->moved < table->from.count;) {
        uint64_t in_page = UINT64_C(1) << pages->page_shift;
        struct kv_entry **head = chain(&table->from, table->moved);
        bool had_some = head != NULL && *head != NULL;

        tp_assert(head != NULL || table->moved % in_page == 0);
        while (had_some && *head != NULL) {
            struct kv_entry *entry = *head;

            *head = entry->next;
            push(&table->to, memory, entry);
        }
        table->moved += head == NULL ? in_page : 1;
        if (head != NULL && table->moved % in_page == 0)
            (void)kv_pages_drop(pages, memory,
                                (uint32_t)((table->moved - 1) >> pages->page_shift));
        if (had_some)
            break;
        passed++;
    }
    if (table->moved == table->from.count)
        finish_move(table, memory);
}

bool kv_table_step(struct kv_table *table, struct kv_memory *memory, bool may_grow)
{
    uint64_t wanted;

    if (table->to.count > 0) {
        move_some(table, memory);
        return true;
    }
    if (table->from.count == 0)
        return false;
    if (table->entries == 0 && table->from.count <= BUCKETS_A_PAGE) {
        buckets_deinit(&table->from, memory);
        return true;
    }
    wanted = count_wanted(table);
    if (wanted == table->from.count || (wanted > table->from.count && !may_grow))
        return false;
    buckets_init(&table->to, memory, wanted);
    return true;
}

/* ------------------------------------------------------------------ all of them */

bool kv_table_drain(struct kv_table *table, struct kv_memory *memory,
                    struct kv_entry **ret_entry)
{
    struct kv_pages *pages = &table->from.pages;

    *ret_entry = NULL;
    if (table->from.count == 0)
        return false;
    for (uint32_t passed = 0; passed < EMPTY_A_STEP && table->moved < table->from.count;
         passed++) {
        uint64_t in_page = UINT64_C(1) << pages->page_shift;
        struct kv_entry **head = chain(&table->from, table->moved);

        if (head != NULL && *head != NULL) {
            *ret_entry = kv_table_unlink(table, head);
            return true;
        }
        table->moved += head == NULL ? in_page : 1;
        if (head != NULL && table->moved % in_page == 0) {
            (void)kv_pages_drop(pages, memory,
                                (uint32_t)((table->moved - 1) >> pages->page_shift));
            break;
        }
    }
    if (table->moved == table->from.count)
        finish_move(table, memory);
    return true;
}
