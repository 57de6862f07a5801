// TLS: the transport.
#include "net/tls/tls.h"

#include "auth/identity.h"
#include "core/config.h"
#include "core/log.h"
#include "core/log_limit.h"
#include "core/loop.h"
#include "core/settings.h"
#include "net/tls/credentials.h"
#include "net/tls/library.h"
#include "net/tls/priority.h"
#include "net/tls/records.h"
#include "net/tls/verify.h"

#include <errno.h>
#include <string.h>

// How much is encrypted or decrypted for one client in a turn: without instructions for AES a
// megabyte takes up to 50 ms.
#define READ_MAX  (32u * 1024) // in one call, of which there are few in a turn
#define WRITE_MAX (128u * 1024)
// Taken off the descriptor at once: most records are shorter, and mbedTLS asks for each in two
// parts.
#define TAKEN_MAX 1024

struct tls_session {
    bool used, verified;
    bool ended, broken; // what reading has come to
    mbedtls_ssl_context ssl;
    struct tls_credentials *credentials; // until the handshake is over
    struct tls_records records;
    short read_needs, write_needs; // what the descriptor must be polled for to go on
    uint64_t write_turn;           // loop_now() when something was written last
    size_t written;                // in that turn
    uint8_t taken[TAKEN_MAX];      // off the descriptor, and not yet by mbedTLS
    uint16_t taken_at, taken_end;
    bool drained; // what came last was less than asked for: there is no more now
};

static struct tls_session sessions[CONFIG_MAX_TLS_CLIENTS];
static const struct settings *settings;
// What connections go on with after the handshake, when they need no credentials any more.
static mbedtls_ssl_config established;

// ---- mbedTLS's way to the descriptor

static int from_port(ptrdiff_t result, int again, int eof)
{
    if (result == -EAGAIN || result == -EINTR)
        return again;
    return result < 0 ? eof : (int)result;
}

static int bio_send(void *io, const unsigned char *from, size_t len)
{
    return from_port(port_write(((struct connection_io *)io)->fd, from, len),
                     MBEDTLS_ERR_SSL_WANT_WRITE, MBEDTLS_ERR_SSL_CONN_EOF);
}

static ptrdiff_t take(struct connection_io *io, void *to, size_t len)
{
    ptrdiff_t got = io->tls->drained ? -EAGAIN : port_read(io->fd, to, len);
    io->tls->drained = got >= 0 && (size_t)got < len;
    return got;
}

static int bio_receive(void *opaque, unsigned char *to, size_t len)
{
    struct connection_io *io = opaque;
    struct tls_session *session = io->tls;
    if (session->taken_at == session->taken_end) {
        bool direct = len >= TAKEN_MAX;
        ptrdiff_t got = take(io, direct ? to : session->taken, direct ? len : TAKEN_MAX);
        if (direct || got <= 0)
            return from_port(got, MBEDTLS_ERR_SSL_WANT_READ, MBEDTLS_ERR_SSL_CONN_EOF);
        session->taken_at = 0;
        session->taken_end = (uint16_t)got;
    }
    size_t left = (size_t)session->taken_end - session->taken_at;
    size_t n = len < left ? len : left;
    memcpy(to, session->taken + session->taken_at, n);
    session->taken_at = (uint16_t)(session->taken_at + n);
    return (int)n;
}

// What must be polled for before a call that mbedTLS could not finish is made again; 0 when it has
// failed.
static short needed(int result)
{
    if (result == MBEDTLS_ERR_SSL_WANT_READ)
        return PORT_POLL_IN;
    return result == MBEDTLS_ERR_SSL_WANT_WRITE ? PORT_POLL_OUT : 0;
}

// ---- sessions

static void end_credentials(struct tls_session *session)
{
    if (session->credentials)
        tls_credentials_release(session->credentials);
    session->credentials = NULL;
}

static void end_session(struct tls_session *session)
{
    mbedtls_ssl_free(&session->ssl);
    end_credentials(session);
    session->used = false;
}

