#include "content.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_BYTES = 65536, ALIGN = 16 };

void tp_content_free(struct tp_content *content)
{
    tp_free(NULL, content->bytes, content->size_bytes, ALIGN);
    *content = (struct tp_content){NULL, 0, 0};
}

/* Doubles the room. */
static int grow(struct tp_content *content, uint64_t bytes_max)
{
    size_t size = content->size_bytes > 0 ? content->size_bytes * 2 : FIRST_BYTES;
    uint8_t *bytes;

    if (content->size_bytes >= bytes_max)
        return -EFBIG;
    bytes = tp_alloc(NULL, size, ALIGN);
    if (bytes == NULL)
        return -ENOMEM;
    if (content->len_bytes > 0)
        memcpy(bytes, content->bytes, content->len_bytes);
    tp_free(NULL, content->bytes, content->size_bytes, ALIGN);
    content->bytes = bytes;
    content->size_bytes = size;
    return 0;
}

int tp_content_read(const char *path, uint64_t bytes_max, struct tp_content *ret_content)
{
    FILE *file = fopen(path, "rb");
    size_t count = 1;
    int error = 0;

    *ret_content = (struct tp_content){NULL, 0, 0};
    if (file == NULL)
        return -errno;
    while (error == 0 && count > 0) {
        if (ret_content->len_bytes == ret_content->size_bytes)
            error = grow(ret_content, bytes_max);
        if (error < 0)
            break;
        count = fread(ret_content->bytes + ret_content->len_bytes, 1,
                      ret_content->size_bytes - ret_content->len_bytes, file);
        ret_content->len_bytes += count;
        if (count == 0 && ferror(file) != 0)
            error = errno > 0 ? -errno : -EIO;
    }
    if (error == 0 && ret_content->len_bytes > bytes_max)
        error = -EFBIG;
    (void)fclose(file);
    return error;
}
