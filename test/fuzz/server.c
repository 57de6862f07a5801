// The daemon's server in this process, and a client that watches what it answers.
#include "server.h"

#include "admin/admin.h"
#include "auth/sasl.h"
#include "auth/users.h"
#include "core/child.h"
#include "core/log.h"
#include "core/paths.h"
#include "daemon/idle.h"
#include "hv/test/driver.h"
#include "net/transport.h"
#include "proto/admin.h"
#include "proto/keepalive.h"
#include "proto/message.h"
#include "proto/qemu.h"
#include "proto/remote.h"
#include "rpc/client.h"
#include "rpc/dispatch.h"
#include "virt/connection.h"
#include "virt/domain/definition.h"
#include "virt/handlers.h"

#include <errno.h>
#include <stdio.h>

#define SERIALS_MAX  256 // calls of one input that are watched
#define STREAM_MAX   (1 << 22)
#define TURNS_A_REST 400

// In the place of hv/hypervisors.c: QEMU's driver would look for emulators on this host.
const struct hypervisor *const hypervisors[] = {&test_hypervisor, NULL};

static const struct server_limits remote_limits = {.max_clients = CONFIG_MAX_CLIENTS,
                                                   .max_client_requests = 5,
                                                   .keepalive_interval = 5,
                                                   .keepalive_count = 5};
static struct server server = {.name = "libvirtd"};
static struct service remote_service = {
    .program = &remote_program,
    .handler = handlers_find_remote,
    .gate = connection_gate,
};
static struct service qemu_service = {
    .program = &qemu_program,
    .handler = handlers_find_qemu,
    .gate = connection_gate,
};

// ---- the daemon's own server

static const struct server_limits admin_limits = {.max_clients = 5, .max_client_requests = 5};
static struct server admin_server = {.name = "admin", .own_user_only = true};

// Outputs of the log are files anywhere, which an input is not to open; fuzz_log.c reads them.
static call_handler *find_admin_handler(uint32_t procedure)
{
    return procedure == ADMIN_PROC_CONNECT_SET_LOGGING_OUTPUTS ? NULL
                                                               : admin_find_handler(procedure);
}

static struct service admin_service = {.program = &admin_program, .handler = find_admin_handler};

// What a manager may change, as each input finds it.
static void restore_settings(void)
{
    struct error err = {0};
    server.limits = remote_limits;
    admin_server.limits = admin_limits;
    log_set_level(LOG_LEVEL_DEBUG); // what clients send is shown there, too
    if (!log_set_filters(SLICE(""), &err) || !log_set_outputs(SLICE("1:file:/dev/null"), &err))
        FUZZ_FAIL("%s", err.message);
    idle_set_timeout(0);
}

// ---- the client

// A call that was sent whole and has no reply yet. Serials may come twice.
struct sent_call {
    uint32_t prog, serial;
    int32_t proc;
    bool streams; // its reply was good and opens a stream: messages of the same serial may follow
    bool answered;
};

static struct {
    int fd;
    bool cut; // the server has ended the connection
    struct sent_call calls[SERIALS_MAX];
    unsigned call_count;
    bool all_seen; // no call went past `calls`
    uint8_t bytes[STREAM_MAX];
    size_t len;
} client;

static const struct xdr_program *program_of(uint32_t number)
{
    static const struct xdr_program *const programs[] = {&remote_program, &qemu_program,
                                                         &keepalive_program, &admin_program};
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        if (programs[i]->number == number)
            return programs[i];
    return NULL;
}

static void check_body(const struct xdr_type *type, const uint8_t *at, const uint8_t *end,
                       const char *what)
{
    static _Alignas(16) uint8_t value[4096];
    struct error err = {0};
    struct xdr_reader reader = {at, end};
    if (type && !xdr_decode(&reader, type, value, &err))
        FUZZ_FAIL("%s: %s", what, err.message);
    if (reader.at != reader.end)
        FUZZ_FAIL("%s: %zu bytes too many", what, (size_t)(reader.end - reader.at));
}

