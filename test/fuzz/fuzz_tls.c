// TLS: whatever a peer may send to a session of src/net/tls, from its first byte on.
//
// An input is a way in one byte and what goes with it:
//   0 bytes: they are sent as they are, instead of a handshake;
//   1 a handshake: a client of mbedTLS makes one, and some of its bytes are changed on their way.
//     Each change is 4 bytes: a position (16 bits), what is done there, and a value;
//   2 records: after a handshake, each a length (16 bits) and its contents, encrypted as they
//   should
//     be; a length of 0 ends them, and what is left is sent as it is.
#include "fuzz.h"
#include "tls_identity.h"

#include "core/log.h"
#include "core/settings.h"
#include "net/tls/library.h"
#include "net/transport.h"
#include "port/port.h"

#include <errno.h>
#include <stdio.h>

#define ROUNDS   200
#define WIRE_MAX 65536

static struct settings settings;
static const struct transport *transport;

// ---- the daemon's side

static struct {
    struct connection_io io;
    bool open, failed;
    uint8_t got[WIRE_MAX];
    size_t len;
} server;

static void serve(void)
{
    static struct identity identity;
    struct error err = {0};
    if (server.failed)
        return;
    if (!server.open) {
        int result = transport->handshake(&server.io, &identity, &err);
        bool failed = result < 0 && result != -EAGAIN;
        FUZZ_TOLD(!failed, &err);
        server.open = result == 1;
        server.failed = failed;
        return;
    }
    while (server.len < sizeof(server.got)) {
        ptrdiff_t got =
            transport->read(&server.io, server.got + server.len, sizeof(server.got) - server.len);
        server.failed = got <= 0 && got != -EAGAIN;
        if (got <= 0)
            return;
        server.len += (size_t)got;
    }
}

// ---- the peer's side: a client of mbedTLS, with somebody on the line

static struct {
    int fd;
    mbedtls_ssl_context ssl;
    struct slice changes;
    size_t sent; // bytes that have passed
} peer;

static mbedtls_ssl_config peer_config;
static struct fuzz_random peer_chance;

static int peer_random(void *unused, unsigned char *to, size_t len)
{
    (void)unused;
    for (size_t i = 0; i < len; i++)
        to[i] = (unsigned char)fuzz_u32(&peer_chance);
    return 0;
}

enum change { CHANGE_XOR, CHANGE_SET, CHANGE_ADD, CHANGES };

static void change(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 4 <= peer.changes.len; i += 4) {
        const uint8_t *at = (const uint8_t *)peer.changes.at + i;
        size_t position = (size_t)at[0] << 8 | at[1];
        if (position < peer.sent || position >= peer.sent + len)
            continue;
        uint8_t *byte = &bytes[position - peer.sent];
        if (at[2] % CHANGES == CHANGE_XOR)
            *byte ^= at[3];
        else
            *byte = at[2] % CHANGES == CHANGE_SET ? at[3] : (uint8_t)(*byte + at[3]);
    }
}

static int peer_send(void *unused, const unsigned char *from, size_t len)
{
    uint8_t bytes[4096];
    (void)unused;
    len = len < sizeof(bytes) ? len : sizeof(bytes);
    memcpy(bytes, from, len);
    change(bytes, len);
    ptrdiff_t put = port_write(peer.fd, bytes, len);
    if (put < 0)
        return put == -EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_CONN_EOF;
    peer.sent += (size_t)put;
    return (int)put;
}

static int peer_receive(void *unused, unsigned char *to, size_t len)
{
    (void)unused;
    ptrdiff_t got = port_read(peer.fd, to, len);
    if (got < 0)
        return got == -EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
    return (int)got;
}

static bool waits(int result)
{
    return result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE;
}

// True when both are through, and the word of welcome has come.
static bool shake_hands(void)
{
    unsigned char word;
    int result = MBEDTLS_ERR_SSL_WANT_READ;
    for (unsigned i = 0; i < ROUNDS && (!server.open || waits(result)); i++) {
        if (waits(result) || result == 0)
            result = mbedtls_ssl_handshake(&peer.ssl);
        serve();
        if (server.failed)
            return false;
    }
    result = mbedtls_ssl_read(&peer.ssl, &word, 1);
    return server.open && result == 1 && word == 1;
}

// ---- the ways

static void send_bytes(struct slice bytes)
{
    while (bytes.len > 0) {
        ptrdiff_t put = port_write(peer.fd, bytes.at, bytes.len);
        serve();
        if (put <= 0)
            break;
        bytes = slice_from(bytes, (size_t)put);
    }
    for (unsigned i = 0; i < 4; i++)
        serve();
}

