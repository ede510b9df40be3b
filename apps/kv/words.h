/** apps/kv/words.h - a line as the words that it is made of, quotes understood.
 *
 * Words stand between spaces. In double quotes: \n \r \t \b \a, \xHH, and any other byte
 * behind a backslash stands for itself; in single quotes: \' only. Behind a closing quote
 * comes a space, or nothing. Redis's rules for what is typed into a connection by hand.
 */
#ifndef TEMPEST_APPS_KV_WORDS_H
#define TEMPEST_APPS_KV_WORDS_H

#include "apps/kv/slice.h"

/** Splits `line`. The words' bytes go to `memory` (line.len bytes), the words to
 * `ret_words` (room for line.len / 2 + 1). False: a quote is not closed, or is followed by
 * no space. */
bool kv_words_split(struct kv_slice line, uint8_t *memory, struct kv_slice *ret_words,
                    uint32_t *ret_count);

#endif
