// mbedTLS: what differs between its versions (2.28 and 3) and builds, and what it needs of us.
#include "net/tls/library.h"

#include "core/config.h"
#include "port/port.h"

#include <mbedtls/platform.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <stdio.h>

#ifdef MBEDTLS_MEMORY_BUFFER_ALLOC_C
#include <mbedtls/memory_buffer_alloc.h>
#endif
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
#include <psa/crypto.h>
#endif

#define IS_3 (MBEDTLS_VERSION_NUMBER >= 0x03000000)

// AES first: where there are instructions for it, it is the quickest.
static const int ciphers[] = {
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

// For the key exchange, the quickest first; mbedTLS would begin with the largest.
#if IS_3
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};
#else
static const mbedtls_ecp_group_id groups[] = {
    MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
    MBEDTLS_ECP_DP_SECP521R1,  MBEDTLS_ECP_DP_NONE,
};
#endif

const mbedtls_x509_crt_profile tls_profile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA224) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) |
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    0xfffffff, // any kind of key
    0xfffffff, // any curve
    1024,
};

int tls_random(void *unused, unsigned char *to, size_t len)
{
    (void)unused;
    port_random(to, len);
    return 0;
}

bool tls_library_has_13(void)
{
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    return true;
#else
    return false;
#endif
}

bool tls_library_start(struct error *err)
{
#ifdef MBEDTLS_MEMORY_BUFFER_ALLOC_C
    static _Alignas(16) unsigned char memory[CONFIG_TLS_MEMORY];
    mbedtls_memory_buffer_alloc_init(memory, sizeof(memory));
#endif
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    if (psa_crypto_init() != PSA_SUCCESS)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                         "mbedTLS's cryptography cannot be set up");
#endif
    (void)err;
    return true;
}

#ifdef MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
                                             uint8_t *output, size_t output_size, size_t *len)
{
    (void)context;
    port_random(output, output_size);
    *len = output_size;
    return PSA_SUCCESS;
}
#endif

static void configure_versions(mbedtls_ssl_config *config, const struct tls_versions *versions)
{
#if IS_3
    bool only_13 = versions->tls13 && !versions->tls12;
    mbedtls_ssl_conf_min_tls_version(config, only_13 ? MBEDTLS_SSL_VERSION_TLS1_3
                                                     : MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(config, versions->tls13 ? MBEDTLS_SSL_VERSION_TLS1_3
                                                             : MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(config, groups);
#else
    (void)versions;
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(config, groups);
#endif
}

bool tls_library_configure(mbedtls_ssl_config *config, const struct tls_versions *versions)
{
    if (mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return false;
    mbedtls_ssl_conf_rng(config, tls_random, NULL);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_OPTIONAL); // verify.c has the last word
    mbedtls_ssl_conf_cert_profile(config, &tls_profile);
    mbedtls_ssl_conf_ciphersuites(config, ciphers);
    configure_versions(config, versions);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3) && defined(MBEDTLS_SSL_SESSION_TICKETS)
    mbedtls_ssl_conf_new_session_tickets(config, 0);
#endif
    return true;
}

int tls_library_parse_key(mbedtls_pk_context *key, const unsigned char *text, size_t len)
{
#if IS_3
    return mbedtls_pk_parse_key(key, text, len, NULL, 0, tls_random, NULL);
#else
    return mbedtls_pk_parse_key(key, text, len, NULL, 0);
#endif
}

bool tls_library_is_pair(const mbedtls_pk_context *public_key, const mbedtls_pk_context *key)
{
#if IS_3
    return mbedtls_pk_check_pair(public_key, key, tls_random, NULL) == 0;
#else
    return mbedtls_pk_check_pair(public_key, key) == 0;
#endif
}

bool tls_library_handshake_over(const mbedtls_ssl_context *ssl)
{
#if IS_3
    return mbedtls_ssl_is_handshake_over((mbedtls_ssl_context *)ssl) != 0;
#else
    return ssl->state == MBEDTLS_SSL_HANDSHAKE_OVER;
#endif
}

static const struct {
    int code;
    const char *reason;
} reasons[] = {
    {MBEDTLS_ERR_SSL_CONN_EOF, "the peer left in the middle of it"},
    {MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, "the peer ended it"},
    {MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, "the peer refused, with an alert"},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, "what came is no TLS record"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, "a record was changed on its way"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "a message came that has no place there"},
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, "out of memory, CONFIG_TLS_MEMORY"},
    {MBEDTLS_ERR_X509_ALLOC_FAILED, "out of memory, CONFIG_TLS_MEMORY"},
    {MBEDTLS_ERR_PK_ALLOC_FAILED, "out of memory, CONFIG_TLS_MEMORY"},
#if IS_3
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "the peer speaks no version of TLS that we may speak"},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, "no cipher, group or signature suits both sides"},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, "a message could not be understood"},
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, "the peer's certificate could not be read"},
#else
    {MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION,
     "the peer speaks no version of TLS that we may speak"},
    {MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN, "no cipher, group or signature suits both sides"},
    {MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO, "the greeting could not be understood"},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE, "the peer's certificate could not be read"},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE_VERIFY, "the peer does not have the certificate's key"},
#endif
};

const char *tls_library_reason(int code)
{
    static char number[32];
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].code == code)
            return reasons[i].reason;
    snprintf(number, sizeof(number), "mbedTLS error -0x%04x", (unsigned)-code);
    return number;
}