static void check_error(const uint8_t *at, const uint8_t *end)
{
    struct message_error body;
    struct error err = {0};
    struct xdr_reader reader = {at, end};
    if (!xdr_decode(&reader, XDR_TYPE(message_error), &body, &err))
        FUZZ_FAIL("an error reply: %s", err.message);
    FUZZ_CHECK(reader.at == reader.end && body.code > 0 && body.message.len > 0);
}

static struct sent_call *call_of(const struct message_header *header, bool answered)
{
    for (unsigned i = 0; i < client.call_count; i++) {
        struct sent_call *call = &client.calls[i];
        if (call->serial == header->serial && call->prog == header->prog &&
            call->proc == header->proc && call->answered == answered)
            return call;
    }
    return NULL;
}

static void check_reply(const struct message_header *header, const uint8_t *at, const uint8_t *end)
{
    struct sent_call *call = call_of(header, false);
    if (!call && client.all_seen)
        FUZZ_FAIL("a reply to nothing: procedure %d, serial %u", header->proc, header->serial);
    if (call)
        call->answered = true;
    if (header->status == VIR_NET_ERROR) {
        check_error(at, end);
        return;
    }
    FUZZ_CHECK(header->status == VIR_NET_OK);
    const struct xdr_program *program = program_of(header->prog);
    const struct xdr_procedure *procedure =
        program ? xdr_procedure_find(program, header->proc) : NULL;
    FUZZ_CHECK(procedure != NULL);
    check_body(xdr_procedure_result(procedure), at, end, xdr_procedure_name(procedure));
}

static void check_event(const struct message_header *header, const uint8_t *at, const uint8_t *end)
{
    const struct xdr_program *program = program_of(header->prog);
    const struct xdr_procedure *procedure =
        program ? xdr_procedure_find(program, header->proc) : NULL;
    FUZZ_CHECK(procedure && header->status == VIR_NET_OK);
    check_body(xdr_procedure_args(procedure), at, end, xdr_procedure_name(procedure));
}

static void check_message(const uint8_t *message, uint32_t length)
{
    struct message_header header = message_header_read(message);
    const uint8_t *at = message + MESSAGE_MIN, *end = message + length;
    switch (header.type) {
    case VIR_NET_REPLY:
        check_reply(&header, at, end);
        break;
    case VIR_NET_REPLY_WITH_FDS:
        FUZZ_CHECK(end - at >= 4);
        check_reply(&header, at + 4, end);
        break;
    case VIR_NET_MESSAGE:
        check_event(&header, at, end);
        break;
    case VIR_NET_STREAM:
    case VIR_NET_STREAM_HOLE:
        if (header.status == VIR_NET_ERROR)
            check_error(at, end);
        break;
    default:
        FUZZ_FAIL("a message of type %d", header.type);
    }
}

static void take_replies(void)
{
    size_t at = 0;
    while (client.len - at >= MESSAGE_MIN) {
        uint32_t length = xdr_load_u32(client.bytes + at);
        FUZZ_CHECK(length >= MESSAGE_MIN && length <= SLOT_LARGE_SIZE);
        if (client.len - at < length)
            break;
        check_message(client.bytes + at, length);
        at += length;
    }
    client.len -= at;
    memmove(client.bytes, client.bytes + at, client.len);
}

static bool receive(void)
{
    bool some = false;
    for (;;) {
        ptrdiff_t got =
            port_read(client.fd, client.bytes + client.len, sizeof(client.bytes) - client.len);
        if (got <= 0) {
            client.cut = client.cut || got != -EAGAIN;
            break;
        }
        client.len += (size_t)got;
        some = true;
        take_replies();
    }
    return some;
}

// ---- turns

static void turn(void)
{
    loop_turn(0);
    child_reap();
    fuzz_clock_advance(20000);
}

// Until nothing has happened for some turns.
static void rest(bool reading)
{
    unsigned quiet = 0;
    for (unsigned i = 0; i < TURNS_A_REST && quiet < 4; i++) {
        turn();
        quiet = reading && receive() ? 0 : quiet + 1;
    }
}

// Jobs, keepalive, log-ins and stalls have their limits of time.
static void let_time_pass(void)
{
    for (unsigned i = 0; i < 8; i++) {
        fuzz_clock_advance(9 * NS_PER_SEC);
        rest(true);
    }
}

