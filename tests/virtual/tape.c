/** tests/virtual/tape.c - the tape: streams, replay, editing, bytes, files that may be
 * hostile. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/hash.h"
#include "io/virtual/random.h"
#include "io/virtual/tape.h"

static struct tp_tape *from_seed(uint64_t seed)
{
    struct tp_tape *tape;

    cr_assert(eq(int, tp_tape_from_seed(seed, true, NULL, &tape), 0));
    return tape;
}

static uint32_t stream(uint32_t node)
{
    return tp_stream(node, TP_CONCERN_LATENCY);
}

/* A few hundred draws on several streams. Result: a hash of all values. */
static uint64_t play(struct tp_tape *tape)
{
    uint64_t hash = 0;

    for (uint64_t i = 1; i < 300; i++) {
        uint64_t value =
            tp_tape_draw(tape, stream((uint32_t)i % 3), TP_DRAW_LATENCY, i * i);

        cr_assert(value < i * i);
        hash = tp_hash_words(&value, 1, hash);
    }
    return hash;
}

Test(tape, the_same_seed_gives_the_same_values_and_another_gives_others)
{
    struct tp_tape *tapes[3] = {from_seed(7), from_seed(7), from_seed(8)};
    uint64_t hashes[3];

    for (uint32_t i = 0; i < 3; i++)
        hashes[i] = play(tapes[i]);
    cr_assert(eq(u64, hashes[0], hashes[1]));
    cr_assert(ne(u64, hashes[0], hashes[2]));
    for (uint32_t i = 0; i < 3; i++)
        tp_tape_destroy(tapes[i]);
}

Test(tape, a_stream_does_not_depend_on_the_others)
{
    struct tp_tape *alone = from_seed(7);
    struct tp_tape *among = from_seed(7);

    for (uint32_t i = 0; i < 100; i++) {
        uint64_t value = tp_tape_draw(alone, stream(1), TP_DRAW_LATENCY, 1000);

        (void)tp_tape_draw(among, stream(0), TP_DRAW_LATENCY, 1000);
        (void)tp_tape_draw(among, stream(9), TP_DRAW_LATENCY, 1000);
        cr_assert(eq(u64, tp_tape_draw(among, stream(1), TP_DRAW_LATENCY, 1000), value));
    }
    tp_tape_destroy(alone);
    tp_tape_destroy(among);
}

Test(tape, a_replay_gives_what_was_recorded)
{
    struct tp_tape *tape = from_seed(7);
    uint64_t hash = play(tape);
    struct tp_tape *replay;

    cr_assert(eq(int, tp_tape_replay(tape, &replay), 0));
    tp_tape_destroy(tape);
    cr_assert(eq(u64, play(replay), hash));
    cr_assert(eq(u64, tp_tape_stats(replay)->past_end, 0));
    cr_assert(eq(u64, tp_tape_stats(replay)->draws, 299));
    cr_assert(eq(u64, tp_tape_stats(replay)->mismatched, 0));
    tp_tape_destroy(replay);
}

Test(tape, past_the_end_comes_the_mildest_and_too_large_values_are_clamped)
{
    struct tp_tape *tape = from_seed(7);
    struct tp_tape *replay;

    (void)tp_tape_draw(tape, stream(0), TP_DRAW_LATENCY, 1000);
    (void)tp_tape_draw(tape, stream(0), TP_DRAW_LATENCY, 1000);
    tp_tape_set(tape, stream(0), 0, 999);
    cr_assert(eq(int, tp_tape_replay(tape, &replay), 0));
    cr_assert(eq(u64, tp_tape_draw(replay, stream(0), TP_DRAW_LATENCY, 10), 9));
    cr_assert(eq(u64, tp_tape_stats(replay)->clamped, 1));
    (void)tp_tape_draw(replay, stream(0), TP_DRAW_FAULT, 1000);
    cr_assert(eq(u64, tp_tape_stats(replay)->mismatched, 1));
    cr_assert(eq(u64, tp_tape_draw(replay, stream(0), TP_DRAW_LATENCY, 1000), 0));
    cr_assert(eq(u64, tp_tape_draw(replay, stream(5), TP_DRAW_LATENCY, 1000), 0));
    cr_assert(eq(u64, tp_tape_stats(replay)->past_end, 2));
    tp_tape_destroy(tape);
    tp_tape_destroy(replay);
}

