// Credentials: our key and certificate, whom we trust, and who was revoked.
#include "net/tls/credentials.h"

#include "core/log.h"
#include "core/paths.h"
#include "core/settings.h"
#include "net/tls/library.h"
#include "net/tls/priority.h"
#include "net/tls/verify.h"
#include "port/port.h"

#include <errno.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#define FILE_MAX 65536 // libvirt's own limit

#define refuse(err, ...) error_set(err, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR, __VA_ARGS__)

struct tls_credentials {
    bool used;
    unsigned handshakes; // that began with them and are not over
    mbedtls_ssl_config config;
    mbedtls_x509_crt ca, own;
    mbedtls_x509_crl crl;
    mbedtls_pk_context key;
};

struct files {
    const char *ca, *crl, *cert, *key;
};

// The ones in use, those before while a handshake needs them, and the next ones.
static struct tls_credentials sets[3];
static struct tls_credentials *current;
static unsigned char text[FILE_MAX];

static void initialize(struct tls_credentials *set)
{
    set->used = true;
    set->handshakes = 0;
    mbedtls_ssl_config_init(&set->config);
    mbedtls_x509_crt_init(&set->ca);
    mbedtls_x509_crt_init(&set->own);
    mbedtls_x509_crl_init(&set->crl);
    mbedtls_pk_init(&set->key);
}

static void dispose(struct tls_credentials *set)
{
    mbedtls_ssl_config_free(&set->config);
    mbedtls_x509_crt_free(&set->ca);
    mbedtls_x509_crt_free(&set->own);
    mbedtls_x509_crl_free(&set->crl);
    mbedtls_pk_free(&set->key);
    set->used = false;
}

// ---- where the files are

static bool exists(const char *path)
{
    return path && port_access(path, PORT_OPEN_READ) == 0;
}

// libvirt's places: of a user's own ones what is there, key and certificate together.
static bool locate(struct files *files, struct error *err)
{
    static struct files common, own;
    const struct paths *p = paths();
    if (!common.ca)
        common = (struct files){.ca = paths_join(p->pki, "CA/cacert.pem"),
                                .crl = paths_join(p->pki, "CA/cacrl.pem"),
                                .cert = paths_join(p->pki, "libvirt/servercert.pem"),
                                .key = paths_join(p->pki, "libvirt/private/serverkey.pem")};
    if (!own.ca && p->user_pki)
        own = (struct files){.ca = paths_join(p->user_pki, "cacert.pem"),
                             .crl = paths_join(p->user_pki, "cacrl.pem"),
                             .cert = paths_join(p->user_pki, "servercert.pem"),
                             .key = paths_join(p->user_pki, "serverkey.pem")};
    *files = common;
    files->ca = exists(own.ca) ? own.ca : common.ca;
    files->crl = exists(own.crl) ? own.crl : common.crl;
    if (exists(own.cert) && exists(own.key)) {
        files->cert = own.cert;
        files->key = own.key;
    }
    return (files->ca && files->crl && files->cert && files->key) ||
           refuse(err, "the path of a TLS file is too long");
}

static bool choose_files(const struct settings *settings, struct files *files, struct error *err)
{
    if (!settings->ca_file[0] && !settings->cert_file[0] && !settings->key_file[0])
        return locate(files, err);
    const char *missing =
        !settings->ca_file[0]     ? "No CA certificate path set to match server key/cert"
        : !settings->cert_file[0] ? "No server certificate path set to match server key"
        : !settings->key_file[0]  ? "No server key path set to match server cert"
                                  : NULL;
    if (missing)
        return error_set(err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED, "%s", missing);
    *files = (struct files){.ca = settings->ca_file,
                            .crl = settings->crl_file[0] ? settings->crl_file : NULL,
                            .cert = settings->cert_file,
                            .key = settings->key_file};
    return true;
}

// ---- reading them

// Reads a file into `text`; its length with the NUL that mbedTLS wants behind PEM, 0 on failure.
static size_t read_file(const char *what, const char *path, struct error *err)
{
    ptrdiff_t len = port_file_read(path, text, sizeof(text));
    if (len < 0) {
        refuse(err, "Cannot read %s '%s': %s%s", what, path, strerror((int)-len),
               len == -ENOENT ? " (nanovirt-pki makes it; listen_tls = 0 does without TLS)" : "");
        return 0;
    }
    return (size_t)len + 1;
}

static bool load_certificates(mbedtls_x509_crt *certificates, const char *what, const char *path,
                              const char *complaint, struct error *err)
{
    size_t len = read_file(what, path, err);
    if (len == 0)
        return false;
    int result = mbedtls_x509_crt_parse(certificates, text, len);
    return result == 0 || refuse(err, "%s %s: %s", complaint, path,
                                 result > 0 ? "not every certificate in it can be read"
                                            : tls_library_reason(result));
}

// Says what is odd about a revocation list; it counts all the same.
static void look_at_crl(const mbedtls_x509_crl *crl, const mbedtls_x509_crt *ca, const char *path)
{
    if (mbedtls_x509_time_is_past(&crl->next_update))
        log_warning("tls", "The revocation list %s should have been renewed by now", path);
    while (ca && !tls_verify_is_of(crl, &ca->subject_raw))
        ca = ca->next;
    if (!ca)
        log_warning("tls", "The revocation list %s is of another authority", path);
}

static bool load_crl(struct tls_credentials *set, const char *path, struct error *err)
{
    if (!path || port_access(path, PORT_OPEN_READ) == -ENOENT)
        return true;
    size_t len = read_file("CA revocation list", path, err);
    if (len == 0)
        return false;
    int result = mbedtls_x509_crl_parse(&set->crl, text, len);
    if (result != 0)
        return refuse(err, "Unable to set x509 certificate revocation list: %s: %s", path,
                      tls_library_reason(result));
    for (const mbedtls_x509_crl *one = &set->crl; one && one->raw.p; one = one->next)
        look_at_crl(one, &set->ca, path);
    return true;
}

