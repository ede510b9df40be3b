#include "records_internal.h"

#include <errno.h>
#include <unistd.h>

#include "io/posix/memory_internal.h"
#include "io/posix/sockaddr_internal.h"

static uint32_t bucket_count(uint32_t capacity)
{
    uint32_t count = 16;

    while (count < capacity)
        count *= 2;
    return count;
}

int tp_posix_records_init(struct tp_posix_records *records, uint32_t capacity)
{
    const size_t side_bytes = (size_t)capacity * sizeof *records->sides;
    const size_t item_bytes = (size_t)capacity * sizeof *records->items;
    const uint32_t buckets = bucket_count(capacity);
    uint8_t *at;

    records->size_bytes = side_bytes + item_bytes + buckets * sizeof *records->buckets;
    records->memory = tp_posix_reserve(records->size_bytes);
    if (records->memory == NULL)
        return -ENOMEM;
    at = records->memory;
    records->sides = (union tp_posix_side *)(void *)at;
    records->items = (struct tp_posix_record *)(void *)(at + side_bytes);
    records->buckets = (uint32_t *)(void *)(at + side_bytes + item_bytes);
    records->bucket_mask = buckets - 1;
    records->capacity = capacity;
    records->touched = 0;
    records->first_free = 0;
    return tp_posix_paths_init(&records->paths, capacity);
}

void tp_posix_records_deinit(struct tp_posix_records *records)
{
    tp_posix_paths_deinit(&records->paths);
    tp_posix_unreserve(records->memory, records->size_bytes);
    records->memory = NULL;
}

static uint32_t *bucket_of(const struct tp_posix_records *records, uint64_t handle)
{
    const uint64_t mixed = handle * UINT64_C(0x9e3779b97f4a7c15);

    return &records->buckets[(uint32_t)(mixed >> 32) & records->bucket_mask];
}

/* Replaces the caller's paths by copies, where the request has any. */
static void keep_paths(struct tp_posix_records *records, struct tp_posix_record *record)
{
    struct tp_request *request = &record->request;
    const bool first_is_memory = (tp_kind_info[request->kind].traits & TP_PATH_IN_B) != 0;

    record->paths[0] = NULL;
    record->paths[1] = NULL;
    if ((tp_kind_info[request->kind].traits & TP_TAKES_PATH) == 0)
        return;
    if (!first_is_memory) {
        record->paths[0] = tp_posix_paths_keep(&records->paths, request->a.path);
        request->a.path = record->paths[0];
    }
    if (first_is_memory || request->kind == TP_RENAME || request->kind == TP_SYMLINK) {
        record->paths[1] = tp_posix_paths_keep(&records->paths, request->b.path);
        request->b.path = record->paths[1];
    }
}

struct tp_posix_record *tp_posix_record_make(struct tp_posix_records *records,
                                             const struct tp_request *request)
{
    struct tp_posix_record *record;
    uint32_t *bucket = bucket_of(records, request->handle);

    if (records->first_free != 0) {
        record = tp_posix_record_at(records, records->first_free);
        records->first_free = record->next_hashed;
    } else {
        tp_assert(records->touched < records->capacity);
        record = &records->items[records->touched++];
    }
    tp_assert(record->state == TP_POSIX_FREE);
    record->request = *request;
    record->next = 0;
    record->previous = 0;
    record->result = 0;
    record->fd = -1;
    record->uncounted = 0;
    record->cancelled = 0;
    record->buf = 0;
    record->tries = 0;
    record->polls = 0;
    record->stopped = 0;
    keep_paths(records, record);
    if ((tp_kind_info[request->kind].traits & TP_TAKES_ADDRESS) != 0)
        (void)tp_posix_sockaddr_from(tp_request_address(request),
                                     &tp_posix_side_of(records, record)->address);
    record->next_hashed = *bucket;
    *bucket = tp_posix_record_number(records, record);
    return record;
}

