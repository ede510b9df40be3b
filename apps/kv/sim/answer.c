#include "apps/kv/sim/answer.h"

#include "apps/kv/number.h"

static const struct kv_answer more = {.kind = KV_ANSWER_MORE};
static const struct kv_answer wrong = {.kind = KV_ANSWER_WRONG};

/* The bytes of a string of announced length, behind its head. */
static struct kv_answer read_string(const uint8_t *bytes, uint32_t len, uint32_t head,
                                    int64_t string_len)
{
    struct kv_answer answer = {.kind = KV_ANSWER_STRING};

    if (string_len == -1)
        return (struct kv_answer){.kind = KV_ANSWER_NULL, .used = head};
    if (string_len < 0 || string_len > INT32_MAX)
        return wrong;
    if ((uint64_t)len < head + (uint64_t)string_len + 2)
        return more;
    if (memcmp(bytes + head + string_len, "\r\n", 2) != 0)
        return wrong;
    answer.text = kv_slice_of(bytes + head, (uint32_t)string_len);
    answer.used = head + (uint32_t)string_len + 2;
    return answer;
}

static struct kv_answer read_array(uint32_t head, int64_t count, uint32_t factor)
{
    if (count == -1)
        return (struct kv_answer){.kind = KV_ANSWER_NULL, .used = head};
    if (count < 0 || count > INT32_MAX)
        return wrong;
    return (struct kv_answer){
        .kind = KV_ANSWER_ARRAY, .number = count * factor, .used = head};
}

struct kv_answer kv_answer_read(const uint8_t *bytes, uint32_t len)
{
    const uint8_t *end = len == 0 ? NULL : memchr(bytes, '\n', len);
    struct kv_answer answer = {.kind = KV_ANSWER_STATUS};
    uint32_t head;
    bool is_number;

    if (end == NULL)
        return more;
    head = (uint32_t)(end - bytes) + 1;
    if (head < 3 || end[-1] != '\r')
        return wrong;
    answer.text = kv_slice_of(bytes + 1, head - 3);
    answer.used = head;
    is_number = kv_number_parse(answer.text, &answer.number);
    switch (bytes[0]) {
    case '+':
        return answer;
    case '-':
        answer.kind = KV_ANSWER_ERROR;
        return answer;
    case ':':
        answer.kind = KV_ANSWER_NUMBER;
        return is_number ? answer : wrong;
    case '$':
    case '=': /* verbatim: the three letters of its format stay in front */
        return is_number ? read_string(bytes, len, head, answer.number) : wrong;
    case '*':
    case '~':
        return is_number ? read_array(head, answer.number, 1) : wrong;
    case '%':
        return is_number ? read_array(head, answer.number, 2) : wrong;
    case '_':
        return (struct kv_answer){.kind = KV_ANSWER_NULL, .used = head};
    default:
        return wrong;
    }
}
