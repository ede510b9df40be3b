#include "fd_table.h"

static size_t table_bytes(uint32_t capacity)
{
    return sizeof(struct tp_fd_table) + (size_t)capacity * sizeof(struct tp_fd_entry);
}

struct tp_fd_table *tp_fd_table_create(uint32_t capacity,
                                       const struct tp_allocator *allocator)
{
    struct tp_fd_table *table = tp_alloc(allocator, table_bytes(capacity), 64);

    if (table != NULL)
        table->capacity = capacity;
    return table;
}

void tp_fd_table_destroy(struct tp_fd_table *table, const struct tp_allocator *allocator)
{
    if (table != NULL)
        tp_free(allocator, table, table_bytes(table->capacity), 64);
}

bool tp_fd_table_open(struct tp_fd_table *table, uint32_t number)
{
    struct tp_fd_entry *entry;

    if (number >= table->capacity)
        return false;
    entry = &table->entries[number];
    tp_assert(entry->open == 0);
    if (entry->generation == 0)
        entry->generation = 1;
    entry->open = 1;
    entry->file = NULL;
    entry->line = 0;
    table->open_count++;
    if (number >= table->numbers)
        table->numbers = number + 1;
    return true;
}

struct tp_fd tp_fd_table_get(const struct tp_fd_table *table, uint32_t number)
{
    struct tp_fd fd = {number, 0};

    tp_assert(number < table->capacity && table->entries[number].open != 0);
    fd.generation = table->entries[number].generation;
    return fd;
}

void tp_fd_table_close(struct tp_fd_table *table, struct tp_fd fd)
{
    struct tp_fd_entry *entry = &table->entries[fd.number];

    tp_assert(tp_fd_table_holds(table, fd));
    entry->open = 0;
    entry->generation++;
    if (entry->generation == 0)
        entry->generation = 1;
    table->open_count--;
}
