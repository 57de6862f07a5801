// What libvirt makes up when a definition leaves it out: uuids and MAC addresses.
#include "virt/xml/domain_random.h"

#include "virt/xml/domain_check.h"

#include <string.h>

static bool random_bytes(const struct domain_xml *x, void *bytes, size_t len)
{
    return x->rules->random(x->rules->data, bytes, len) ||
           REFUSE(x, INTERNAL_ERROR, "cannot get random bytes");
}

bool domain_random_uuid(const struct domain_xml *x, char uuid[37])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    if (!random_bytes(x, bytes, sizeof(bytes)))
        return false;
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    char *at = uuid;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    *at = '\0';
    return true;
}

bool domain_random_mac(const struct domain_xml *x, uint8_t mac[6])
{
    memcpy(mac, x->rules->mac_prefix, 3);
    return random_bytes(x, mac + 3, 3);
}