// ---- sending

static void note_call(const uint8_t *message)
{
    struct message_header header = message_header_read(message);
    if (header.type != VIR_NET_CALL && header.type != VIR_NET_CALL_WITH_FDS)
        return;
    if (client.call_count == SERIALS_MAX) {
        client.all_seen = false;
        return;
    }
    client.calls[client.call_count++] =
        (struct sent_call){.prog = header.prog, .serial = header.serial, .proc = header.proc};
}

static bool send_some(const char *at, size_t len, bool reading)
{
    unsigned stuck = 0;
    while (len > 0 && stuck < 50) {
        ptrdiff_t put = port_write(client.fd, at, len);
        if (put > 0) {
            at += put;
            len -= (size_t)put;
        } else if (put != -EAGAIN) {
            return false;
        }
        stuck = put > 0 ? 0 : stuck + 1;
        turn();
        if (reading)
            receive();
    }
    return len == 0;
}

// One descriptor behind a message, with the byte that stands for it.
static bool send_descriptor(void)
{
    int ends[2];
    FUZZ_CHECK(port_pipe(ends) == 0);
    ptrdiff_t put = port_send_fds(client.fd, "", 1, ends, 1);
    port_close(ends[0]);
    port_close(ends[1]);
    turn();
    return put == 1;
}

static uint32_t descriptors_after(const uint8_t *message, uint32_t length)
{
    if (message_header_read(message).type != VIR_NET_CALL_WITH_FDS || length < MESSAGE_MIN + 4)
        return 0;
    uint32_t count = xdr_load_u32(message + MESSAGE_MIN);
    return count <= SLOT_FDS_MAX ? count : 0;
}

static bool send_piece(struct slice piece, unsigned manner)
{
    bool reading = !(manner & SERVER_IN_A_RUSH);
    size_t step = manner & SERVER_BIT_BY_BIT ? 1 + piece.len / 7 : piece.len;
    while (piece.len > 0) {
        struct slice part = fuzz_take(&piece, step);
        if (!send_some(part.at, part.len, reading))
            return false;
    }
    return true;
}

// Message by message, so that the descriptors of each come in their place.
static void send_all(struct slice bytes, unsigned manner)
{
    while (bytes.len > 0) {
        const uint8_t *message = (const uint8_t *)bytes.at;
        uint32_t length = bytes.len >= MESSAGE_MIN ? xdr_load_u32(message) : 0;
        bool whole = length >= MESSAGE_MIN && length <= bytes.len;
        uint32_t fds = whole ? descriptors_after(message, length) : 0;
        if (whole || length > SLOT_LARGE_SIZE) // one that is too long is refused as it begins
            note_call(message);
        if (!send_piece(fuzz_take(&bytes, whole ? length : bytes.len), manner))
            return;
        while (fds-- > 0)
            if (!send_descriptor())
                return;
        if (manner & SERVER_LATER)
            fuzz_clock_advance(60 * NS_PER_SEC);
    }
}

// ---- a whole input

static void connect_client(bool read_only, enum server_peer peer)
{
    int ends[2];
    FUZZ_CHECK(port_socket_pair(ends) == 0);
    struct port_peer who = {.family = PORT_UNIX, .has_credentials = true, .uid = port_uid()};
    client.fd = ends[0];
    client.cut = false;
    client.call_count = 0;
    client.all_seen = true;
    client.len = 0;
    const struct admission admission = {.server = peer == SERVER_ADMIN ? &admin_server : &server,
                                        .transport = &transport_unix,
                                        .auth = peer == SERVER_STRANGER ? AUTH_SASL : AUTH_NONE,
                                        .read_only = read_only};
    FUZZ_CHECK(client_add(ends[1], &admission, &who) != NULL);
}

static void put_open_args(struct xdr_writer *writer, enum server_peer peer)
{
    const struct remote_connect_open_args args = {.name = SLICE("test:///default")};
    const struct admin_connect_open_args admin_args = {.flags = 0};
    if (peer == SERVER_ADMIN)
        xdr_encode(writer, XDR_TYPE(admin_connect_open_args), &admin_args);
    else
        xdr_encode(writer, XDR_TYPE(remote_connect_open_args), &args);
}

