/* What arrives may be anything: no byte is believed, and none beyond the end is read (which
 * the sanitizers see, since each message is in memory of its own size). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sim/scenarios/log3/message.h"
#include "apps/sim/scenarios/log3/record.h"
#include "io/virtual/random.h"

static struct log3_entry ring[LOG3_ENTRIES_MAX];
static struct log3_entries entries = {.ring = ring};
static const uint8_t text[LOG3_TEXT_BYTES] = "text";
static const struct log3_state state = {
    .index = 7, .term = 2, .count = 5, .clients = {{.seq = 3, .position = 5}}};

static void set_up(void)
{
    struct log3_entry entry = {.term = 2, .seq = 9, .client = 1, .len = 40};

    log3_entries_reset(&entries, 7, 2);
    for (uint32_t i = 0; i < 3; i++)
        log3_entries_add(&entries, &entry);
}

static struct log3_message message_of(uint32_t kind)
{
    struct log3_message message = {.kind = (enum log3_kind)kind,
                                   .from = 1,
                                   .term = 3,
                                   .index = 7,
                                   .index_term = 2,
                                   .entries = &entries,
                                   .state = &state,
                                   .body = text};

    if (message.kind == LOG3_ENTRIES)
        message.count = 3;
    if (message.kind == LOG3_APPEND)
        message.count = sizeof text;
    return message;
}

/* Reads a copy that ends where its memory does. */
static bool reads(const uint8_t *bytes, uint32_t len, struct log3_message *ret_message)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    bool is_message;

    cr_assert(copy != NULL);
    memcpy(copy, bytes, len);
    is_message = log3_message_read(copy, len, ret_message);
    free(copy);
    return is_message;
}

Test(log3_wire, gives_what_was_said, .init = set_up)
{
    for (uint32_t kind = 0; kind < LOG3_KINDS; kind++) {
        uint8_t bytes[LOG3_MESSAGE_BYTES_MAX];
        struct log3_message said = message_of(kind), heard;
        uint32_t len = log3_message_put(bytes, &said);

        cr_assert(reads(bytes, len, &heard), "kind %u", kind);
        cr_assert(eq(u32, (uint32_t)heard.kind, kind));
        cr_assert(eq(u32, heard.from, said.from));
        cr_assert(eq(u64, heard.term, said.term));
        cr_assert(eq(u64, heard.index, said.index));
        cr_assert(eq(u64, heard.index_term, said.index_term));
        cr_assert(eq(u32, heard.count, said.count));
    }
}

Test(log3_wire, is_no_message_when_it_is_longer_or_shorter, .init = set_up)
{
    for (uint32_t kind = 0; kind < LOG3_KINDS; kind++) {
        uint8_t bytes[LOG3_MESSAGE_BYTES_MAX + 1] = {0};
        struct log3_message message = message_of(kind);
        uint32_t len = log3_message_put(bytes, &message);

        for (uint32_t cut = 0; cut <= len + 1; cut++) {
            if (cut == len)
                continue;
            cr_assert(not(reads(bytes, cut, &message)), "kind %u, %u of %u", kind, cut,
                      len);
            if (cut < 4)
                continue;
            (void)log3_put(bytes, cut - 4, 4); /* and says that it is so long */
            cr_assert(not(reads(bytes, cut, &message)), "kind %u, %u of %u", kind, cut,
                      len);
            (void)log3_put(bytes, len - 4, 4);
        }
    }
}

/* What is read in spite of it is within all limits. */
Test(log3_wire, may_be_anything, .init = set_up)
{
    struct tp_rng rng = tp_rng_make(4711, 0);
    uint32_t read = 0;

    for (uint32_t round = 0; round < 20000; round++) {
        uint8_t bytes[LOG3_MESSAGE_BYTES_MAX];
        struct log3_message message = message_of(round % LOG3_KINDS);
        uint32_t len = log3_message_put(bytes, &message);

        for (uint64_t i = 0; i <= tp_rng_next(&rng) % 3; i++)
            bytes[4 + tp_rng_next(&rng) % (len - 4)] = (uint8_t)tp_rng_next(&rng);
        if (!reads(bytes, len, &message))
            continue;
        read++;
        cr_assert(lt(u32, (uint32_t)message.kind, LOG3_KINDS));
        cr_assert(le(u32, message.body_len, LOG3_BODY_BYTES_MAX));
        cr_assert(lt(u64, message.index, UINT64_C(1) << 48));
        if (message.kind == LOG3_ENTRIES)
            cr_assert(le(u32, message.count, LOG3_BATCH_MAX));
    }
    cr_assert(lt(u32, 1000, read));
}

/* A state is believed by whoever gets it: an index without a term would be that of an entry
 * which is not there, and one at the end of its range would wrap. */
Test(log3_wire, has_no_impossible_state, .init = set_up)
{
    static const struct log3_state impossible[] = {
        {.index = 9, .term = 0},          {.index = 0, .term = 2},
        {.index = UINT64_MAX, .term = 2}, {.index = UINT64_C(1) << 48, .term = 2},
        {.index = 9, .term = UINT64_MAX}, {.index = 4, .term = 2, .count = 5},
    };
    uint8_t bytes[LOG3_MESSAGE_BYTES_MAX];
    struct log3_message message = message_of(LOG3_SNAPSHOT);
    struct log3_entry entry = {.term = UINT64_C(1) << 48, .client = LOG3_NOBODY};

    for (uint32_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        message.state = &impossible[i];
        cr_assert(not(reads(bytes, log3_message_put(bytes, &message), &message)), "%u", i);
        message = message_of(LOG3_SNAPSHOT);
    }
    log3_entries_add(&entries, &entry);
    message = message_of(LOG3_ENTRIES);
    message.count = 4;
    cr_assert(not(reads(bytes, log3_message_put(bytes, &message), &message)));
}

Test(log3_record, may_be_anything)
{
    struct log3_record record = {.kind = LOG3_RECORD_ENTRY,
                                 .vote = LOG3_NOBODY,
                                 .index = 4,
                                 .entry = {.term = 1, .seq = 1, .len = 33},
                                 .state = state};

    for (uint32_t kind = 0; kind < LOG3_RECORD_KINDS; kind++) {
        uint8_t bytes[LOG3_RECORD_BYTES_MAX];
        struct log3_record found;
        uint32_t len;

        record.kind = (enum log3_record_kind)kind;
        len = log3_record_put(bytes, &record);
        cr_assert(log3_record_read(bytes, len, &found));
        for (uint32_t cut = 0; cut < len; cut++)
            cr_assert(not(log3_record_read(bytes, cut, &found)));
        bytes[0] = LOG3_RECORD_KINDS;
        cr_assert(not(log3_record_read(bytes, len, &found)));
    }
}
