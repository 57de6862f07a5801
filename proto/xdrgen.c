// xdrgen: turns the protocol's .x files into C (a host tool, part of the build).
//
//     xdrgen [-w WORDS] DIRECTORY FILE.x...
//
// writes DIRECTORY/FILE.h for each, with its constants, enums, structs and procedure numbers, and
// DIRECTORY/contract.c, the descriptor tables of all of them together: identical types share their
// descriptors, whichever file they come from. The files may use each other's types.
//
// With -w, procedures and types that are not among the words of a file are left out of the tables:
// the daemon will not know such a procedure. The words are those of its sources.
#include "xdrgen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail_at(int file, int line, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s:%d: ", model.files[file].path, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

// "remote" of "proto/remote.x", in place.
static const char *base_name(char *path)
{
    char *slash = strrchr(path, '/');
    char *base = slash ? slash + 1 : path;
    char *dot = strrchr(base, '.');
    if (!dot || strcmp(dot, ".x") != 0)
        return NULL;
    *dot = '\0';
    return base;
}

// The words of a file, one a line, each between line ends.
static const char *read_words(const char *path)
{
    static char words[1 << 20] = "\n";
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(words + 1, 1, sizeof(words) - 2, file) : 0;
    if (len == 0 || len == sizeof(words) - 2 || fclose(file) != 0) {
        fprintf(stderr, "%s: can not be read\n", path);
        exit(1);
    }
    return words;
}

int main(int argc, char **argv)
{
    static char paths[16][256];
    const char *words = NULL;
    if (argc > 2 && strcmp(argv[1], "-w") == 0) {
        words = read_words(argv[2]);
        argc -= 2;
        argv += 2;
    }
    if (argc < 3 || argc - 2 > 16) {
        fprintf(stderr, "usage: xdrgen [-w WORDS] DIRECTORY FILE.x...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        struct file *file = &model.files[model.file_count];
        file->path = argv[i];
        if (snprintf(paths[i - 2], sizeof(paths[0]), "%s", argv[i]) >= (int)sizeof(paths[0]))
            fail_at(model.file_count, 0, "the path is too long");
        file->base = base_name(paths[i - 2]);
        if (!file->base)
            fail_at(model.file_count, 0, "not a .x file");
        parse_file(model.file_count++);
    }
    resolve_names();
    emit(argv[1], words);
    return 0;
}
