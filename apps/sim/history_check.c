#include "history_check.h"

#include "content.h"
#include "linear.h"

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
static bool check_file(const char *path, FILE *out, FILE *err, uint32_t *unread)
{
    struct tp_content content;
    struct tp_history *history = NULL;
    struct tp_history_error wrong;
    int error = tp_content_read(path, TP_CONTENT_BYTES_MAX, &content);
    bool is_fine;

    if (error == 0)
        error = tp_history_read(NULL, content.bytes, content.len_bytes, &history, &wrong);
    else
        wrong = (struct tp_history_error){0, tp_errno_name(error)};
    tp_content_free(&content);
    if (error < 0) {
        if (wrong.line > 0)
            (void)fprintf(err, "%s:%u: %s\n", path, (unsigned)wrong.line, wrong.what);
        else
            (void)fprintf(err, "%s: %s\n", path, wrong.what);
        ++*unread;
        return false;
    }
    is_fine = check(path, history, out);
    tp_history_destroy(history);
    return is_fine;
}

uint32_t tp_history_check_files(const char *const *paths, uint32_t count, FILE *out,
                                FILE *err, uint32_t *ret_unread)
{
    uint32_t failed = 0;

    *ret_unread = 0;
    for (uint32_t i = 0; i < count; i++)
        failed += !check_file(paths[i], out, err, ret_unread);
    return failed;
}
