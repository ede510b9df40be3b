#include "texts.h"

#include <string.h>

/* A text's number: its class in the top bits, its index in that class's pool below. */
#define TEXT_CLASS_SHIFT 28

static const uint32_t text_class_bytes[TP_TEXT_CLASSES] = {16, 48, 128, 512, 4096};

void tp_texts_init(struct tp_texts *texts)
{
    for (uint32_t class = 0; class < TP_TEXT_CLASSES; class ++)
        tp_pool_init(&texts->pools[class], text_class_bytes[class]);
}

void tp_texts_deinit(struct tp_texts *texts, const struct tp_allocator *allocator)
{
    for (uint32_t class = 0; class < TP_TEXT_CLASSES; class ++)
        tp_pool_deinit(&texts->pools[class], allocator);
}

int tp_texts_clone(struct tp_texts *texts, const struct tp_texts *source,
                   const struct tp_allocator *allocator)
{
    static const struct tp_texts empty;
    int error = 0;

    *texts = empty;
    for (uint32_t class = 0; class < TP_TEXT_CLASSES && error == 0; class ++)
        error = tp_pool_clone(&texts->pools[class], &source->pools[class], allocator);
    if (error < 0)
        tp_texts_deinit(texts, allocator);
    return error;
}

uint32_t tp_texts_add(struct tp_texts *texts, const char *bytes, uint32_t len_bytes,
                      const struct tp_allocator *allocator)
{
    struct tp_pool *pool = texts->pools;
    uint32_t class = 0;
    char copy[4096];
    uint32_t index;
    char *text;

    while (class < TP_TEXT_CLASSES && text_class_bytes[class] <= len_bytes)
        class ++;
    tp_assert(class < TP_TEXT_CLASSES);
    pool += class;
    if (tp_pool_is_full(pool)) { /* it moves, and `bytes` may be a text of it */
        memcpy(copy, bytes, len_bytes);
        bytes = copy;
    }
    index = tp_pool_take_head(pool, 0, allocator);
    tp_assert(index >> TEXT_CLASS_SHIFT == 0);
    text = tp_pool_at(pool, index);
    memcpy(text, bytes, len_bytes);
    text[len_bytes] = '\0';
    return class << TEXT_CLASS_SHIFT | index;
}

void tp_texts_remove(struct tp_texts *texts, uint32_t text)
{
    if (text != 0)
        tp_pool_give(&texts->pools[text >> TEXT_CLASS_SHIFT],
                     text & ((UINT32_C(1) << TEXT_CLASS_SHIFT) - 1));
}

const char *tp_texts_at(const struct tp_texts *texts, uint32_t text)
{
    return tp_pool_at(&texts->pools[text >> TEXT_CLASS_SHIFT],
                      text & ((UINT32_C(1) << TEXT_CLASS_SHIFT) - 1));
}