static struct tls_session *begin_session(struct connection_io *io, struct error *err)
{
    struct tls_session *session = sessions;
    while (session < sessions + CONFIG_MAX_TLS_CLIENTS && session->used)
        session++;
    if (session == sessions + CONFIG_MAX_TLS_CLIENTS) {
        error_set(err, VIR_FROM_RPC, VIR_ERR_OPERATION_FAILED,
                  "too many TLS clients: limit is %d, CONFIG_MAX_TLS_CLIENTS",
                  CONFIG_MAX_TLS_CLIENTS);
        return NULL;
    }
    memset(session, 0, sizeof(*session));
    session->used = true;
    session->read_needs = PORT_POLL_IN;
    session->write_needs = PORT_POLL_OUT;
    session->credentials = tls_credentials_take();
    mbedtls_ssl_init(&session->ssl);
    int result = mbedtls_ssl_setup(&session->ssl, tls_credentials_config(session->credentials));
    if (result != 0) {
        error_set(err, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR, "Failed to initialize TLS session: %s",
                  tls_library_reason(result));
        end_session(session);
        return NULL;
    }
    mbedtls_ssl_set_bio(&session->ssl, io, bio_send, bio_receive, NULL);
    return session;
}

// ---- the handshake

// Goes on until it has to wait, or has done something that takes time. 1: over; 0: not yet.
static int shake_hands(struct tls_session *session, struct error *err)
{
    uint64_t begin = port_clock_ns();
    while (!tls_library_handshake_over(&session->ssl)) {
        int result = mbedtls_ssl_handshake_step(&session->ssl);
        session->read_needs = needed(result);
        if (session->read_needs)
            return -EAGAIN;
        if (result != 0) {
            error_set(err, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "TLS handshake failed: %s",
                      tls_library_reason(result));
            return -EPROTO;
        }
        if (port_clock_ns() - begin > NS_PER_MS / 2)
            return 0;
    }
    return 1;
}

static bool let_in(struct tls_session *session, struct identity *identity, struct error *err)
{
    const mbedtls_x509_crl *revoked = tls_credentials_revoked(session->credentials);
    if (!tls_verify_peer(&session->ssl, revoked, settings, identity, err)) {
        if (!settings->tls_no_verify_certificate)
            return false;
        log_info("tls", "Ignoring bad certificate at user request: %s", err->message);
        error_clear(err);
    }
    // The members of a configuration that count from now on are the same in all of ours, and this
    // one stays when the credentials go.
    session->ssl.MBEDTLS_PRIVATE(conf) = &established;
    end_credentials(session);
    session->verified = true;
    return true;
}

// libvirt's word of welcome, in a record of its own.
static int welcome(struct tls_session *session, struct error *err)
{
    int result = mbedtls_ssl_write(&session->ssl, (const unsigned char *)"\1", 1);
    session->read_needs = PORT_POLL_IN;
    if (result == 1)
        return 1;
    session->read_needs = needed(result);
    if (session->read_needs)
        return -EAGAIN;
    error_set(err, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "TLS handshake failed: %s",
              tls_library_reason(result));
    return -EPROTO;
}

static int tls_handshake(struct connection_io *io, struct identity *identity, struct error *err)
{
    if (!io->tls)
        io->tls = begin_session(io, err);
    if (!io->tls)
        return -ENOMEM;
    io->tls->drained = false;
    if (!io->tls->verified) {
        int result = shake_hands(io->tls, err);
        if (result != 1)
            return result;
        if (!let_in(io->tls, identity, err))
            return -EACCES;
    }
    return welcome(io->tls, err);
}

// ---- reading and writing

static ptrdiff_t break_off(struct tls_session *session, const char *why)
{
    static struct log_limit limit = {.module = "tls", .what = "more connections were ended"};
    if (log_limit_allows(&limit))
        log_warning("tls", "a connection is ended: %s", why);
    session->broken = true;
    return -EPROTO;
}

// One record or what is left of it. 0 at the end of the stream; -EAGAIN.
static ptrdiff_t read_record(struct tls_session *session, uint8_t *to, size_t len)
{
    if (session->ended || session->broken)
        return session->broken ? -EPROTO : 0;
    int result = mbedtls_ssl_read(&session->ssl, to, len);
    short needs = needed(result);
    session->read_needs = needs ? needs : PORT_POLL_IN;
    if (needs)
        return -EAGAIN;
    session->ended = result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ||
                     result == MBEDTLS_ERR_SSL_CONN_EOF || result == 0;
    if (session->ended)
        return 0;
    if (result < 0)
        return break_off(session, tls_library_reason(result));
    if (!tls_records_take(&session->records, to, (size_t)result,
                          mbedtls_ssl_get_bytes_avail(&session->ssl) > 0))
        return break_off(session, "a TLS record holds parts of two messages");
    return result;
}

