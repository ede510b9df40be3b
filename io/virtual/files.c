/* Numbers of open files, lowest first, as POSIX wants: a stale number soon names another
 * file. */
#include "virtual_internal.h"

#include <errno.h>
#include <string.h>

#define NUMBERS_FIRST  64
#define LOCK_DELAY_MAX 16 /* operations of the successor */

static size_t numbers_bytes(uint32_t capacity)
{
    return (size_t)capacity * sizeof(uint32_t);
}

int tp_files_init(struct tp_virtual *v)
{
    tp_pool_init(&v->files, sizeof(struct tp_vfile));
    v->numbers = tp_alloc(v->allocator, numbers_bytes(NUMBERS_FIRST), 64);
    if (v->numbers == NULL)
        return -ENOMEM;
    v->number_capacity = NUMBERS_FIRST;
    return 0;
}

void tp_files_deinit(struct tp_virtual *v)
{
    tp_free(v->allocator, v->numbers, numbers_bytes(v->number_capacity), 64);
    tp_pool_deinit(&v->files, v->allocator);
}

static void numbers_grow(struct tp_virtual *v)
{
    uint32_t capacity = v->number_capacity * 2;
    uint32_t *numbers = tp_alloc(v->allocator, numbers_bytes(capacity), 64);

    if (numbers == NULL)
        tp_stop(__FILE__, __LINE__, "the host has no memory for open files");
    memcpy(numbers, v->numbers, numbers_bytes(v->number_capacity));
    tp_free(v->allocator, v->numbers, numbers_bytes(v->number_capacity), 64);
    v->numbers = numbers;
    v->number_capacity = capacity;
}

uint32_t tp_files_lowest(struct tp_virtual *v)
{
    while (v->lowest < v->number_capacity && v->numbers[v->lowest] != 0)
        v->lowest++;
    if (v->lowest >= v->config.fds_max)
        return UINT32_MAX;
    if (v->lowest == v->number_capacity)
        numbers_grow(v);
    return v->lowest;
}

void tp_files_open(struct tp_virtual *v, uint32_t number, uint32_t inode,
                   struct tp_open_options options)
{
    uint32_t file = tp_pool_take(&v->files, v->allocator);
    struct tp_vfile *f = tp_vfile_at(v, file);

    tp_assert(v->numbers[number] == 0);
    f->inode = inode;
    f->refs = 1;
    f->read = options.read;
    f->write = options.write;
    f->direct = options.direct;
    f->dsync = options.dsync;
    f->error_since = tp_inode_error_since(v->disk, inode);
    v->numbers[number] = file;
    tp_inode_open(v->disk, inode);
}

uint32_t tp_files_open_socket(struct tp_virtual *v, uint32_t number, uint32_t socket,
                              uint32_t inode)
{
    uint32_t file = tp_pool_take(&v->files, v->allocator);
    struct tp_vfile *f = tp_vfile_at(v, file);

    tp_assert(v->numbers[number] == 0 && socket != 0);
    f->is_socket = true;
    f->socket = socket;
    f->inode = inode;
    f->refs = 1;
    v->numbers[number] = file;
    if (inode != 0)
        tp_inode_open(v->disk, inode);
    return file;
}

void tp_files_unref(struct tp_virtual *v, uint32_t file)
{
    uint32_t inode, lock;

    if (file == 0)
        return;
    tp_assert(tp_vfile_at(v, file)->refs > 0);
    if (--tp_vfile_at(v, file)->refs > 0)
        return;
    inode = tp_vfile_at(v, file)->inode;
    lock = tp_vfile_at(v, file)->lock;
    tp_pool_give(&v->files, file);
    if (v->boot != v->disk->boot) /* after a power cut nothing is open any more */
        return;
    if (lock != 0)
        tp_inode_unlock(v->disk, inode, lock, 0);
    if (inode != 0)
        tp_inode_close(v->disk, inode);
}

void tp_files_close(struct tp_virtual *v, uint32_t number)
{
    uint32_t file = v->numbers[number];

    tp_assert(file != 0);
    v->numbers[number] = 0;
    if (number < v->lowest)
        v->lowest = number;
    if (tp_vfile_at(v, file)->is_socket) {
        uint32_t socket = tp_vfile_at(v, file)->socket;

        tp_vfile_at(v, file)->socket = 0;
        tp_wait_stop_all(v, file);
        if (v->host != 0) /* else the power went, and its sockets with it */
            tp_net_close(v->net, socket);
    }
    tp_files_unref(v, file);
}

void tp_files_close_all(struct tp_virtual *v)
{
    for (uint32_t number = 0; number < v->number_capacity; number++) {
        if (v->numbers[number] != 0)
            tp_files_close(v, number);
    }
}

void tp_files_leave_locks(struct tp_virtual *v, uint32_t stream)
{
    for (uint32_t number = 0; number < v->number_capacity; number++) {
        struct tp_vfile *f;
        uint64_t delay;

        if (v->numbers[number] == 0)
            continue;
        f = tp_vfile_at(v, v->numbers[number]);
        if (f->lock == 0)
            continue;
        delay = tp_tape_draw(v->tape, stream, TP_DRAW_CUT_LOCK, LOCK_DELAY_MAX);
        tp_inode_unlock(v->disk, f->inode, f->lock, delay);
        f->lock = 0;
    }
}
