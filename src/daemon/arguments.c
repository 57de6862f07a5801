// Arguments: one walk over the options of a command line.
#include "daemon/arguments.h"

#include "core/slice.h"

#include <stdio.h>
#include <string.h>

static const struct argument *find(struct slice word, const struct argument *known)
{
    bool is_long = slice_starts(word, "--");
    for (; known->letter; known++) {
        if (is_long && slice_is(slice_from(word, 2), known->name))
            return known;
        if (!is_long && word.len == 2 && word.at[1] == known->letter)
            return known;
    }
    return NULL;
}

static int wrong(const struct arguments *arguments, const char *what, const char *which)
{
    fprintf(stderr, "%s: %s: %s\nTry '%s --help'.\n", arguments->program, what, which,
            arguments->program);
    return -1;
}

int arguments_next(struct arguments *arguments, const struct argument *known)
{
    const char *word = *arguments->words;
    if (!word || word[0] != '-' || !word[1])
        return 0;
    arguments->words++;
    if (strcmp(word, "--") == 0)
        return 0;
    struct slice name = slice_of(word);
    const char *equals = slice_starts(name, "--") ? strchr(word, '=') : NULL;
    if (equals)
        name.len = (size_t)(equals - word);
    const struct argument *option = find(name, known);
    if (!option || (equals && !option->takes_value))
        return wrong(arguments, "unknown option", word);
    if (option->takes_value) {
        arguments->value = equals ? equals + 1 : *arguments->words;
        if (!arguments->value)
            return wrong(arguments, "this option needs an argument", word);
        arguments->words += !equals;
    }
    return option->letter;
}
