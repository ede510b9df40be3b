/** tests/criterion_main.c - main() of the Criterion programs.
 *
 * Criterion exits with 0 when a program holds no test, which is a mistake and fails here,
 * and when every test skips, which is said to ctest (77: skipped).
 */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>

enum { EXIT_SKIPPED = 77 };

static size_t ran, skipped;

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    ran = stats->nb_tests;
    skipped = stats->tests_skipped;
}

/* Visible, since Criterion looks main() up by name where it starts the child of a test. */
__attribute__((visibility("default"))) int main(int argc, char **argv)
{
    struct criterion_test_set *tests = criterion_initialize();
    int status = 0;

    if (criterion_handle_args(argc, argv, true)) {
        status = criterion_run_all_tests(tests) ? 0 : 1;
        if (ran == 0) {
            (void)fprintf(stderr, "%s: holds no test\n", argv[0]);
            status = 1;
        } else if (status == 0 && skipped == ran) {
            status = EXIT_SKIPPED;
        }
    }
    criterion_finalize(tests);
    return status;
}