Test(tape, draws_can_be_deleted)
{
    struct tp_tape *tape = from_seed(7);
    uint64_t values[10];

    for (uint32_t i = 0; i < 10; i++)
        values[i] = tp_tape_draw(tape, stream(0), TP_DRAW_LATENCY, UINT64_MAX);
    tp_tape_delete(tape, stream(0), 2, 5);
    cr_assert(eq(u64, tp_tape_count(tape, stream(0)), 5));
    cr_assert(eq(u64, tp_tape_entry(tape, stream(0), 1).value, values[1]));
    cr_assert(eq(u64, tp_tape_entry(tape, stream(0), 2).value, values[7]));
    cr_assert(eq(u64, tp_tape_entry(tape, stream(0), 4).value, values[9]));
    tp_tape_destroy(tape);
}

Test(tape, bytes_are_used_up_and_then_give_zeros)
{
    static const uint8_t bytes[] = {7, 0x34, 0x12, 255};
    struct tp_tape *tape;

    cr_assert(eq(int, tp_tape_from_bytes(bytes, sizeof bytes, NULL, &tape), 0));
    cr_assert(eq(u64, tp_tape_draw(tape, stream(0), TP_DRAW_FAULT, 10), 7));
    cr_assert(
        eq(u64, tp_tape_draw(tape, stream(0), TP_DRAW_FAULT, 1), 0)); /* takes no byte */
    cr_assert(eq(u64, tp_tape_draw(tape, stream(1), TP_DRAW_FAULT, 0x10000), 0x1234));
    cr_assert(eq(u64, tp_tape_draw(tape, stream(0), TP_DRAW_FAULT, 0x10000), 0));
    cr_assert(eq(u64, tp_tape_draw(tape, stream(0), TP_DRAW_FAULT, 256), 0));
    cr_assert(eq(u64, tp_tape_stats(tape)->past_end, 2));
    tp_tape_destroy(tape);
}

Test(tape, seeds_differ_even_where_the_draws_are_equal)
{
    struct tp_tape *zeros;
    uint64_t seeds[4];

    cr_assert(eq(int, tp_tape_from_bytes(NULL, 0, NULL, &zeros), 0));
    seeds[0] = tp_tape_seed(zeros, 0, 0);
    seeds[1] = tp_tape_seed(zeros, 0, 1);
    seeds[2] = tp_tape_seed(zeros, 1, 0);
    seeds[3] = tp_tape_seed(zeros, 1, 1);
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t j = 0; j < i; j++)
            cr_assert(ne(u64, seeds[i], seeds[j]));
    }
    tp_tape_destroy(zeros);
}

Test(tape, every_kind_says_what_its_values_mean)
{
    for (uint32_t kind = 0; kind < TP_DRAWS; kind++) {
        cr_assert(strlen(tp_draw_info[kind].name) > 2);
        cr_assert(strlen(tp_draw_info[kind].mapping) > 10);
    }
}

/* ------------------------------------------------------------------ files */

/* Malloced, so that a sanitizer sees a read past the end. */
static uint8_t *saved(const struct tp_tape *tape, size_t *ret_size)
{
    uint8_t *bytes;

    *ret_size = tp_tape_save(tape, NULL, 0);
    bytes = malloc(*ret_size);
    cr_assert(bytes != NULL);
    cr_assert(eq(sz, tp_tape_save(tape, bytes, *ret_size), *ret_size));
    return bytes;
}