void tp_posix_record_free(struct tp_posix_records *records, struct tp_posix_record *record)
{
    const uint32_t number = tp_posix_record_number(records, record);
    uint32_t *link = bucket_of(records, record->request.handle);

    tp_assert(record->next == 0 && record->previous == 0);
    while (*link != number)
        link = &tp_posix_record_at(records, *link)->next_hashed;
    *link = record->next_hashed;
    for (uint32_t i = 0; i < 2; i++) {
        if (record->paths[i] != NULL)
            tp_posix_paths_drop(&records->paths, record->paths[i]);
    }
    record->state = TP_POSIX_FREE;
    record->next_hashed = records->first_free;
    records->first_free = number;
}

struct tp_posix_record *tp_posix_record_find(const struct tp_posix_records *records,
                                             uint64_t handle)
{
    uint32_t number = *bucket_of(records, handle);

    while (number != 0) {
        struct tp_posix_record *record = tp_posix_record_at(records, number);

        if (record->request.handle == handle)
            return record;
        number = record->next_hashed;
    }
    return NULL;
}

void tp_posix_list_append(struct tp_posix_records *records, struct tp_posix_list *list,
                          struct tp_posix_record *record)
{
    const uint32_t number = tp_posix_record_number(records, record);

    tp_assert(record->next == 0 && record->previous == 0 && list->first != number);
    record->previous = list->last;
    if (list->last != 0)
        tp_posix_record_at(records, list->last)->next = number;
    else
        list->first = number;
    list->last = number;
    list->count++;
}

void tp_posix_list_remove(struct tp_posix_records *records, struct tp_posix_list *list,
                          struct tp_posix_record *record)
{
    tp_assert(list->count > 0);
    if (record->next != 0)
        tp_posix_record_at(records, record->next)->previous = record->previous;
    else
        list->last = record->previous;
    if (record->previous != 0)
        tp_posix_record_at(records, record->previous)->next = record->next;
    else
        list->first = record->next;
    record->next = 0;
    record->previous = 0;
    list->count--;
}

struct tp_posix_record *tp_posix_list_pop(struct tp_posix_records *records,
                                          struct tp_posix_list *list)
{
    struct tp_posix_record *record;

    if (list->first == 0)
        return NULL;
    record = tp_posix_record_at(records, list->first);
    tp_posix_list_remove(records, list, record);
    return record;
}

void tp_posix_list_move(struct tp_posix_records *records, struct tp_posix_list *list,
                        struct tp_posix_list *from)
{
    if (from->count == 0)
        return;
    if (list->last != 0) {
        tp_posix_record_at(records, list->last)->next = from->first;
        tp_posix_record_at(records, from->first)->previous = list->last;
    } else {
        list->first = from->first;
    }
    list->last = from->last;
    list->count += from->count;
    from->first = 0;
    from->last = 0;
    from->count = 0;
}

/* ------------------------------------------------------------------ without a user */

void tp_posix_record_settle(const struct tp_posix_record *record, int32_t result)
{
    const uint32_t kind = record->request.kind;

    if (record->fd >= 0)
        (void)close(record->fd);
    else if ((tp_kind_info[kind].traits & TP_GIVES_FD) != 0 && result >= 0)
        (void)close(result);
    if (record->request.kind == TP_CLOSE && result == -ECANCELED)
        (void)close((int)record->request.fd.number);
}

void tp_posix_records_settle(const struct tp_posix_records *records)
{
    for (uint32_t i = 0; i < records->touched; i++) {
        const struct tp_posix_record *record = &records->items[i];

        if (record->state == TP_POSIX_FREE)
            continue;
        tp_posix_record_settle(record, record->state == TP_POSIX_FINISHED ? record->result
                                                                          : -ECANCELED);
    }
}

/* ------------------------------------------------------------------ its fds */

uint32_t tp_posix_fds_of(const struct tp_request *request, uint32_t ret_numbers[2])
{
    const bool in_dir = (request->flags & TP_IN_DIR) != 0;
    uint32_t count = 0;

    if (in_dir || (tp_kind_info[request->kind].traits & TP_TAKES_FD) != 0)
        ret_numbers[count++] = request->fd.number;
    if (in_dir && request->kind == TP_RENAME)
        ret_numbers[count++] = request->to_dir.number;
    return count;
}
