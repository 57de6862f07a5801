// A certificate that a peer sends: whether it may be used, and whose it is.
//
// An input is a certificate in DER. mbedTLS reads it; what it takes is walked again by our own
// rules.
#include "fuzz.h"

#include "net/tls/name.h"
#include "net/tls/verify.h"

static void look(const mbedtls_x509_crt *cert)
{
    for (int role = TLS_SERVER; role <= TLS_CA; role++) {
        struct error err = {0};
        bool good = tls_verify_certificate(cert, "input", (enum tls_role)role, &err);
        FUZZ_TOLD(good, &err);
    }
    char memory[IDENTITY_DNAME_MAX];
    struct buffer name = buffer_over(memory, sizeof(memory));
    if (!tls_name_put(&name, &cert->subject))
        return;
    FUZZ_CHECK(name.len > 0);
    FUZZ_CHECK(strlen(memory) == name.len); // no NUL: access rules would see another name
}

void fuzz_one(struct slice input)
{
    mbedtls_x509_crt cert;
    mbedtls_x509_crt_init(&cert);
    if (mbedtls_x509_crt_parse_der(&cert, (const unsigned char *)input.at, input.len) == 0)
        look(&cert);
    mbedtls_x509_crt_free(&cert);
}