Test(tape, a_saved_tape_replays_the_same)
{
    struct tp_tape *tape = from_seed(7);
    uint64_t hash = play(tape);
    struct tp_tape *loaded;
    size_t size, again_size;
    uint8_t *bytes = saved(tape, &size);
    uint8_t *again;

    cr_assert(eq(int, tp_tape_load(bytes, size, NULL, &loaded), 0));
    cr_assert(eq(u64, play(loaded), hash));
    again = saved(loaded, &again_size);
    cr_assert(eq(sz, again_size, size));
    cr_assert(eq(int, memcmp(again, bytes, size), 0));
    tp_tape_destroy(tape);
    tp_tape_destroy(loaded);
    free(bytes);
    free(again);
}

Test(tape, a_label_is_in_the_file_and_changes_no_draw)
{
    struct tp_tape *tape = from_seed(7);
    uint64_t hash = play(tape);
    struct tp_tape *loaded;
    size_t size, plain_size;
    uint8_t *plain = saved(tape, &plain_size);
    uint8_t *bytes;

    tp_tape_set_label(tape, "tally\nfaults -all");
    bytes = saved(tape, &size);
    cr_assert(eq(sz, size, plain_size + 18));
    cr_assert(eq(int, plain[8], 1)); /* the version, as older programs read it */
    cr_assert(eq(int, bytes[8], 2));
    cr_assert(eq(int, tp_tape_load(plain, plain_size, NULL, &loaded), 0));
    cr_assert(eq(int, strcmp(tp_tape_label(loaded), ""), 0));
    tp_tape_destroy(loaded);
    cr_assert(eq(int, tp_tape_load(bytes, size, NULL, &loaded), 0));
    cr_assert(eq(int, strcmp(tp_tape_label(loaded), "tally\nfaults -all"), 0));
    cr_assert(eq(u64, play(loaded), hash));
    tp_tape_destroy(loaded);
    tp_tape_destroy(tape);
    free(plain);
    free(bytes);
}

Test(tape, an_empty_tape_is_a_tape)
{
    struct tp_tape *tape = from_seed(7);
    struct tp_tape *loaded;
    size_t size;
    uint8_t *bytes = saved(tape, &size);

    cr_assert(eq(int, tp_tape_load(bytes, size, NULL, &loaded), 0));
    cr_assert(eq(u64, tp_tape_draw(loaded, stream(0), TP_DRAW_FAULT, 5), 0));
    tp_tape_destroy(tape);
    tp_tape_destroy(loaded);
    free(bytes);
}

Test(tape, a_file_cut_short_or_changed_is_refused)
{
    struct tp_tape *tape = from_seed(7);
    struct tp_tape *loaded;
    size_t size;
    uint8_t *bytes;

    (void)play(tape);
    bytes = saved(tape, &size);
    for (size_t len = 0; len < size; len += 1 + len / 16) {
        uint8_t *part = malloc(len + 1);

        memcpy(part, bytes, len);
        cr_assert(eq(int, tp_tape_load(part, len, NULL, &loaded), -EBADMSG), "%zu bytes",
                  len);
        free(part);
    }
    for (size_t at = 0; at < size; at += 1 + at / 64) {
        int expected = at >= 8 && at < 12 ? -EPROTO : -EBADMSG;

        bytes[at] ^= 0x10;
        cr_assert(eq(int, tp_tape_load(bytes, size, NULL, &loaded), expected), "byte %zu",
                  at);
        bytes[at] ^= 0x10;
    }
    tp_tape_destroy(tape);
    free(bytes);
}

/* Writes the checksum that the bytes after it call for: what is checked next is then
 * reached. */
static void forge(uint8_t *bytes, size_t size)
{
    tp_put_le(bytes + 24, tp_hash(bytes + 32, size - 32, tp_get_le(bytes + 16, 8)), 8);
}

