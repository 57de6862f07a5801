// Records and messages: whether a peer keeps them apart.
#include "net/tls/records.h"

#define LENGTH_WORD 4

bool tls_records_take(struct tls_records *records, const uint8_t *at, size_t len, bool more)
{
    while (len > 0) {
        size_t part = 1;
        if (records->counted < LENGTH_WORD)
            records->length = records->length << 8 | *at;
        else if (records->length > records->counted)
            part = records->length - records->counted;
        if (part > len)
            part = len;
        at += part;
        len -= part;
        records->counted += (uint32_t)part;
        if (records->counted < LENGTH_WORD || records->counted < records->length)
            continue;
        *records = (struct tls_records){0};
        if (len > 0 || more)
            return false;
    }
    return true;
}
