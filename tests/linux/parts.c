/** tests/linux/parts.c - the parts of LinuxIo that need no kernel: paths and records. */
#include <stdio.h>
#include <string.h>

#include "io/posix/records_internal.h"
#include "tests/linux/support.h"

Test(paths, are_copies_and_come_back_last_in_first_out)
{
    struct tp_posix_paths paths;
    char *first, *second;

    cr_assert(zero(int, tp_posix_paths_init(&paths, 4)));
    first = tp_posix_paths_keep(&paths, "one");
    second = tp_posix_paths_keep(&paths, "two");
    cr_assert(eq(str, first, "one"));
    cr_assert(eq(str, second, "two"));
    tp_posix_paths_drop(&paths, first);
    tp_posix_paths_drop(&paths, second);
    cr_assert(eq(ptr, tp_posix_paths_keep(&paths, "three"), second));
    cr_assert(eq(ptr, tp_posix_paths_keep(&paths, "four"), first));
    tp_posix_paths_deinit(&paths);
}

Test(paths, of_all_lengths_fill_every_slot)
{
    enum { RECORDS = 50 };
    static char text[TP_PATH_MAX];
    struct tp_posix_paths paths;
    char *kept[RECORDS * 2];

    cr_assert(zero(int, tp_posix_paths_init(&paths, RECORDS)));
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < RECORDS * 2; i++) {
            const size_t len = round == 0   ? 255
                               : round == 1 ? 256
                               : round == 2 ? TP_PATH_MAX - 1
                                            : 1 + i * 40;

            memset(text, 'a' + (int)(i % 26), len);
            text[len] = '\0';
            kept[i] = tp_posix_paths_keep(&paths, text);
        }
        for (uint32_t i = 0; i < RECORDS * 2; i++) {
            cr_assert(eq(chr, kept[i][0], (char)('a' + i % 26)));
            cr_assert(eq(chr, kept[i][strlen(kept[i]) - 1], (char)('a' + i % 26)));
            tp_posix_paths_drop(&paths, kept[i]);
        }
    }
    tp_posix_paths_deinit(&paths);
}

Test(records, are_found_by_handle_until_freed)
{
    enum { COUNT = 1000 };
    static struct tp_posix_records records;
    static struct tp_posix_record *made[COUNT];

    cr_assert(zero(int, tp_posix_records_init(&records, COUNT)));
    for (uint32_t round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < COUNT; i++) {
            struct tp_request request = tp_request_remove("some path");

            request.handle = (i + 1) << round * 20;
            made[i] = tp_posix_record_make(&records, &request);
            made[i]->state = TP_POSIX_WAITING;
        }
        for (uint64_t i = 0; i < COUNT; i++) {
            const uint64_t handle = (i + 1) << round * 20;

            cr_assert(eq(ptr, tp_posix_record_find(&records, handle), made[i]));
            tp_posix_record_free(&records, made[i]);
            cr_assert(tp_posix_record_find(&records, handle) == NULL);
        }
    }
    tp_posix_records_deinit(&records);
}

Test(records, lists_keep_order_under_removal_and_moves)
{
    static struct tp_posix_records records;
    struct tp_posix_list list = {0, 0, 0}, other = {0, 0, 0};
    struct tp_posix_record *made[6];

    cr_assert(zero(int, tp_posix_records_init(&records, 6)));
    for (uint64_t i = 0; i < 6; i++) {
        struct tp_request request = tp_request_nop();

        request.handle = i + 1;
        made[i] = tp_posix_record_make(&records, &request);
        tp_posix_list_append(&records, i < 3 ? &list : &other, made[i]);
    }
    tp_posix_list_remove(&records, &list, made[1]);
    tp_posix_list_remove(&records, &other, made[3]);
    tp_posix_list_remove(&records, &other, made[5]);
    tp_posix_list_move(&records, &list, &other);
    tp_posix_list_move(&records, &list, &other); /* empty: nothing */
    cr_assert(eq(u32, list.count, 3));
    cr_assert(eq(ptr, tp_posix_list_pop(&records, &list), made[0]));
    cr_assert(eq(ptr, tp_posix_list_pop(&records, &list), made[2]));
    cr_assert(eq(ptr, tp_posix_list_pop(&records, &list), made[4]));
    cr_assert(tp_posix_list_pop(&records, &list) == NULL);
    tp_posix_records_deinit(&records);
}