/* A label that is longer than the file, than there is room, empty, or no text. */
Test(tape, a_label_that_cannot_be_is_refused)
{
    static const uint8_t lengths[] = {2, 0, 40, 0x80};
    struct tp_tape *tape = from_seed(7);
    struct tp_tape *loaded;
    size_t size;
    uint8_t *bytes;

    tp_tape_set_label(tape, "abc");
    bytes = saved(tape, &size);
    cr_assert(eq(sz, size, 36)); /* nothing follows the label */
    cr_assert(eq(int, bytes[32], 3));
    for (size_t i = 0; i < sizeof lengths; i++) {
        bytes[32] = lengths[i];
        forge(bytes, size);
        cr_assert(eq(int, tp_tape_load(bytes, size, NULL, &loaded), -EBADMSG), "%zu", i);
    }
    bytes[32] = 3;
    bytes[34] = 0;
    forge(bytes, size);
    cr_assert(eq(int, tp_tape_load(bytes, size, NULL, &loaded), -EBADMSG));
    bytes[34] = 'b';
    forge(bytes, size);
    cr_assert(eq(int, tp_tape_load(bytes, size, NULL, &loaded), 0));
    tp_tape_destroy(loaded);
    tp_tape_destroy(tape);
    free(bytes);
}

/* Of the most bytes that there are; and of one more, in a file that is right otherwise. */
Test(tape, a_label_has_a_longest)
{
    char label[TP_TAPE_LABEL_BYTES];
    struct tp_tape *tape = from_seed(7);
    struct tp_tape *loaded;
    size_t size;
    uint8_t *bytes;

    memset(label, 'x', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    tp_tape_set_label(tape, label);
    bytes = saved(tape, &size);
    cr_assert(eq(int, tp_tape_load(bytes, size, NULL, &loaded), 0));
    cr_assert(eq(int, strcmp(tp_tape_label(loaded), label), 0));
    tp_tape_destroy(loaded);
    cr_assert(bytes[32] == 0xff && bytes[33] == 3); /* a varint: 511 */
    cr_assert(eq(sz, size, 34 + sizeof label - 1));
    bytes = realloc(bytes, size + 1);
    cr_assert(bytes != NULL);
    bytes[32] = 0x80;
    bytes[33] = 4;
    bytes[size] = 'x';
    forge(bytes, size + 1);
    cr_assert(eq(int, tp_tape_load(bytes, size + 1, NULL, &loaded), -EBADMSG));
    tp_tape_destroy(tape);
    free(bytes);
}

/* Bytes changed at random under a checksum that is right: accepted or refused, never a
 * crash; and what is accepted can be played and saved. */
Test(tape, forged_bytes_do_no_harm)
{
    struct tp_tape *tape = from_seed(7);
    struct tp_rng rng = tp_rng_make(1, 1);
    uint32_t accepted = 0;
    size_t size;
    uint8_t *bytes;

    (void)play(tape);
    tp_tape_set_label(tape, "tally");
    bytes = saved(tape, &size);
    for (uint32_t round = 0; round < 5000; round++) {
        size_t len = round % 4 == 0 ? 32 + (size_t)tp_rng_below(&rng, size - 32) : size;
        uint8_t *forged = malloc(len);
        struct tp_tape *loaded;
        uint64_t changes = tp_rng_below(&rng, 8);

        memcpy(forged, bytes, len);
        for (uint64_t i = 0; i < changes; i++) {
            size_t at = (size_t)tp_rng_below(&rng, i == 0 ? 40 : len);

            forged[at < len ? at : 0] = (uint8_t)tp_rng_next(&rng);
        }
        forge(forged, len);
        if (tp_tape_load(forged, len, NULL, &loaded) == 0) {
            (void)play(loaded);
            cr_assert(tp_tape_save(loaded, NULL, 0) > 0);
            tp_tape_destroy(loaded);
            accepted++;
        }
        free(forged);
    }
    cr_assert(accepted > 50, "only %u were accepted: later checks were not reached",
              accepted);
    tp_tape_destroy(tape);
    free(bytes);
}

/* Faults and latencies in turn; then a run that asks for no latency: each fault is still
 * the one that it was, and so is the order afterwards. */
Test(tape, a_tape_that_realigns_gives_each_kind_its_own_choices)
{
    struct tp_tape *tape, *copy;

    cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
    for (uint64_t i = 0; i < 8; i++) {
        struct tp_draw_entry entry = {.bound = 100,
                                      .value = 10 + i,
                                      .kind = i % 2 == 0 ? TP_DRAW_LATENCY : TP_DRAW_FAULT};

        cr_assert(eq(int, tp_tape_put(tape, stream(1), i, entry), 0));
    }
    tp_tape_realign(tape);
    for (uint64_t i = 0; i < 4; i++)
        cr_assert(eq(u64, tp_tape_draw(tape, stream(1), TP_DRAW_FAULT, 100), 11 + 2 * i));
    cr_assert(eq(u64, tp_tape_draw(tape, stream(1), TP_DRAW_FAULT, 100), 0)); /* no more */
    cr_assert(eq(u64, tp_tape_draw(tape, stream(1), TP_DRAW_LATENCY, 100), 10));
    cr_assert(eq(u64, tp_tape_asked(tape, stream(1)), 6));
    cr_assert(eq(int, tp_tape_copy(tape, NULL, &copy), 0));
    for (uint64_t i = 0; i < 5; i++)
        cr_assert(eq(u64, tp_tape_draw(copy, stream(1), TP_DRAW_FAULT, 100),
                     i < 4 ? 11 + 2 * i : 0));
    cr_assert(eq(u64, tp_tape_draw(copy, stream(1), TP_DRAW_LATENCY, 100), 10));
    cr_assert(eq(u64, tp_tape_stats(copy)->mismatched, 0));
    tp_tape_destroy(tape);
    tp_tape_destroy(copy);
}

Test(tape, a_tape_can_be_made_choice_by_choice)
{
    struct tp_draw_entry entry = {.bound = 100, .value = 42, .kind = TP_DRAW_EFFECT};
    struct tp_tape *tape, *copy;

    cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
    cr_assert(eq(u64, tp_tape_draw(tape, stream(5), TP_DRAW_EFFECT, 100), 0));
    cr_assert(eq(int, tp_tape_put(tape, stream(1), 2, entry), 0));
    cr_assert(eq(u64, tp_tape_count(tape, stream(1)), 3));
    cr_assert(eq(int, tp_tape_copy(tape, NULL, &copy), 0));
    tp_tape_destroy(tape);
    for (uint64_t i = 0; i < 5; i++) {
        cr_assert(eq(u64, tp_tape_asked(copy, stream(1)), i < 3 ? i : 3));
        cr_assert(
            eq(u64, tp_tape_draw(copy, stream(1), TP_DRAW_EFFECT, 100), i == 2 ? 42 : 0));
    }
    tp_tape_destroy(copy);
}

Test(tape, past_its_end_a_stream_may_go_on_and_what_it_draws_is_recorded)
{
    struct tp_tape *tape, *again;
    uint64_t drawn[20];
    uint64_t different = 0;

    cr_assert(eq(int, tp_tape_empty(NULL, &tape), 0));
    cr_assert(eq(int, tp_tape_go_on(tape, stream(1), 4711), 0));
    for (uint32_t i = 0; i < 20; i++) {
        drawn[i] = tp_tape_draw(tape, stream(1), TP_DRAW_EFFECT, 1000);
        different += i > 0 && drawn[i] != drawn[0];
        cr_assert(eq(u64, tp_tape_draw(tape, stream(2), TP_DRAW_EFFECT, 1000), 0));
    }
    cr_assert(lt(u64, 10, different));
    cr_assert(eq(u64, tp_tape_count(tape, stream(1)), 20));
    cr_assert(eq(int, tp_tape_replay(tape, &again), 0));
    for (uint32_t i = 0; i < 20; i++)
        cr_assert(eq(u64, tp_tape_draw(again, stream(1), TP_DRAW_EFFECT, 1000), drawn[i]));
    tp_tape_destroy(again);
    tp_tape_destroy(tape);
}
