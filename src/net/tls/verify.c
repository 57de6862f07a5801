// Certificates, ours and the peer's, looked at as libvirt does (its virnettlscontext.c).
#include "net/tls/verify.h"

#include "core/log.h"
#include "core/settings.h"
#include "net/tls/library.h"
#include "net/tls/name.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <string.h>

#define refuse(err, ...) error_set(err, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR, __VA_ARGS__)

// ---- extensions

struct extension {
    bool present;
    int critical;
    unsigned char *at, *end; // of its value
};

// Reads one extension (RFC 5280 section 4.1) off *at; `oid` is set to its number.
static bool read_extension(unsigned char **at, unsigned char *end, mbedtls_asn1_buf *oid,
                           struct extension *extension)
{
    size_t len;
    if (mbedtls_asn1_get_tag(at, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0)
        return false;
    end = *at + len;
    if (mbedtls_asn1_get_tag(at, end, &oid->len, MBEDTLS_ASN1_OID) != 0)
        return false;
    oid->p = *at;
    *at += oid->len;
    extension->critical = 0;
    int result = mbedtls_asn1_get_bool(at, end, &extension->critical);
    if (result != 0 && result != MBEDTLS_ERR_ASN1_UNEXPECTED_TAG)
        return false;
    if (mbedtls_asn1_get_tag(at, end, &len, MBEDTLS_ASN1_OCTET_STRING) != 0)
        return false;
    extension->at = *at;
    extension->end = *at + len;
    *at = end;
    return true;
}

// mbedTLS does not keep whether an extension was critical, so they are walked again.
static struct extension find_extension(const mbedtls_x509_crt *cert, const char *oid)
{
    struct extension extension = {0};
    unsigned char *at = cert->v3_ext.p, *end = at ? at + cert->v3_ext.len : at;
    size_t len;
    if (!at ||
        mbedtls_asn1_get_tag(&at, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0)
        return extension;
    mbedtls_asn1_buf number;
    while (at < end && read_extension(&at, end, &number, &extension))
        if (number.len == strlen(oid) && memcmp(number.p, oid, number.len) == 0) {
            extension.present = true;
            return extension;
        }
    return (struct extension){0};
}

// Tells of what an extension does not permit: an error if it is critical.
static bool not_permitted(const struct extension *extension, const char *file, const char *what,
                          struct error *err)
{
    if (extension->critical)
        return refuse(err, "Certificate %s %s", file, what);
    log_warning("tls", "Certificate %s %s", file, what);
    return true;
}

// ---- one certificate

static bool check_times(const mbedtls_x509_crt *cert, const char *file, enum tls_role role,
                        struct error *err)
{
    static const char *const names[] = {"server", "client", "CA"};
    if (mbedtls_x509_time_is_past(&cert->valid_to))
        return refuse(err, "The %s certificate %s has expired", names[role], file);
    if (mbedtls_x509_time_is_future(&cert->valid_from))
        return refuse(err, "The %s certificate %s is not yet active", names[role], file);
    return true;
}

static bool is_ca(const struct extension *constraints)
{
    unsigned char *at = constraints->at;
    size_t len;
    int ca = 0;
    return mbedtls_asn1_get_tag(&at, constraints->end, &len,
                                MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) == 0 &&
           mbedtls_asn1_get_bool(&at, constraints->end, &ca) == 0 && ca;
}

static bool check_constraints(const mbedtls_x509_crt *cert, const char *file, enum tls_role role,
                              struct error *err)
{
    struct extension constraints = find_extension(cert, MBEDTLS_OID_BASIC_CONSTRAINTS);
    if (role == TLS_CA && !constraints.present)
        return refuse(err, "The certificate %s is missing basic constraints for a CA", file);
    if (role == TLS_CA && !is_ca(&constraints))
        return refuse(err, "The certificate %s basic constraints do not show a CA", file);
    if (role != TLS_CA && constraints.present && is_ca(&constraints))
        return refuse(err,
                      "The certificate %s basic constraints show a CA, but we need one for a %s",
                      file, role == TLS_SERVER ? "server" : "client");
    return true;
}

// The first byte of a key usage: its bits are MBEDTLS_X509_KU_*.
static unsigned usage_bits(const struct extension *usage)
{
    unsigned char *at = usage->at;
    mbedtls_asn1_bitstring bits = {0};
    return mbedtls_asn1_get_bitstring(&at, usage->end, &bits) == 0 && bits.len ? bits.p[0] : 0;
}

// An EC key can not encipher, so that is asked of RSA keys only.
static bool check_usage(const mbedtls_x509_crt *cert, const char *file, enum tls_role role,
                        struct error *err)
{
    struct extension usage = find_extension(cert, MBEDTLS_OID_KEY_USAGE);
    if (!usage.present)
        return true;
    unsigned bits = usage_bits(&usage);
    if (role == TLS_CA)
        return (bits & MBEDTLS_X509_KU_KEY_CERT_SIGN) ||
               not_permitted(&usage, file, "usage does not permit certificate signing", err);
    bool rsa = mbedtls_pk_get_type(&cert->pk) == MBEDTLS_PK_RSA;
    if (!(bits & MBEDTLS_X509_KU_DIGITAL_SIGNATURE) &&
        !not_permitted(&usage, file, "usage does not permit digital signature", err))
        return false;
    return !rsa || (bits & MBEDTLS_X509_KU_KEY_ENCIPHERMENT) ||
           not_permitted(&usage, file, "usage does not permit key encipherment", err);
}

// Purposes other than those two say nothing against either, as in libvirt.
static bool check_purpose(const mbedtls_x509_crt *cert, const char *file, enum tls_role role,
                          struct error *err)
{
    struct extension purposes = find_extension(cert, MBEDTLS_OID_EXTENDED_KEY_USAGE);
    if (!purposes.present)
        return true;
    const char *other = role == TLS_SERVER ? MBEDTLS_OID_CLIENT_AUTH : MBEDTLS_OID_SERVER_AUTH;
    unsigned char *at = purposes.at;
    size_t len;
    if (mbedtls_asn1_get_tag(&at, purposes.end, &len,
                             MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0)
        return refuse(err, "Unable to query certificate %s key purpose", file);
    while (at < purposes.end &&
           mbedtls_asn1_get_tag(&at, purposes.end, &len, MBEDTLS_ASN1_OID) == 0) {
        if (len != strlen(other) || memcmp(at, other, len) != 0)
            return true;
        at += len;
    }
    return not_permitted(&purposes, file,
                         role == TLS_SERVER ? "purpose does not allow use for with a TLS server"
                                            : "purpose does not allow use for with a TLS client",
                         err);
}

static bool check_extensions(const mbedtls_x509_crt *cert, const char *file, enum tls_role role,
                             struct error *err)
{
    return check_constraints(cert, file, role, err) && check_usage(cert, file, role, err) &&
           (role == TLS_CA || check_purpose(cert, file, role, err));
}

bool tls_verify_certificate(const mbedtls_x509_crt *cert, const char *file, enum tls_role role,
                            struct error *err)
{
    return check_times(cert, file, role, err) && check_extensions(cert, file, role, err);
}

// ---- chains

// What mbedTLS found wrong with a chain, NULL for nothing. What a certificate may be used for is
// ours to judge.
static const char *broken_chain(uint32_t flags)
{
    flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
                         MBEDTLS_X509_BADCERT_NS_CERT_TYPE);
    if (flags &
        (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY))
        return "The certificate uses an insecure algorithm";
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
        return "The certificate hasn't got a known issuer.";
    if (flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE))
        return "The certificate of its issuer has expired or is not yet active.";
    return flags ? "The certificate is not trusted." : NULL;
}

bool tls_verify_own(mbedtls_x509_crt *cert, const char *file, mbedtls_x509_crt *ca,
                    const char *ca_file, struct error *err)
{
    uint32_t flags = 0;
    int result = mbedtls_x509_crt_verify_with_profile(cert, ca, NULL, &tls_profile, NULL, &flags,
                                                      NULL, NULL);
    if (result != 0 && result != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
        return refuse(err, "Unable to verify server certificate %s against CA certificate %s", file,
                      ca_file);
    const char *why = broken_chain(flags);
    return !why || refuse(err, "Our own certificate %s failed validation against %s: %s", file,
                          ca_file, why);
}

bool tls_verify_is_of(const mbedtls_x509_crl *crl, const mbedtls_x509_buf *name)
{
    return crl->issuer_raw.len == name->len && memcmp(crl->issuer_raw.p, name->p, name->len) == 0;
}

// As GnuTLS does it: what lies in our own file of revoked certificates counts, even if the list is
// too old, or the CA's certificate says nothing of its signing lists (libvirt's recipe for one does
// not). mbedTLS would let everybody in or nobody.
static bool is_revoked(const mbedtls_x509_crt *cert, const mbedtls_x509_crl *crl)
{
    for (; crl && crl->raw.p; crl = crl->next)
        if (tls_verify_is_of(crl, &cert->issuer_raw) && mbedtls_x509_crt_is_revoked(cert, crl))
            return true;
    return false;
}

static bool name_peer(const mbedtls_x509_crt *cert, struct identity *identity, struct error *err)
{
    struct buffer name = buffer_over(identity->x509_dname, sizeof(identity->x509_dname));
    if (tls_name_put(&name, &cert->subject))
        return true;
    identity->x509_dname[0] = '\0';
    return refuse(err, "Failed to get certificate [session] distinguished name: %s",
                  buffer_ok(&name) ? "it has no text form" : "it is too long");
}

static bool check_name_list(const struct conf_list *allowed, const char *name, struct error *err)
{
    if (!allowed->is_set)
        return true;
    const char *pattern = NULL;
    while ((pattern = conf_list_next(allowed, pattern)))
        if (slice_matches(slice_of(name), pattern))
            return true;
    return refuse(err,
                  "Client's Distinguished Name '%s' is not on the list of allowed clients "
                  "(tls_allowed_dn_list)",
                  name);
}

bool tls_verify_peer(const mbedtls_ssl_context *ssl, const mbedtls_x509_crl *crl,
                     const struct settings *settings, struct identity *identity, struct error *err)
{
    static const char session[] = "[session]";
    const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(ssl);
    if (!cert)
        return refuse(err, "Unable to verify TLS peer: No certificate was found.");
    for (const mbedtls_x509_crt *one = cert; one; one = one->next)
        if (!check_times(one, session, one == cert ? TLS_CLIENT : TLS_CA, err))
            return false;
    const char *why = broken_chain(mbedtls_ssl_get_verify_result(ssl));
    for (const mbedtls_x509_crt *one = cert; one && !why; one = one->next)
        if (is_revoked(one, crl))
            why = "The certificate has been revoked.";
    if (why)
        return refuse(err, "Certificate failed validation: %s", why);
    return name_peer(cert, identity, err) &&
           check_name_list(&settings->tls_allowed_dn_list, identity->x509_dname, err) &&
           check_extensions(cert, session, TLS_CLIENT, err);
}
