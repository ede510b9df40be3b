/* A program outside the project that uses only tempest: the loop, and a backend's refusal.
 */
#include <errno.h>
#include <stdio.h>
#include <tempest/io/linux/linux.h>
#include <tempest/tempest.h>

int main(void)
{
    struct tp_completions completions;
    struct tp_completion completion;

    if (tp_version() != TP_VERSION_NUMBER || tp_linux_io_refusal(-ENOSYS) == NULL)
        return 1;
    if (tp_completions_init(&completions, 16, NULL) != 0)
        return 1;
    tp_completions_push(&completions, 7, 42, 0);
    if (!tp_completions_take(&completions, 7, &completion) || completion.value != 42)
        return 1;
    tp_completions_deinit(&completions, NULL);
    return printf("tempest %d.%d\n", TP_VERSION_MAJOR, TP_VERSION_MINOR) > 0 ? 0 : 1;
}