static void send_records(struct slice input)
{
    static uint8_t sent[WIRE_MAX];
    size_t len = 0;
    peer.changes = SLICE_NONE;
    FUZZ_CHECK(shake_hands());
    for (;;) {
        size_t wanted = (size_t)fuzz_take_byte(&input) << 8;
        wanted |= fuzz_take_byte(&input);
        struct slice record = fuzz_take(&input, wanted < 8192 ? wanted : 8192);
        if (record.len == 0 || len + record.len > sizeof(sent))
            break;
        int put = mbedtls_ssl_write(&peer.ssl, (const unsigned char *)record.at, record.len);
        if (put <= 0)
            break;
        memcpy(sent + len, record.at, (size_t)put);
        len += (size_t)put;
        serve();
    }
    // What the daemon has taken is what was sent, as far as it took it.
    FUZZ_CHECK(server.len <= len && memcmp(server.got, sent, server.len) == 0);
    FUZZ_CHECK(server.failed || server.len == len);
    send_bytes(input);
}

static void connect_both(void)
{
    int ends[2];
    FUZZ_CHECK(port_socket_pair(ends) == 0);
    memset(&server.io, 0, sizeof(server.io));
    server.io.fd = ends[0];
    server.io.transport = transport;
    server.open = server.failed = false;
    server.len = 0;
    peer.fd = ends[1];
    peer.sent = 0;
    peer_chance = (struct fuzz_random){7};
    mbedtls_ssl_init(&peer.ssl);
    FUZZ_CHECK(mbedtls_ssl_setup(&peer.ssl, &peer_config) == 0);
    mbedtls_ssl_set_bio(&peer.ssl, NULL, peer_send, peer_receive, NULL);
}

static void disconnect_both(void)
{
    transport->close(&server.io);
    mbedtls_ssl_free(&peer.ssl);
    port_close(peer.fd);
}

void fuzz_one(struct slice input)
{
    unsigned way = fuzz_take_byte(&input) % 3;
    connect_both();
    if (way == 0) {
        send_bytes(input);
    } else if (way == 1) {
        peer.changes = input;
        shake_hands();
    } else {
        send_records(input);
    }
    disconnect_both();
}

// ---- keys and certificates

static void put_file(char *path, size_t size, const char *name, const char *text)
{
    snprintf(path, size, "%s/%s", fuzz_directory(), name);
    fuzz_file_write(path, slice_of(text));
}

static void start_peer(void)
{
    static mbedtls_x509_crt ca, own;
    static mbedtls_pk_context key;
    mbedtls_x509_crt_init(&ca);
    mbedtls_x509_crt_init(&own);
    mbedtls_pk_init(&key);
    mbedtls_ssl_config_init(&peer_config);
    FUZZ_CHECK(mbedtls_x509_crt_parse(&ca, (const unsigned char *)ca_certificate,
                                      sizeof(ca_certificate)) == 0);
    FUZZ_CHECK(mbedtls_x509_crt_parse(&own, (const unsigned char *)client_certificate,
                                      sizeof(client_certificate)) == 0);
    FUZZ_CHECK(tls_library_parse_key(&key, (const unsigned char *)client_key, sizeof(client_key)) ==
               0);
    FUZZ_CHECK(mbedtls_ssl_config_defaults(&peer_config, MBEDTLS_SSL_IS_CLIENT,
                                           MBEDTLS_SSL_TRANSPORT_STREAM,
                                           MBEDTLS_SSL_PRESET_DEFAULT) == 0);
    mbedtls_ssl_conf_authmode(&peer_config, MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_ca_chain(&peer_config, &ca, NULL);
    mbedtls_ssl_conf_rng(&peer_config, peer_random, NULL);
    FUZZ_CHECK(mbedtls_ssl_conf_own_cert(&peer_config, &own, &key) == 0);
}

void fuzz_start(void)
{
    struct error err = {0};
    log_set_outputs(SLICE("1:file:/dev/null"), &err);
    settings_default(&settings);
    put_file(settings.ca_file, sizeof(settings.ca_file), "ca.pem", ca_certificate);
    put_file(settings.cert_file, sizeof(settings.cert_file), "cert.pem", server_certificate);
    put_file(settings.key_file, sizeof(settings.key_file), "key.pem", server_key);
    transport = transport_start("tls", &settings, &err);
    if (!transport)
        FUZZ_FAIL("%s", err.message);
    start_peer();
}
