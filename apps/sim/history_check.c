#include "history_check.h"

#include "linear.h"

enum { FIRST_BYTES = 65536, ALIGN = 16 };

/* A file in memory. */
struct content {
    uint8_t *bytes;
    size_t size_bytes, len_bytes;
};

static void content_free(struct content *content)
{
    tp_free(NULL, content->bytes, content->size_bytes, ALIGN);
    *content = (struct content){NULL, 0, 0};
}

/* Doubles the room. */
static int content_grow(struct content *content)
{
    size_t size = content->size_bytes > 0 ? content->size_bytes * 2 : FIRST_BYTES;
    uint8_t *bytes = size > content->size_bytes ? tp_alloc(NULL, size, ALIGN) : NULL;

    if (bytes == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < content->len_bytes; i++)
        bytes[i] = content->bytes[i];
    tp_free(NULL, content->bytes, content->size_bytes, ALIGN);
    content->bytes = bytes;
    content->size_bytes = size;
    return 0;
}

/* All of a file, from a pipe too. 0, or -errno; to be freed either way. */
static int content_read(const char *path, struct content *ret_content)
{
    FILE *file = fopen(path, "rb");
    size_t count = 1;
    int error = 0;

    *ret_content = (struct content){NULL, 0, 0};
    if (file == NULL)
        return -errno;
    while (error == 0 && count > 0) {
        if (ret_content->len_bytes == ret_content->size_bytes)
            error = content_grow(ret_content);
        if (error < 0)
            break;
        count = fread(ret_content->bytes + ret_content->len_bytes, 1,
                      ret_content->size_bytes - ret_content->len_bytes, file);
        ret_content->len_bytes += count;
        if (count == 0 && ferror(file) != 0)
            error = -EIO;
    }
    (void)fclose(file);
    return error;
}

static bool check(const char *path, const struct tp_history *history, FILE *out)
{
    struct tp_linear_report report;
    bool is_fine;

    tp_linear_check(history, &tp_model_kv, NULL, &report);
    (void)fprintf(out, "%s: ", path);
    tp_linear_print(&report, history, &tp_model_kv, out);
    is_fine = report.verdict == TP_LINEAR_YES;
    tp_linear_report_deinit(&report);
    return is_fine;
}

/* Whether the file holds a history that is linearizable. */
static bool check_file(const char *path, FILE *out, FILE *err)
{
    struct content content;
    struct tp_history *history;
    struct tp_history_error wrong;
    int error = content_read(path, &content);
    bool is_fine;

    if (error == 0)
        error = tp_history_read(NULL, content.bytes, content.len_bytes, &history, &wrong);
    else
        wrong = (struct tp_history_error){0, tp_errno_name(error)};
    content_free(&content);
    if (error < 0) {
        if (wrong.line > 0)
            (void)fprintf(err, "%s:%u: %s\n", path, (unsigned)wrong.line, wrong.what);
        else
            (void)fprintf(err, "%s: %s\n", path, wrong.what);
        return false;
    }
    is_fine = check(path, history, out);
    tp_history_destroy(history);
    return is_fine;
}

uint32_t tp_history_check_files(const char *const *paths, uint32_t count, FILE *out,
                                FILE *err)
{
    uint32_t failed = 0;

    for (uint32_t i = 0; i < count; i++)
        failed += !check_file(paths[i], out, err);
    return failed;
}
