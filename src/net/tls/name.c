// Distinguished names of certificates, as virt-pki-query-dn prints them.
#include "net/tls/name.h"

#include "net/tls/library.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <string.h>

// How the value of an attribute is encoded: a DirectoryString (RFC 5280, one of several types), or
// the tag of the one type that it must have.
#define DIRECTORY 0

struct attribute {
    const char *oid, *name;
    int type;
};

// Those that GnuTLS knows. Of others the number is shown, and the value in hexadecimal digits.
static const struct attribute attributes[] = {
    {"2.5.4.3", "CN", DIRECTORY},
    {"2.5.4.4", "surName", DIRECTORY},
    {"2.5.4.5", "serialNumber", MBEDTLS_ASN1_PRINTABLE_STRING},
    {"2.5.4.6", "C", MBEDTLS_ASN1_PRINTABLE_STRING},
    {"2.5.4.7", "L", DIRECTORY},
    {"2.5.4.8", "ST", DIRECTORY},
    {"2.5.4.9", "street", DIRECTORY},
    {"2.5.4.10", "O", DIRECTORY},
    {"2.5.4.11", "OU", DIRECTORY},
    {"2.5.4.12", "title", DIRECTORY},
    {"2.5.4.13", "description", DIRECTORY},
    {"2.5.4.15", "businessCategory", DIRECTORY},
    {"2.5.4.17", "postalCode", DIRECTORY},
    {"2.5.4.20", "telephoneNumber", MBEDTLS_ASN1_PRINTABLE_STRING},
    {"2.5.4.41", "name", DIRECTORY},
    {"2.5.4.42", "givenName", DIRECTORY},
    {"2.5.4.43", "initials", DIRECTORY},
    {"2.5.4.44", "generationQualifier", DIRECTORY},
    {"2.5.4.46", "dnQualifier", MBEDTLS_ASN1_PRINTABLE_STRING},
    {"2.5.4.65", "pseudonym", DIRECTORY},
    {"0.9.2342.19200300.100.1.1", "UID", DIRECTORY},
    {"0.9.2342.19200300.100.1.25", "DC", MBEDTLS_ASN1_IA5_STRING},
    {"1.2.840.113549.1.9.1", "EMAIL", MBEDTLS_ASN1_IA5_STRING},
    {"1.2.840.113556.1.4.656", "userPrincipalName", DIRECTORY},
    {"1.3.6.1.5.5.7.8.5", "XmppAddr", MBEDTLS_ASN1_UTF8_STRING},
    {"1.3.6.1.5.5.7.9.2", "placeOfBirth", DIRECTORY},
    {"1.3.6.1.5.5.7.9.3", "gender", MBEDTLS_ASN1_PRINTABLE_STRING},
    {"1.3.6.1.5.5.7.9.4", "countryOfCitizenship", MBEDTLS_ASN1_PRINTABLE_STRING},
    {"1.3.6.1.5.5.7.9.5", "countryOfResidence", MBEDTLS_ASN1_PRINTABLE_STRING},
    {"1.3.6.1.4.1.311.60.2.1.1", "jurisdictionOfIncorporationLocalityName", DIRECTORY},
    {"1.3.6.1.4.1.311.60.2.1.2", "jurisdictionOfIncorporationStateOrProvinceName", DIRECTORY},
    {"1.3.6.1.4.1.311.60.2.1.3", "jurisdictionOfIncorporationCountryName",
     MBEDTLS_ASN1_PRINTABLE_STRING},
};

static void put_hex(struct buffer *to, const unsigned char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buffer_printf(to, "%02x", at[i]);
}

// "#" and the value's whole encoding (X.690 section 8.1), for what has no text form.
static void put_encoded(struct buffer *to, const mbedtls_x509_buf *value)
{
    unsigned char head[5] = {(unsigned char)value->tag};
    size_t n = 1;
    if (value->len > 0xff)
        head[n++] = 0x82;
    else if (value->len > 0x7f)
        head[n++] = 0x81;
    if (value->len > 0xff)
        head[n++] = (unsigned char)(value->len >> 8);
    head[n++] = (unsigned char)value->len;
    buffer_putc(to, '#');
    put_hex(to, head, n);
    put_hex(to, value->p, value->len);
}