static ptrdiff_t tls_read(struct connection_io *io, void *to, size_t len)
{
    size_t got = 0, most = len < READ_MAX ? len : READ_MAX;
    io->tls->drained = false;
    while (got < most) {
        ptrdiff_t n = read_record(io->tls, (uint8_t *)to + got, most - got);
        if (n <= 0)
            return got > 0 ? (ptrdiff_t)got : n; // told again by the next call
        got += (size_t)n;
    }
    return (ptrdiff_t)got;
}

// What may still be written in this turn.
static size_t write_budget(struct tls_session *session)
{
    if (session->write_turn != loop_now()) {
        session->write_turn = loop_now();
        session->written = 0;
    }
    return session->written < WRITE_MAX ? WRITE_MAX - session->written : 0;
}

// Writes one record of a message. A call that could not be finished is made again with the same
// bytes: its message stays the first of the queue.
static ptrdiff_t write_record(struct tls_session *session, const uint8_t *from, size_t len)
{
    if (write_budget(session) == 0)
        return -EAGAIN;
    int result = mbedtls_ssl_write(&session->ssl, from, len);
    short needs = needed(result);
    session->write_needs = needs ? needs : PORT_POLL_OUT;
    if (needs)
        return -EAGAIN;
    if (result < 0)
        return break_off(session, tls_library_reason(result));
    session->written += (size_t)result;
    return result;
}

static ptrdiff_t tls_write(struct connection_io *io, const struct port_span *spans, size_t count)
{
    ptrdiff_t sent = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t done = 0; done < spans[i].len;) {
            ptrdiff_t n =
                write_record(io->tls, (const uint8_t *)spans[i].at + done, spans[i].len - done);
            if (n < 0)
                return sent > 0 ? sent : n;
            done += (size_t)n;
            sent += n;
        }
    }
    return sent;
}

static short tls_polls(const struct connection_io *io, short wanted)
{
    short events = 0;
    if (wanted & PORT_POLL_IN)
        events |= io->tls ? io->tls->read_needs : PORT_POLL_IN;
    if (wanted & PORT_POLL_OUT)
        events |= io->tls ? io->tls->write_needs : PORT_POLL_OUT;
    return events;
}

static bool tls_pending(const struct connection_io *io)
{
    return io->tls && (io->tls->taken_at < io->tls->taken_end ||
                       mbedtls_ssl_get_bytes_avail(&io->tls->ssl) > 0);
}

// The peer is told of the end, if that can be done without waiting; so it knows that nothing was
// cut off.
static void tls_close(struct connection_io *io)
{
    if (io->tls) {
        if (tls_library_handshake_over(&io->tls->ssl))
            mbedtls_ssl_close_notify(&io->tls->ssl);
        end_session(io->tls);
    }
    io->tls = NULL;
    port_close(io->fd);
}

// ---- start and reload

static bool tls_start(const struct settings *chosen, struct error *err)
{
    struct tls_versions versions;
    settings = chosen;
    mbedtls_ssl_config_init(&established);
    if (!tls_library_start(err) ||
        !tls_priority_read(slice_of(chosen->tls_priority), &versions, err) ||
        !tls_credentials_load(chosen, err))
        return false;
    return tls_library_configure(&established, &versions) ||
           error_set(err, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR,
                     "Unable to allocate x509 credentials: out of memory, CONFIG_TLS_MEMORY");
}

static bool tls_reload(struct error *err)
{
    return tls_credentials_load(settings, err);
}

static void tls_read_ahead(void)
{
    tls_credentials_read_ahead(settings);
}

const struct transport transport_tls = {
    .name = "tls",
    .secure = true,
    .start = tls_start,
    .reload = tls_reload,
    .read_ahead = tls_read_ahead,
    .handshake = tls_handshake,
    .polls = tls_polls,
    .pending = tls_pending,
    .read = tls_read,
    .write = tls_write,
    .close = tls_close,
};
