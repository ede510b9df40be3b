#include "apps/kv/table.h"

static const struct kv_entry *first_of(const struct kv_buckets *buckets, uint64_t index)
{
    struct kv_entry **head = kv_pages_find(&buckets->pages, index & (buckets->count - 1));

    return head == NULL ? NULL : *head;
}

static void visit_chain(const struct kv_buckets *buckets, uint64_t index,
                        kv_table_visit_fn *visit, void *context)
{
    const struct kv_entry *entry = first_of(buckets, index);

    for (; entry != NULL; entry = entry->next)
        visit(context, entry);
}

/* ------------------------------------------------------------------ scan
 *
 * Buckets are visited in the order of their numbers read backwards, highest bit last. When
 * the table doubles, bucket b becomes b and b + n, which are neighbours in that order: what
 * comes after a cursor in the small table comes after it in the large one, and the other
 * way round. So a cursor stays good whatever the size has become. While there are two
 * arrays, a step visits a bucket of the smaller one and all those of the larger that its
 * keys go to or come from. */

static uint64_t reversed(uint64_t word)
{
    word = (word >> 1 & UINT64_C(0x5555555555555555)) |
           (word & UINT64_C(0x5555555555555555)) << 1;
    word = (word >> 2 & UINT64_C(0x3333333333333333)) |
           (word & UINT64_C(0x3333333333333333)) << 2;
    word = (word >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) |
           (word & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
    return __builtin_bswap64(word);
}

/* The cursor after this one in an array of mask + 1 buckets. */
static uint64_t after(uint64_t cursor, uint64_t mask)
{
    return reversed(reversed(cursor | ~mask) + 1);
}

uint64_t kv_table_scan(const struct kv_table *table, uint64_t cursor,
                       kv_table_visit_fn *visit, void *context)
{
    const struct kv_buckets *small = &table->from, *large = &table->to;
    uint64_t small_mask, large_mask;

    if (small->count == 0)
        return 0;
    if (large->count == 0) {
        visit_chain(small, cursor, visit, context);
        return after(cursor, small->count - 1);
    }
    if (small->count > large->count) {
        small = &table->to;
        large = &table->from;
    }
    small_mask = small->count - 1;
    large_mask = large->count - 1;
    visit_chain(small, cursor, visit, context);
    do {
        visit_chain(large, cursor, visit, context);
        cursor = after(cursor, large_mask);
    } while ((cursor & (small_mask ^ large_mask)) != 0);
    return cursor;
}

/* ------------------------------------------------------------------ random */

enum { DRAWS_MAX = 64 }; /* of buckets, before the next one with an entry will do */

/* The bucket of this number, counting those of `from` that are not moved, then `to`. */
static const struct kv_entry *numbered(const struct kv_table *table, uint64_t number)
{
    uint64_t left = table->from.count - table->moved;

    return number < left ? first_of(&table->from, table->moved + number)
                         : first_of(&table->to, number - left);
}

static uint64_t drawn(uint64_t *state, uint64_t bound)
{
    uint64_t word = *state += UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64 */

    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return (word ^ word >> 31) % bound;
}

static struct kv_entry *one_of(const struct kv_entry *first, uint64_t *state)
{
    const struct kv_entry *entry = first;
    uint64_t len = 0;

    for (; entry != NULL; entry = entry->next)
        len++;
    entry = first;
    for (uint64_t i = drawn(state, len); i > 0; i--)
        entry = entry->next;
    return (struct kv_entry *)(uintptr_t)entry;
}

struct kv_entry *kv_table_random(const struct kv_table *table, uint64_t random)
{
    uint64_t buckets = table->from.count - table->moved + table->to.count;
    const struct kv_entry *first = NULL;
    uint64_t number = 0;

    if (table->entries == 0)
        return NULL;
    for (uint32_t draw = 0; draw < DRAWS_MAX && first == NULL; draw++) {
        number = drawn(&random, buckets);
        first = numbered(table, number);
    }
    while (first == NULL) {
        number = (number + 1) % buckets;
        first = numbered(table, number);
    }
    return one_of(first, &random);
}
