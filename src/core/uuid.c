// UUIDs (RFC 4122): from text and to text.
#include "core/uuid.h"

void uuid_format(const uint8_t uuid[16], char to[37])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = digits[uuid[i] >> 4];
        *to++ = digits[uuid[i] & 15];
    }
    *to = '\0';
}

// As virUUIDParse: white space around it, and hyphens and blanks between the digits, are passed
// over.

bool uuid_parse(struct slice text, uint8_t uuid[16])
{
    size_t digits = 0;
    text = slice_trim(text);
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit;
        if (digits < 32 && slice_u64((struct slice){text.at + i, 1}, 16, &digit)) {
            uint8_t *byte = &uuid[digits / 2];
            *byte = (uint8_t)(digits % 2 ? ((unsigned)*byte << 4) | digit : digit);
            digits++;
        } else if (text.at[i] != '-' && text.at[i] != ' ') {
            return false;
        }
    }
    return digits == 32;
}
