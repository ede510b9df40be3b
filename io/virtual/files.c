/* Numbers of open files, lowest first, as POSIX wants: a stale number soon names another
 * file. */
#include "virtual_internal.h"

#include <errno.h>

static size_t numbers_bytes(const struct tp_virtual *v)
{
    return (size_t)v->config.fds_max * sizeof *v->numbers;
}

int tp_files_init(struct tp_virtual *v)
{
    v->numbers = tp_alloc(v->allocator, numbers_bytes(v), 64);
    if (v->numbers == NULL)
        return -ENOMEM;
    return tp_pool_init(&v->files, sizeof(struct tp_vfile), v->allocator);
}

void tp_files_deinit(struct tp_virtual *v)
{
    tp_free(v->allocator, v->numbers, numbers_bytes(v), 64);
    if (v->files.items != NULL)
        tp_pool_deinit(&v->files, v->allocator);
}

uint32_t tp_files_lowest(struct tp_virtual *v)
{
    while (v->lowest < v->config.fds_max && v->numbers[v->lowest] != 0)
        v->lowest++;
    return v->lowest < v->config.fds_max ? v->lowest : UINT32_MAX;
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
    v->numbers[number] = file;
    tp_inode_open(v->disk, inode);
}

void tp_files_unref(struct tp_virtual *v, uint32_t file)
{
    uint32_t inode;

    if (file == 0)
        return;
    tp_assert(tp_vfile_at(v, file)->refs > 0);
    if (--tp_vfile_at(v, file)->refs > 0)
        return;
    inode = tp_vfile_at(v, file)->inode;
    tp_pool_give(&v->files, file);
    if (v->boot == v->disk->boot) /* after a power cut nothing is open any more */
        tp_inode_close(v->disk, inode);
}

void tp_files_close(struct tp_virtual *v, uint32_t number)
{
    uint32_t file = v->numbers[number];

    tp_assert(file != 0);
    v->numbers[number] = 0;
    if (number < v->lowest)
        v->lowest = number;
    tp_files_unref(v, file);
}

void tp_files_close_all(struct tp_virtual *v)
{
    for (uint32_t number = 0; number < v->config.fds_max; number++) {
        if (v->numbers[number] != 0)
            tp_files_close(v, number);
    }
}
