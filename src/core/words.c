// Word lists: strings one behind the other.
#include "core/words.h"

#include <string.h>

const char *words_next(const char *word)
{
    word += strlen(word) + 1;
    return *word ? word : NULL;
}

const char *words_at(const char *words, size_t index)
{
    for (WORDS_EACH(word, words))
        if (index-- == 0)
            return word;
    return NULL;
}

int words_index(const char *words, struct slice wanted)
{
    int index = 0;
    for (WORDS_EACH(word, words)) {
        if (slice_is(wanted, word))
            return index;
        index++;
    }
    return -1;
}
