// TLS of the benchmarks' clients.
#define _GNU_SOURCE
#include "tls.h"

#include "net/tls/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct tls {
    mbedtls_ssl_context ssl;
    int fd;
};

static mbedtls_ssl_config config;
static mbedtls_x509_crt authority, certificate;
static mbedtls_pk_context key;
static unsigned char pem[65536];
static uint64_t sent_ns;

static void give_up(const char *what, int result)
{
    fprintf(stderr, "TLS: %s: %s\n", what, tls_library_reason(result));
    exit(1);
}

static size_t load(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(1);
    }
    size_t len = fread(pem, 1, sizeof(pem) - 1, file);
    fclose(file);
    pem[len] = '\0';
    return len + 1; // mbedTLS counts the NUL
}

static void load_all(const char *directory)
{
    struct error err = {0};
    if (!tls_library_start(&err))
        give_up(err.message, 0);
    mbedtls_x509_crt_init(&authority);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    mbedtls_ssl_config_init(&config);
    int result = mbedtls_x509_crt_parse(&authority, pem, load(directory, "cacert.pem"));
    if (result == 0)
        result = mbedtls_x509_crt_parse(&certificate, pem, load(directory, "clientcert.pem"));
    if (result == 0)
        result = tls_library_parse_key(&key, pem, load(directory, "clientkey.pem"));
    if (result == 0)
        result =
            mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT,
                                        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (result == 0)
        result = mbedtls_ssl_conf_own_cert(&config, &certificate, &key);
    if (result != 0)
        give_up(directory, result);
    mbedtls_ssl_conf_ca_chain(&config, &authority, NULL);
    mbedtls_ssl_conf_rng(&config, tls_random, NULL);
}

static int send_bytes(void *fd, const unsigned char *from, size_t len)
{
    ssize_t n = write(*(int *)fd, from, len);
    return n < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : (int)n;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// The kernel's stamp is of the clock that tells the date.
static void note_stamp(struct msghdr *message)
{
    struct timespec stamp;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
        uint64_t at = (uint64_t)stamp.tv_sec * 1000000000u + (uint64_t)stamp.tv_nsec;
        sent_ns = clock_ns(CLOCK_MONOTONIC) - (clock_ns(CLOCK_REALTIME) - at);
    }
}

uint64_t tls_sent_ns(void)
{
    return sent_ns;
}

static int receive_bytes(void *fd, unsigned char *to, size_t len)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec span = {to, len};
    struct msghdr message = {.msg_iov = &span,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(*(int *)fd, &message, 0);
    if (n > 0)
        note_stamp(&message);
    return n < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : (int)n;
}

struct tls *tls_connect(int fd, const char *directory)
{
    static int loaded;
    if (!loaded++)
        load_all(directory);
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes));
    struct tls *tls = calloc(1, sizeof(*tls));
    tls->fd = fd;
    mbedtls_ssl_init(&tls->ssl);
    int result = mbedtls_ssl_setup(&tls->ssl, &config);
    if (result == 0)
        result = mbedtls_ssl_set_hostname(&tls->ssl, "localhost");
    if (result != 0)
        give_up("a session", result);
    mbedtls_ssl_set_bio(&tls->ssl, &tls->fd, send_bytes, receive_bytes, NULL);
    result = mbedtls_ssl_handshake(&tls->ssl);
    if (result != 0)
        give_up("the handshake", result);
    char welcome = 0;
    if (tls_read_some(tls, &welcome, 1) != 1 || welcome != 1)
        give_up("no word of welcome", 0);
    return tls;
}

size_t tls_read_some(struct tls *tls, void *to, size_t len)
{
    int result = mbedtls_ssl_read(&tls->ssl, to, len);
    return result > 0 ? (size_t)result : 0;
}

size_t tls_write_some(struct tls *tls, const void *from, size_t len)
{
    int result = mbedtls_ssl_write(&tls->ssl, from, len);
    return result > 0 ? (size_t)result : 0;
}

void tls_end(struct tls *tls)
{
    mbedtls_ssl_close_notify(&tls->ssl);
    mbedtls_ssl_free(&tls->ssl);
    free(tls);
}
