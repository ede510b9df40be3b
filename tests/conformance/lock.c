/* The lock of a file: one open of it at a time has it, and a close gives it back. */
#include "conformance.h"

/* What is in flight on a closed fd may keep the lock; once it is claimed nothing does. */
static void lock_outlives_the_close_while_something_is_in_flight(struct conformance *c)
{
    static uint8_t bytes[100000];
    struct tp_buf buf = tp_buf_empty(bytes, sizeof bytes);
    struct tp_fd first, second;
    uint64_t read, close;
    int32_t early;

    make_file(c, at(c, "a"), sizeof bytes);
    first = open_file(c, at(c, "a"), "r");
    second = open_file(c, at(c, "a"), "r");
    EXPECT(c, run(c, tp_request_lock(first)), 0);
    read = submit(c, tp_request_read_at(first, &buf, 0));
    close = submit(c, tp_request_close(first));
    early = run(c, tp_request_lock(second));
    EXPECT_THAT(c, early == 0 || early == -EAGAIN);
    EXPECT_THAT(c, await(c, read) > 0);
    EXPECT(c, await(c, close), 0);
    EXPECT(c, run(c, tp_request_lock(second)), 0);
    close_file(c, second);
}

/* Many at once: one of them gets it. */
static void lock_goes_to_one_of_many(struct conformance *c)
{
    enum { COUNT = 16 };
    struct tp_fd fds[COUNT];
    uint64_t handles[COUNT];
    uint32_t got = 0, winner = 0;

    make_file(c, at(c, "a"), 1);
    for (uint32_t i = 0; i < COUNT; i++)
        fds[i] = open_file(c, at(c, "a"), "rw");
    for (uint32_t i = 0; i < COUNT; i++)
        handles[i] = submit(c, tp_request_lock(fds[i]));
    for (uint32_t i = 0; i < COUNT; i++) {
        int32_t value = await(c, handles[i]);

        EXPECT_THAT(c, value == 0 || value == -EAGAIN);
        got += value == 0;
        winner = value == 0 ? i : winner;
    }
    EXPECT(c, (int32_t)got, 1);
    close_file(c, fds[winner]);
    EXPECT(c, run(c, tp_request_lock(fds[(winner + 1) % COUNT])), 0);
    EXPECT(c, run(c, tp_request_lock(fds[(winner + 2) % COUNT])), -EAGAIN);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i != winner)
            close_file(c, fds[i]);
    }
}

const struct conformance_program conformance_lock[] = {
    SCRIPT("lock", "open A a wc; lock A = 0"),
    SCRIPT("lock_again", "open A a wc; lock A = 0; lock A = 0"),
    SCRIPT("lock_held", "open A a wc; open B a w; lock A = 0; lock B = EAGAIN; lock A = 0"),
    SCRIPT("lock_held_by_a_read_only_fd",
           "file a x; open A a r; open B a rw; lock A = 0; lock B = EAGAIN"),
    SCRIPT("lock_held_at_another_name",
           "file a x; open A a w; lock A = 0; rename a b; open B b w; lock B = EAGAIN"),
    SCRIPT("lock_held_through_link",
           "file a x; symlink l a; open A a w; open B l w; lock A = 0; lock B = EAGAIN"),
    SCRIPT("lock_of_another_file", "open A a wc; open B b wc; lock A = 0; lock B = 0"),
    SCRIPT("lock_given_back_by_close",
           "open A a wc; open B a w; lock A = 0; close A; lock B = 0"),
    SCRIPT("lock_not_given_back_by_another_close",
           "open A a wc; open B a w; open C a w; lock A = 0; close B; lock C = EAGAIN"),
    SCRIPT("lock_in_turns",
           "open A a wc; open B a w; lock A = 0; close A; lock B = 0; open C "
           "a w; lock C = EAGAIN; close B; lock C = 0"),
    SCRIPT("lock_of_removed",
           "open A a wc; open B a w; remove a; lock A = 0; lock B = EAGAIN"),
    SCRIPT("lock_held_when_removed_and_made_again",
           "open A a wc; lock A = 0; remove a; open B a wc; lock B = 0; lock A = 0"),
    SCRIPT("lock_held_by_what_was_renamed_over",
           "open A a wc; lock A = 0; file b x; rename b a; open B a w; lock B = 0"),
    SCRIPT("lock_keeps_nobody_out",
           "open A a wc; lock A = 0; open B a rw; write B 0 hello; read "
           "B 0 9 = 5 hello; truncate B 1; remove a = 0"),
    SCRIPT("lock_of_a_directory",
           "mkdir d; open A d r; open B d r; lock A = 0; lock B = EAGAIN; file d/a x"),
    SCRIPT("lock_closed", "open A a wc; close A; lock A = EBADF"),
    SCRIPT("lock_no_fd", "lock Z = EBADF"),
    PROGRAM(lock_outlives_the_close_while_something_is_in_flight),
    PROGRAM(lock_goes_to_one_of_many),
    {0},
};