// RFC 4514 section 2.4.
static void put_escaped(struct buffer *to, const unsigned char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool edge = (i == 0 && (at[i] == '#' || at[i] == ' ')) || (i == len - 1 && at[i] == ' ');
        if (edge || strchr(",+\"\\<>;", at[i]))
            buffer_putc(to, '\\');
        buffer_putc(to, (char)at[i]);
    }
}

// The characters of a BMPString, which are 16 bits each, in UTF-8; false when they are none.
static bool bmp_to_utf8(const mbedtls_x509_buf *value, struct buffer *to)
{
    for (size_t i = 0; i + 1 < value->len; i += 2) {
        unsigned c = (unsigned)value->p[i] << 8 | value->p[i + 1];
        if (c == 0 || (c >= 0xd800 && c < 0xe000))
            return false;
        if (c >= 0x800)
            buffer_putc(to, (char)(0xe0 | c >> 12));
        if (c >= 0x80)
            buffer_putc(to, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3f) : 0xc0 | c >> 6));
        buffer_putc(to, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
    }
    return value->len % 2 == 0 && buffer_ok(to);
}

static bool is_ascii(const mbedtls_x509_buf *value)
{
    for (size_t i = 0; i < value->len; i++)
        if (value->p[i] < ' ' || value->p[i] > '~')
            return false;
    return true;
}

static void put_directory_string(struct buffer *to, const mbedtls_x509_buf *value)
{
    char memory[512];
    struct buffer text = buffer_over(memory, sizeof(memory));
    switch (value->tag) {
    case MBEDTLS_ASN1_UTF8_STRING:
    case MBEDTLS_ASN1_PRINTABLE_STRING:
        put_escaped(to, value->p, value->len);
        return;
    case MBEDTLS_ASN1_BMP_STRING:
        if (bmp_to_utf8(value, &text)) {
            put_escaped(to, (const unsigned char *)text.at, text.len);
            return;
        }
        break;
    case MBEDTLS_ASN1_T61_STRING:
        if (is_ascii(value)) {
            put_escaped(to, value->p, value->len);
            return;
        }
        break;
    case MBEDTLS_ASN1_UNIVERSAL_STRING:
        break;
    default: // no DirectoryString
        put_encoded(to, value);
        return;
    }
    buffer_puts(to, "\\#"); // GnuTLS takes the digits for text, and escapes them
    put_hex(to, value->p, value->len);
}

static bool put_value(struct buffer *to, const struct attribute *attribute,
                      const mbedtls_x509_buf *value)
{
    bool text = attribute && (attribute->type == DIRECTORY || attribute->type == value->tag);
    if (attribute && attribute->type == DIRECTORY && value->len == 0)
        return false;
    if (text && value->tag != MBEDTLS_ASN1_BMP_STRING &&
        value->tag != MBEDTLS_ASN1_UNIVERSAL_STRING && memchr(value->p, '\0', value->len)) {
        if (attribute->type != DIRECTORY)
            return false;
        text = false;
    }
    if (!text)
        put_encoded(to, value);
    else if (attribute->type == DIRECTORY)
        put_directory_string(to, value);
    else
        put_escaped(to, value->p, value->len);
    return true;
}

static bool put_attribute(struct buffer *to, const mbedtls_x509_name *part)
{
    char oid[128];
    if (mbedtls_oid_get_numeric_string(oid, sizeof(oid), &part->oid) < 0)
        return false;
    const struct attribute *attribute = NULL;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]) && !attribute; i++)
        if (strcmp(attributes[i].oid, oid) == 0)
            attribute = &attributes[i];
    buffer_puts(to, attribute ? attribute->name : oid);
    buffer_putc(to, '=');
    return put_value(to, attribute, &part->val);
}

bool tls_name_put(struct buffer *to, const mbedtls_x509_name *name)
{
    if (!name->oid.p)
        return false;
    for (const mbedtls_x509_name *part = name; part; part = part->next) {
        if (!put_attribute(to, part))
            return false;
        if (part->next)
            buffer_putc(to, part->MBEDTLS_PRIVATE(next_merged) ? '+' : ',');
    }
    return buffer_ok(to);
}
