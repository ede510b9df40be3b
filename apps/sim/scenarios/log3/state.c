#include "apps/sim/scenarios/log3/state.h"

#include "io/hash.h"
#include "io/mark.h"

uint64_t log3_state_apply(struct log3_state *state, const struct log3_entry *entry)
{
    uint64_t words[2] = {entry->client, entry->seq};

    state->index++;
    state->term = entry->term;
    if (entry->client >= LOG3_CLIENTS)
        return 0;
    tp_sometimes(entry->seq <= state->clients[entry->client].seq,
                 "an append that was asked for twice counts once");
    if (entry->seq <= state->clients[entry->client].seq)
        return 0;
    state->count++;
    state->hash = tp_hash_words(words, 2, state->hash);
    state->hash = tp_hash(entry->text, entry->len, state->hash);
    state->clients[entry->client].seq = entry->seq;
    state->clients[entry->client].position = state->count;
    return state->count;
}

void log3_state_read(struct log3_reader *reader, struct log3_state *ret_state)
{
    struct log3_state *state = ret_state;

    state->index = log3_read(reader, 8);
    state->term = log3_read(reader, 8);
    state->count = log3_read(reader, 8);
    state->hash = log3_read(reader, 8);
    for (uint32_t i = 0; i < LOG3_CLIENTS; i++) {
        state->clients[i].seq = log3_read(reader, 8);
        state->clients[i].position = log3_read(reader, 8);
        if (state->clients[i].position > state->count)
            reader->failed = true;
    }
    if (state->count > state->index || (state->index == 0) != (state->term == 0) ||
        !log3_is_possible(state->index) || !log3_is_possible(state->term))
        reader->failed = true;
}

uint8_t *log3_state_put(uint8_t *at, const struct log3_state *state)
{
    at = log3_put(at, state->index, 8);
    at = log3_put(at, state->term, 8);
    at = log3_put(at, state->count, 8);
    at = log3_put(at, state->hash, 8);
    for (uint32_t i = 0; i < LOG3_CLIENTS; i++) {
        at = log3_put(at, state->clients[i].seq, 8);
        at = log3_put(at, state->clients[i].position, 8);
    }
    return at;
}
