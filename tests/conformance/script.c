#include "script.h"

enum { SKEW_ROOM = 64 }; /* so that memory can begin unaligned */

void script_init(struct script *script, struct conformance *c)
{
    static const struct script empty;

    *script = empty;
    script->c = c;
    script->in = take(c, MEMORY_MAX + SKEW_ROOM);
    script->out = take(c, MEMORY_MAX + SKEW_ROOM);
}

void script_deinit(struct script *script)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (script->open[i])
            EXPECT(script->c, run(script->c, tp_request_close(script->slots[i])), 0);
    }
    drop(script->c, script->in, MEMORY_MAX + SKEW_ROOM);
    drop(script->c, script->out, MEMORY_MAX + SKEW_ROOM);
}

/* ------------------------------------------------------------------ checks */

static bool value_is_one_of(int32_t value, const char *values)
{
    while (*values != '\0') {
        size_t len = strcspn(values, "|");
        char word[32];
        uint64_t number;

        if (len >= sizeof word)
            return false;
        memcpy(word, values, len);
        word[len] = '\0';
        if (strcmp(word, "any") == 0 && value >= 0)
            return true;
        if (strcmp(word, "OK") == 0 && value == 0)
            return true;
        if (parse_number(word, &number) == 0 && value >= 0 && number == (uint64_t)value)
            return true;
        if (errno_of(word, len) != 0 && value == -errno_of(word, len))
            return true;
        values += len + (values[len] == '|');
    }
    return false;
}

/* Every word of `expected` is among those of `seen`. */
static bool has_words(const char *seen, const char *expected)
{
    while (*expected != '\0') {
        size_t len = strcspn(expected, " ");
        const char *at_word = seen;
        bool found = false;

        while (!found && *at_word != '\0') {
            size_t seen_len = strcspn(at_word, " ");

            found = seen_len == len && memcmp(at_word, expected, len) == 0;
            at_word += seen_len + (at_word[seen_len] == ' ');
        }
        if (!found)
            return false;
        expected += len + (expected[len] == ' ');
    }
    return true;
}

static bool seen_is(struct script *script, const struct outcome *outcome,
                    const char *expected)
{
    int32_t len;

    switch (outcome->as) {
    case SEEN_NOTHING:
        return false;
    case SEEN_DATA:
        len = parse_data(expected, script->out, MEMORY_MAX);
        return len >= 0 && (uint32_t)len == outcome->len &&
               memcmp(script->out, script->in, outcome->len) == 0;
    case SEEN_TEXT:
        return strcmp(outcome->seen, expected) == 0;
    case SEEN_WORDS:
        return has_words(outcome->seen, expected);
    }
    tp_unreachable();
}

static void check(struct script *script, const char *text, int32_t len,
                  const struct step *step, const struct outcome *outcome, const char *file,
                  int line)
{
    char name[32];
    bool value_fits;

    if (step->values != NULL)
        value_fits = value_is_one_of(outcome->value, step->values);
    else
        value_fits =
            outcome->wanted >= 0 ? outcome->value == outcome->wanted : outcome->value >= 0;
    if (value_fits &&
        (step->seen == NULL || outcome->value < 0 || seen_is(script, outcome, step->seen)))
        return;
    name_value(outcome->value, name, sizeof name);
    fail(script->c, file, line, "%.*s: came %s %.200s", len, text, name, outcome->seen);
}

void script_run(struct conformance *c, const char *text, const char *file, int line)
{
    struct script script;
    struct outcome outcome;
    struct step step;
    int32_t len = 0;

    script_init(&script, c);
    for (;; text += len + 1) {
        while (*text == ' ')
            text++;
        len = step_parse(text, &step);
        if (len < 0 || step_do(&script, &step, &outcome) < 0) {
            fail(c, file, line, "not understood: %s", text);
            break;
        }
        if (c->skipped != NULL)
            break;
        check(&script, text, len, &step, &outcome, file, line);
        if (text[len] == '\0')
            break;
    }
    script_deinit(&script);
}
