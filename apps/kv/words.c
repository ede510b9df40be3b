#include "apps/kv/words.h"

#include "io/base.h"

/* What is being split; `at` and `used` only grow, and `used` never passes `at`: a word
 * without its quotes is not longer than with them. */
struct split {
    struct kv_slice line;
    uint32_t at;
    uint8_t *memory;
    uint32_t used;
};

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool at_end(const struct split *split)
{
    return split->at == split->line.len;
}

/* The byte `ahead` of the next one; NUL when there is none. A line holds no NUL. */
static uint8_t peek(const struct split *split, uint32_t ahead)
{
    return split->line.len - split->at > ahead ? split->line.bytes[split->at + ahead]
                                               : '\0';
}

static void put(struct split *split, uint8_t byte)
{
    tp_assert(split->used < split->line.len);
    split->memory[split->used++] = byte;
}

static int32_t hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static uint8_t meaning_of(uint8_t letter)
{
    switch (letter) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    default:
        return letter;
    }
}

/* Behind a backslash in double quotes. */
static void read_escape(struct split *split)
{
    int32_t high = hex_digit(peek(split, 2)), low = hex_digit(peek(split, 3));

    if (peek(split, 1) == 'x' && high >= 0 && low >= 0) {
        put(split, (uint8_t)(high * 16 + low));
        split->at += 4;
    } else {
        put(split, meaning_of(peek(split, 1)));
        split->at += 2;
    }
}

/* From behind an opening quote to behind the closing one. */
static bool read_quoted(struct split *split, uint8_t quote)
{
    for (split->at++; !at_end(split);) {
        uint8_t byte = peek(split, 0);

        if (byte == quote) {
            split->at++;
            return at_end(split) || is_space(peek(split, 0));
        }
        if (byte == '\\' && quote == '"' && peek(split, 1) != '\0') {
            read_escape(split);
        } else if (byte == '\\' && quote == '\'' && peek(split, 1) == '\'') {
            put(split, '\'');
            split->at += 2;
        } else {
            put(split, byte);
            split->at++;
        }
    }
    return false;
}

/* A vertical tab or a form feed is space between words but does not end one. */
static bool ends_word(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static bool read_word(struct split *split, struct kv_slice *ret_word)
{
    uint32_t begin = split->used;

    while (!at_end(split) && !ends_word(peek(split, 0))) {
        uint8_t byte = peek(split, 0);

        if (byte == '"' || byte == '\'') {
            if (!read_quoted(split, byte))
                return false;
            break;
        }
        put(split, byte);
        split->at++;
    }
    *ret_word = kv_slice_of(split->memory + begin, split->used - begin);
    return true;
}

bool kv_words_split(struct kv_slice line, uint8_t *memory, struct kv_slice *ret_words,
                    uint32_t *ret_count)
{
    struct split split = {.line = line};
    uint32_t count = 0;

    split.memory = memory;
    for (;;) {
        while (!at_end(&split) && is_space(peek(&split, 0)))
            split.at++;
        if (at_end(&split))
            break;
        tp_assert(count < line.len / 2 + 1);
        if (!read_word(&split, &ret_words[count]))
            return false;
        count++;
    }
    *ret_count = count;
    return true;
}
