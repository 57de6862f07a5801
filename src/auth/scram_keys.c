// SCRAM's keys: derived from a password (RFC 5802 section 3), written and read.
#include "auth/scram.h"

#include "text/base64.h"

#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/version.h>

#include <string.h>

#define SALT_BYTES 16

static const struct {
    const char *name;
    mbedtls_md_type_t md;
    size_t size; // bytes of its hash
} mechanisms[SCRAM_MECHANISMS] = {
    [SCRAM_SHA_256] = {"SCRAM-SHA-256", MBEDTLS_MD_SHA256, 32},
    [SCRAM_SHA_1] = {"SCRAM-SHA-1", MBEDTLS_MD_SHA1, 20},
};

const char *scram_mechanism_name(enum scram_mechanism mechanism)
{
    return mechanisms[mechanism].name;
}

size_t scram_key_size(enum scram_mechanism mechanism)
{
    return mechanisms[mechanism].size;
}

bool scram_mechanism_find(struct slice name, enum scram_mechanism *mechanism)
{
    for (unsigned i = 0; i < SCRAM_MECHANISMS; i++) {
        if (!slice_is(name, mechanisms[i].name))
            continue;
        *mechanism = (enum scram_mechanism)i;
        return true;
    }
    return false;
}

bool scram_hmac(enum scram_mechanism mechanism, const uint8_t *key, struct slice text, uint8_t *to)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(mechanisms[mechanism].md);
    memset(to, 0, SCRAM_KEY_MAX);
    return md && mbedtls_md_hmac(md, key, mechanisms[mechanism].size,
                                 (const unsigned char *)text.at, text.len, to) == 0;
}

bool scram_hash(enum scram_mechanism mechanism, struct slice bytes, uint8_t *to)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(mechanisms[mechanism].md);
    memset(to, 0, SCRAM_KEY_MAX);
    return md && mbedtls_md(md, (const unsigned char *)bytes.at, bytes.len, to) == 0;
}

// SaltedPassword := Hi(Normalize(password), salt, i), which is PBKDF2.
static bool salt_password(const struct scram_keys *keys, struct slice password, uint8_t *to)
{
    const unsigned char *secret = (const unsigned char *)password.at;
    mbedtls_md_type_t type = mechanisms[keys->mechanism].md;
    uint32_t size = (uint32_t)mechanisms[keys->mechanism].size;
#if MBEDTLS_VERSION_NUMBER >= 0x03030000
    return mbedtls_pkcs5_pbkdf2_hmac_ext(type, secret, password.len, keys->salt, keys->salt_len,
                                         keys->iterations, size, to) == 0;
#else
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(type);
    mbedtls_md_context_t context;
    mbedtls_md_init(&context);
    bool good = md && mbedtls_md_setup(&context, md, 1) == 0 &&
                mbedtls_pkcs5_pbkdf2_hmac(&context, secret, password.len, keys->salt,
                                          keys->salt_len, keys->iterations, size, to) == 0;
    mbedtls_md_free(&context);
    return good;
#endif
}

bool scram_keys_derive_salted(struct scram_keys *keys, struct slice password)
{
    uint8_t salted[SCRAM_KEY_MAX], client_key[SCRAM_KEY_MAX];
    size_t size = mechanisms[keys->mechanism].size;
    bool good = salt_password(keys, password, salted) &&
                scram_hmac(keys->mechanism, salted, SLICE("Client Key"), client_key) &&
                scram_hash(keys->mechanism, (struct slice){(const char *)client_key, size},
                           keys->stored_key) &&
                scram_hmac(keys->mechanism, salted, SLICE("Server Key"), keys->server_key);
    mbedtls_platform_zeroize(salted, sizeof(salted));
    mbedtls_platform_zeroize(client_key, sizeof(client_key));
    return good;
}

bool scram_keys_derive(struct scram_keys *keys, enum scram_mechanism mechanism, uint32_t iterations,
                       struct slice password)
{
    *keys = (struct scram_keys){
        .mechanism = mechanism, .iterations = iterations, .salt_len = SALT_BYTES};
    port_random(keys->salt, keys->salt_len);
    return scram_keys_derive_salted(keys, password);
}

void scram_keys_put(const struct scram_keys *keys, struct buffer *b)
{
    size_t size = mechanisms[keys->mechanism].size;
    buffer_printf(b, "%s$%u:", mechanisms[keys->mechanism].name, (unsigned)keys->iterations);
    base64_put(b, keys->salt, keys->salt_len);
    buffer_putc(b, '$');
    base64_put(b, keys->stored_key, size);
    buffer_putc(b, ':');
    base64_put(b, keys->server_key, size);
}

static bool read_key(uint8_t *to, size_t size, struct slice text)
{
    return base64_decode(to, SCRAM_KEY_MAX, text) == (ptrdiff_t)size;
}

bool scram_keys_read(struct scram_keys *keys, struct slice text)
{
    struct slice mechanism, iterations, salt, stored_key;
    *keys = (struct scram_keys){0};
    if (!slice_split(&text, '$', &mechanism) || !slice_split(&text, ':', &iterations) ||
        !slice_split(&text, '$', &salt) || !slice_split(&text, ':', &stored_key) ||
        !scram_mechanism_find(mechanism, &keys->mechanism) ||
        !slice_u32(iterations, 10, &keys->iterations) || keys->iterations == 0)
        return false;
    size_t size = mechanisms[keys->mechanism].size;
    ptrdiff_t salt_len = base64_decode(keys->salt, sizeof(keys->salt), salt);
    if (salt_len <= 0)
        return false;
    keys->salt_len = (size_t)salt_len;
    return read_key(keys->stored_key, size, stored_key) && read_key(keys->server_key, size, text);
}
