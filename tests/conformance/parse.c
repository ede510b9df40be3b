#include "script.h"

#include <stdio.h>

/* ------------------------------------------------------------------ numbers, names, data
 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One term: digits and a unit. Returns what follows it, NULL if it is no term. */
static const char *parse_term(const char *text, uint64_t *ret_number)
{
    static const char units[] = "kMGT";
    uint64_t number = 0, base = *text == '0' ? 8 : 10;
    const char *unit;

    if (strncmp(text, "max", 3) == 0) {
        *ret_number = INT64_MAX;
        return text + 3;
    }
    if (strncmp(text, "umax", 4) == 0) {
        *ret_number = UINT64_MAX;
        return text + 4;
    }
    if (!is_digit(*text))
        return NULL;
    for (; is_digit(*text); text++)
        number = number * base + (uint64_t)(*text - '0');
    unit = *text == '\0' ? NULL : strchr(units, *text);
    if (unit != NULL) {
        number <<= 10 * (unit - units + 1);
        text++;
    }
    *ret_number = number;
    return text;
}

int32_t parse_number(const char *word, uint64_t *ret_number)
{
    uint64_t total = 0, term;
    char sign = '+';

    for (;;) {
        word = parse_term(word, &term);
        if (word == NULL)
            return -EINVAL;
        total = sign == '+' ? total + term : total - term;
        if (*word == '\0')
            break;
        sign = *word++;
        if (sign != '+' && sign != '-')
            return -EINVAL;
    }
    *ret_number = total;
    return 0;
}

int32_t parse_range(const char *word, uint64_t *ret_first, uint64_t *ret_last)
{
    const char *dots = strstr(word, "..");
    char first[32];

    if (dots == NULL || (size_t)(dots - word) >= sizeof first)
        return -EINVAL;
    memcpy(first, word, (size_t)(dots - word));
    first[dots - word] = '\0';
    if (parse_number(first, ret_first) < 0 || parse_number(dots + 2, ret_last) < 0)
        return -EINVAL;
    return *ret_first <= *ret_last ? 0 : -EINVAL;
}

int32_t parse_data(const char *word, uint8_t *ret_bytes, uint32_t capacity)
{
    uint32_t len = 0;

    while (*word != '\0') {
        uint64_t times = 1;
        uint8_t byte = (uint8_t)(*word == '~' ? 0 : *word);

        word++;
        if (*word == '*') {
            word = parse_term(word + 1, &times);
            if (word == NULL || (*word != '\0' && *word != '+'))
                return -EINVAL;
        }
        if (*word == '+')
            word++;
        if (times > capacity - len)
            return -EINVAL;
        memset(ret_bytes + len, byte, (size_t)times);
        len += (uint32_t)times;
    }
    return (int32_t)len;
}

int32_t errno_of(const char *name, size_t len)
{
    for (int32_t error = 1; error < 256; error++) {
        const char *known = tp_errno_name(error);

        if (strlen(known) == len && memcmp(known, name, len) == 0)
            return error;
    }
    return 0;
}

/* ------------------------------------------------------------------ printing data */

static uint64_t hash_of(const uint8_t *bytes, uint32_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (uint32_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool is_plain(uint8_t byte)
{
    return byte > ' ' && byte < 0x7f && strchr("+*~;=|?", (char)byte) == NULL;
}

/* One run of equal bytes. A letter that follows letters needs no '+'. */
static size_t print_run(uint8_t byte, uint32_t times, bool joined, char *ret_text,
                        size_t size_bytes)
{
    const char *plus = joined ? "+" : "";

    if (!is_plain(byte) && byte != 0)
        return (size_t)snprintf(ret_text, size_bytes, "%s?%02x*%u", plus, byte, times);
    return (size_t)snprintf(ret_text, size_bytes, "%s%c*%u", plus, byte == 0 ? '~' : byte,
                            times);
}

void print_data(const uint8_t *bytes, uint32_t len, char *ret_text, size_t size_bytes)
{
    enum { TAIL = 64 };
    size_t used = 0;
    uint32_t i = 0;
    bool repeated = false;

    tp_assert(size_bytes > TAIL);
    ret_text[0] = '\0';
    if (len == 0)
        (void)snprintf(ret_text, size_bytes, "~*0");
    while (i < len && used < size_bytes - TAIL) {
        uint32_t times = 1;

        while (i + times < len && bytes[i + times] == bytes[i])
            times++;
        if (times < 4 && is_plain(bytes[i])) {
            if (repeated)
                ret_text[used++] = '+';
            memset(ret_text + used, bytes[i], times);
            used += times;
            ret_text[used] = '\0';
            repeated = false;
        } else {
            used +=
                print_run(bytes[i], times, used > 0, ret_text + used, size_bytes - used);
            repeated = true;
        }
        i += times;
    }
    if (i < len)
        (void)snprintf(ret_text + used, size_bytes - used, "...(%u bytes, %016llx)", len,
                       (unsigned long long)hash_of(bytes, len));
}

/* ------------------------------------------------------------------ steps */

static bool is_space(char c)
{
    return c == ' ' || c == '\n';
}

int32_t step_parse(const char *text, struct step *ret_step)
{
    size_t len = strcspn(text, ";");
    char *word, *end;
    bool after = false;

    ret_step->count = 0;
    ret_step->values = NULL;
    ret_step->seen = NULL;
    if (len >= STEP_MAX)
        return -EINVAL;
    memcpy(ret_step->text, text, len);
    ret_step->text[len] = '\0';
    end = ret_step->text + len;
    while (end > ret_step->text && is_space(end[-1]))
        *--end = '\0';
    for (word = ret_step->text; word < end && ret_step->seen == NULL;) {
        char *next = word + strcspn(word, " \n");

        if (is_space(*word)) {
            word++;
            continue;
        }
        if (after && ret_step->values != NULL) {
            ret_step->seen = word;
            break;
        }
        *next = '\0';
        if (after)
            ret_step->values = word;
        else if (strcmp(word, "=") == 0)
            after = true;
        else if (ret_step->count == WORDS)
            return -EINVAL;
        else
            ret_step->words[ret_step->count++] = word;
        word = next + 1;
    }
    return after && ret_step->values == NULL ? -EINVAL : (int32_t)len;
}