static const char *key_complaint(int result)
{
    switch (result) {
    case MBEDTLS_ERR_PK_PASSWORD_REQUIRED:
    case MBEDTLS_ERR_PEM_FEATURE_UNAVAILABLE: // in a build that can not decrypt
        return "the key is encrypted, and there is nobody to ask for its password; store it "
               "without";
    case MBEDTLS_ERR_PK_KEY_INVALID_FORMAT:
        return "there is no private key in it";
    case MBEDTLS_ERR_PK_UNKNOWN_PK_ALG:
    case MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE:
        return "the key is of a kind that is not supported; RSA keys and EC keys on NIST's curves "
               "are";
    default:
        return tls_library_reason(result);
    }
}

static bool check_key_mode(const char *path, struct error *err)
{
    struct port_stat stat;
    int result = port_stat(path, &stat);
    if (result < 0)
        return refuse(err, "Cannot read private key '%s': %s", path, strerror(-result));
    return (stat.mode & 07) == 0 ||
           refuse(err,
                  "The private key %s can be read or changed by everybody (its mode is %04o); make "
                  "it 0600 and, if others could have read it, a new one",
                  path, (unsigned)stat.mode & 07777);
}

static bool load_key(struct tls_credentials *set, const struct files *files, struct error *err)
{
    static const char complaint[] = "Unable to set x509 key and certificate";
    if (!check_key_mode(files->key, err))
        return false;
    size_t len = read_file("private key", files->key, err);
    if (len == 0)
        return false;
    int result = tls_library_parse_key(&set->key, text, len);
    mbedtls_platform_zeroize(text, len);
    if (result != 0)
        return refuse(err, "%s: %s, %s: %s", complaint, files->key, files->cert,
                      key_complaint(result));
    if (!tls_library_is_pair(&set->own.pk, &set->key))
        return refuse(err, "%s: %s, %s: The certificate and the given key do not match.", complaint,
                      files->key, files->cert);
    size_t bits = mbedtls_pk_get_bitlen(&set->key);
    if (mbedtls_pk_get_type(&set->key) == MBEDTLS_PK_RSA && bits > 3072)
        log_warning("tls",
                    "The key %s has %zu bits: at each handshake everybody waits for its signature, "
                    "10 ms and more. An EC key takes a tenth of that",
                    files->key, bits);
    return true;
}

static bool check_sanity(struct tls_credentials *set, const struct files *files, struct error *err)
{
    if (!tls_verify_certificate(&set->own, files->cert, TLS_SERVER, err))
        return false;
    for (const mbedtls_x509_crt *ca = &set->ca; ca; ca = ca->next)
        if (!tls_verify_certificate(ca, files->ca, TLS_CA, err))
            return false;
    return tls_verify_own(&set->own, files->cert, &set->ca, files->ca, err);
}

static bool configure(struct tls_credentials *set, const struct settings *settings,
                      struct error *err)
{
    struct tls_versions versions;
    if (!tls_priority_read(slice_of(settings->tls_priority), &versions, err))
        return false;
    if (!tls_library_configure(&set->config, &versions) ||
        mbedtls_ssl_conf_own_cert(&set->config, &set->own, &set->key) != 0)
        return refuse(err, "Unable to allocate x509 credentials: out of memory, CONFIG_TLS_MEMORY");
    mbedtls_ssl_conf_ca_chain(&set->config, &set->ca, NULL);
    return true;
}

static bool load(struct tls_credentials *set, const struct settings *settings, struct error *err)
{
    struct files files = {0};
    return choose_files(settings, &files, err) &&
           load_certificates(&set->own, "certificate", files.cert,
                             "Unable to import server certificate", err) &&
           load_certificates(&set->ca, "CA certificate", files.ca,
                             "Unable to import CA certificate list", err) &&
           (settings->tls_no_sanity_certificate || check_sanity(set, &files, err)) &&
           load_crl(set, files.crl, err) && load_key(set, &files, err) &&
           configure(set, settings, err);
}

bool tls_credentials_load(const struct settings *settings, struct error *err)
{
    struct tls_credentials *set = sets;
    while (set < sets + sizeof(sets) / sizeof(sets[0]) && set->used)
        set++;
    if (set == sets + sizeof(sets) / sizeof(sets[0]))
        return refuse(err, "handshakes that began before the last reload are still under way; try "
                           "again in a minute");
    initialize(set);
    if (!load(set, settings, err)) {
        dispose(set);
        return false;
    }
    struct tls_credentials *before = current;
    current = set;
    if (before && before->handshakes == 0)
        dispose(before);
    return true;
}

void tls_credentials_read_ahead(const struct settings *settings)
{
    struct files files = {0};
    struct error err = {0};
    if (!choose_files(settings, &files, &err))
        return;
    const char *const paths[] = {files.ca, files.crl, files.cert, files.key};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (paths[i])
            port_file_read(paths[i], text, sizeof(text));
}

// ---- their use

struct tls_credentials *tls_credentials_take(void)
{
    current->handshakes++;
    return current;
}

const mbedtls_ssl_config *tls_credentials_config(const struct tls_credentials *credentials)
{
    return &credentials->config;
}

const mbedtls_x509_crl *tls_credentials_revoked(const struct tls_credentials *credentials)
{
    return &credentials->crl;
}

void tls_credentials_release(struct tls_credentials *credentials)
{
    if (--credentials->handshakes == 0 && credentials != current)
        dispose(credentials);
}
