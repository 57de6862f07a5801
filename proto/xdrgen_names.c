// xdrgen's packer of names: what procedures are called is kept in byte pairs (P. Gage, "A New
// Algorithm for Data Compression", 1994). The pair of bytes that stands most often in all names is
// replaced by a byte that no name has, 128 and up, again and again.
#include "xdrgen.h"

#include <stdio.h>
#include <string.h>

#define PAIR_MIN 3 // a pair that is less often costs as much as it saves

static unsigned char text[60000]; // the names, each with its NUL; the first is empty
static size_t text_len = 1;
static unsigned char pairs[128][2];
static int pair_count;

unsigned packed_name_add(const char *name)
{
    static char names[1024][PACKED_NAME_MAX];
    static int count;
    int at = 0;
    size_t size = strlen(name) + 1;
    while (at < count && strcmp(names[at], name) != 0)
        at++;
    if (at == 1024 || size > PACKED_NAME_MAX || text_len + size > sizeof(text))
        fail_at(0, 0, "%s: too many names of procedures, or one that is too long", name);
    if (at == count) {
        strcpy(names[count++], name);
        memcpy(text + text_len, name, size);
        text_len += size;
    }
    return (unsigned)at + 1;
}

// The pair that stands most often; 0 when none is worth a byte.
static unsigned best_pair(void)
{
    static unsigned counts[65536];
    unsigned best = 0;
    memset(counts, 0, sizeof(counts));
    for (size_t i = 0; i + 1 < text_len; i++) {
        unsigned pair = (unsigned)text[i] << 8 | text[i + 1];
        if (text[i] && text[i + 1] && ++counts[pair] > counts[best])
            best = pair;
    }
    return counts[best] >= PAIR_MIN ? best : 0;
}

static void replace_pair(unsigned pair, unsigned char byte)
{
    size_t to = 0;
    for (size_t from = 0; from < text_len; from++, to++) {
        bool is_pair = from + 1 < text_len && ((unsigned)text[from] << 8 | text[from + 1]) == pair;
        text[to] = is_pair ? byte : text[from];
        from += is_pair;
    }
    text_len = to;
}

void packed_names_pack(void)
{
    unsigned pair;
    while (pair_count < 128 && (pair = best_pair()) != 0) {
        pairs[pair_count][0] = (unsigned char)(pair >> 8);
        pairs[pair_count][1] = (unsigned char)pair;
        replace_pair(pair, (unsigned char)(128 + pair_count++));
    }
}

unsigned packed_name_offset(unsigned number)
{
    size_t at = 0;
    while (number--)
        at += strlen((char *)text + at) + 1;
    return (unsigned)at;
}

void packed_names_write(FILE *out)
{
    fprintf(out, "\nconst unsigned char contract_pairs[][2] = {\n");
    for (int i = 0; i < pair_count; i++)
        fprintf(out, "    {%u, %u},\n", pairs[i][0], pairs[i][1]);
    fprintf(out, "%s};\n\nconst unsigned char contract_procedure_names[] = {",
            pair_count ? "" : "    {0, 0},\n");
    for (size_t i = 0; i < text_len; i++)
        fprintf(out, "%s%u,", i % 20 ? " " : "\n    ", text[i]);
    fprintf(out, "\n};\n");
}
