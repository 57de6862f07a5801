// SASLprep: the characters that it leaves as they are.
#include "auth/saslprep.h"

#include "text/utf8.h"

// Characters assigned in Unicode 3.2 (RFC 3454) that are letters with no decomposition to anything
// but a form that composes to themselves again, not written from right to left, not forbidden.
static const struct range {
    uint16_t first, last;
} unchanged[] = {
    {0x20, 0x7E},     {0xC0, 0x131},    {0x134, 0x13E},   {0x141, 0x148}, {0x14A, 0x17E},
    {0x388, 0x38A},   {0x38E, 0x3A1},   {0x3A3, 0x3CE},   {0x400, 0x45F}, {0x3041, 0x3094},
    {0x30A1, 0x30FA}, {0x4E00, 0x9FA5}, {0xAC00, 0xD7A3},
};

static bool is_unchanged(uint32_t character)
{
    for (size_t i = 0; i < sizeof(unchanged) / sizeof(unchanged[0]); i++)
        if (character >= unchanged[i].first && character <= unchanged[i].last)
            return true;
    return false;
}

const char *saslprep_refuses(struct slice s)
{
    if (s.len == 0)
        return "it is empty";
    while (s.len) {
        uint32_t character;
        unsigned bytes = utf8_read(s, &character);
        if (bytes == 0)
            return "it is not UTF-8";
        if (character < 0x20 || character == 0x7F)
            return "it has a control character";
        if (!is_unchanged(character))
            return "it has a character that SASLprep (RFC 4013) may change";
        s = slice_from(s, bytes);
    }
    return NULL;
}