static void open_connection(enum server_peer peer)
{
    uint8_t call[64];
    const struct xdr_program *program = peer == SERVER_ADMIN ? &admin_program : &remote_program;
    struct error err = {0};
    struct xdr_writer writer = xdr_writer_over(call, sizeof(call), &err);
    const uint32_t head[] = {0,
                             program->number,
                             program->version,
                             REMOTE_PROC_CONNECT_OPEN, // and ADMIN_PROC_CONNECT_OPEN
                             VIR_NET_CALL,
                             0,
                             VIR_NET_OK};
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        xdr_put_u32(&writer, head[i]);
    put_open_args(&writer, peer);
    FUZZ_CHECK(!writer.failed);
    xdr_store_u32(call, (uint32_t)writer.len);
    send_all((struct slice){(const char *)call, writer.len}, 0);
}

static void check_all_answered(void)
{
    for (unsigned i = 0; i < client.call_count; i++)
        if (!client.calls[i].answered)
            FUZZ_FAIL("no reply to call %u: procedure %d, serial %u", i, client.calls[i].proc,
                      client.calls[i].serial);
}

// What a start would find on disk is what the table says.
static void check_files(void)
{
    struct domain *domain = NULL;
    while ((domain = domain_next(&test_hypervisor, domain))) {
        struct error err = {0};
        uint8_t uuid[16];
        enum definition which = domain->persistent ? DEFINITION_PERSISTENT : DEFINITION_LIVE;
        struct xml_node *tree = definition_tree(domain, which, &err);
        if (!tree)
            FUZZ_FAIL("the definition of '%s' is lost: %s", domain->name, err.message);
        FUZZ_SAME(xml_text_at(tree, "name"), slice_of(domain->name));
        FUZZ_CHECK(domain_uuid_parse(xml_text_at(tree, "uuid"), uuid));
        FUZZ_CHECK(memcmp(uuid, domain->uuid, sizeof(uuid)) == 0);
    }
}

static void disconnect_client(void)
{
    port_close(client.fd);
    rest(false);
    fuzz_clock_advance(120 * NS_PER_SEC);
    rest(false);
    FUZZ_CHECK(client_count() == 0);
    FUZZ_CHECK(slot_small_free() == CONFIG_SMALL_SLOTS);
    FUZZ_CHECK(slot_large_free() == CONFIG_LARGE_SLOTS);
    FUZZ_CHECK(domain_next(&test_hypervisor, NULL) == NULL);
}

// So that a log-in can come as far as its proof.
static const char one_user[] =
    "user:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n";

void server_start(void)
{
    static char users[256];
    struct error err = {0};
    char empty[128];
    if (!paths_choose(fuzz_directory(), false, &err) || !test_hypervisor.initialize(&err))
        FUZZ_FAIL("%s", err.message);
    snprintf(empty, sizeof(empty), "%s/host", fuzz_directory());
    FUZZ_CHECK(port_make_directories(empty, 0700) == 0);
    port_host_root(empty); // a host without a description
    snprintf(users, sizeof(users), "%s/users", fuzz_directory());
    fuzz_file_write(users, SLICE(one_user));
    users_set_file(users);
    sasl_configure(NULL);
    connection_init();
    server_add(&server);
    dispatch_serve(&server, &remote_service);
    dispatch_serve(&server, &qemu_service);
    server_add(&admin_server);
    dispatch_serve(&admin_server, &admin_service);
}

void server_serve(struct slice bytes, unsigned manner, enum server_peer peer)
{
    restore_settings();
    connect_client(manner & SERVER_READ_ONLY, peer);
    if (peer != SERVER_STRANGER && (manner & SERVER_OPENED))
        open_connection(peer);
    send_all(bytes, manner);
    if (!(manner & SERVER_HANGS_UP)) {
        rest(true);
        let_time_pass();
        check_files();
        if (!client.cut)
            check_all_answered();
    }
    disconnect_client();
}
