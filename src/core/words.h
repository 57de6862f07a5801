// Word lists: "one\0two\0three\0", strings one behind the other, for tables of names. Unlike an
// array of pointers it costs a byte a word, and start-up has nothing to relocate. An empty word
// ends it, which is the NUL that a string literal ends with.
#ifndef CORE_WORDS_H
#define CORE_WORDS_H

#include "core/slice.h"

// The word after `word`; NULL behind the last one.
const char *words_next(const char *word);
// The word at `index`, from 0; NULL behind the last one.
const char *words_at(const char *words, size_t index);
// The index of a word, or -1.
int words_index(const char *words, struct slice word);

// for (WORDS_EACH(name, list))
#define WORDS_EACH(word, words)                                                                    \
    const char *word = (words);                                                                    \
    word &&*word;                                                                                  \
    word = words_next(word)

#endif
