// The whole daemon under a seed: what the files of these runs share.
//
// A run is several lives of one daemon on one simulated machine. In each life clients make calls as
// a script of chance has it, under a weather of faults; then it is looked at what is there, and
// whether everything has been given back; or the power goes before that. All state lies in the
// memory that outlives a life.
#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H

#include "port/sim/sim.h"
#include "proto/message.h"
#include "proto/remote.h"
#include "rpc/xdr.h"

#define CLIENTS           9 // the first is the auditor
#define CALLS_A_CLIENT    8
#define DISPLAYS_A_CLIENT 3
#define STREAMS_A_CLIENT  (CONFIG_MAX_STREAMS + 1)
#define NAMES             10  // of domains of a driver; the last is nobody's concern
#define OPERATIONS        512 // on definitions, between two audits
#define INPUT_SIZE        (1u << 19)
#define OUTPUT_SIZE       (1u << 17)
#define ANSWER_LIMIT_NS   (400 * SIM_NS_PER_S)

// What has names and definitions: the domains of two drivers, and the storage pools.
enum driver { DRIVER_TEST, DRIVER_QEMU, DRIVERS, POOLS = DRIVERS };

// ---- definitions: what may be there (model.c) ---------------------------------------------------

enum outcome { OPEN, DONE, FAILED, LOST };

// A definition made (a version) or taken away (version 0), by a call.
struct operation {
    bool used;
    enum driver driver;
    int name;
    uint32_t version;
    uint64_t sent, replied; // numbers in the order of things; SIM_NEVER while nobody knows
    enum outcome outcome;
    bool buried; // an audit has found something else; it may come back when the power goes
};

// What events have told of a domain.
struct guest_view {
    bool there, persistent;
    int state;    // VIR_DOMAIN_*
    bool changed; // by an event since it was looked at
};

struct model {
    struct operation operations[OPERATIONS];
    uint32_t versions;  // given out
    bool power_was_cut; // before this life
    uint64_t order;
    struct guest_view views[DRIVERS][NAMES];
};

// ---- clients (client.c) -------------------------------------------------------------------------

enum manner {
    POLITE,
    SLOW,   // reads little, and late
    SILENT, // stops to read for a while
    RUDE,   // leaves when it likes
    NOISY,  // sends what is no message
    LAZY,   // stops in the middle of a message
    MANNERS
};

struct client;
struct sent_call;

// A kind of call: builds its arguments, and looks at what comes back.
struct call_kind {
    const struct xdr_program *program; // NULL: the remote one
    int32_t procedure;                 // 0: `build` chooses one
    unsigned weight;
    void (*build)(struct client *client, struct sent_call *call, struct xdr_writer *w);
    void (*done)(struct client *client, struct sent_call *call, const uint8_t *body, size_t len);
    void (*failed)(struct client *client, struct sent_call *call, const struct message_error *why);
    uint64_t limit; // ns until the answer; 0: ANSWER_LIMIT_NS
    bool quick;     // nothing has to be waited for
    bool guests;    // it is about a guest that runs, if any does
    bool pools;     // it is about a storage pool: mostly the one that is there already
    bool qemu_only; // the test driver has nothing like it
};

struct sent_call {
    bool used;
    uint32_t serial;
    int32_t procedure;
    const struct call_kind *kind;
    int name;
    int operation; // in the model; -1
    uint64_t sent_at;
    unsigned overtaken; // by calls that were sent later, and answered
};

struct client_stream {
    bool used, at_end; // at_end: the daemon has nothing more
    uint32_t serial;
    int32_t procedure;
    char heard;     // the last byte; 0: none
    uint32_t typed; // bytes
    uint64_t ending_since;
};

// A socket to a guest's display.
struct display {
    int handle; // -1: not open
    int name;   // of the guest
    char text[32];
    size_t len;
};

struct client {
    struct sim_actor actor; // first
    int index;
    int handle; // -1: not connected
    enum driver driver;
    enum manner manner;
    bool opened, leaving, done, spoiled;
    unsigned budget, connections; // calls, and connections, still to be made
    uint32_t serial;
    struct sent_call calls[CALLS_A_CLIENT];
    struct client_stream streams[STREAMS_A_CLIENT];
    struct display displays[DISPLAYS_A_CLIENT];
    bool network;        // it came over TCP
    int passenger;       // a handle that goes with the last byte queued up to passenger_at; -1
    size_t passenger_at; // in the output
    int arrived;         // a handle that came with the reply at hand; -1
    uint64_t read_again, progress_at;
    uint32_t callbacks; // registered
    size_t output_len, output_done, input_len;
    uint8_t *output, *input; // of OUTPUT_SIZE, INPUT_SIZE
};

void client_start(struct client *client, unsigned budget, unsigned connections, enum manner manner,
                  enum driver driver);
void client_drop(struct client *client);  // at once: the daemon is gone
void client_leave(struct client *client); // as soon as its calls are answered
bool client_connected(const struct client *client);
unsigned client_outstanding(const struct client *client);
// Queues a call; false when there is no room for one more.
bool client_call(struct client *client, const struct call_kind *kind, int name);
// Queues a message of a stream; false likewise.
bool client_stream_send(struct client *client, const struct client_stream *stream, int32_t type,
                        int32_t status, const void *body, size_t len);

// ---- calls (calls.c) ----------------------------------------------------------------------------

const struct call_kind *call_random(enum driver driver, bool quick);
const struct call_kind *call_open(void);
const char *driver_uri(enum driver driver);
void name_of(enum driver driver, int name, char to[16]);
void uuid_of(enum driver driver, int name, uint8_t to[16]);
void put_uuid(struct buffer *to, enum driver driver, int name);
struct remote_nonnull_domain domain_of(enum driver driver, int name);
int name_number(enum driver driver, struct slice name); // -1
void event_arrived(struct client *client, const struct message_header *header, const uint8_t *body,
                   size_t len);
bool decode(const struct xdr_type *type, const uint8_t *body, size_t len, void *into);

// ---- the model (model.c) ------------------------------------------------------------------------

void model_restart(bool power_was_cut); // the daemon has started again
int model_begin(enum driver driver, int name, uint32_t version);
void model_end(int operation, enum outcome outcome);
uint32_t model_new_version(void);
// The text that a version's definition carries, and which version a text belongs to (0: none, or
// not whole).
void model_mark(uint32_t version, struct buffer *to);
uint32_t model_version(struct slice xml);
// What an audit has found: 0 for absent. Fails the run when that can not be.
void model_found(enum driver driver, int name, uint32_t version);
// A name of the driver's: of a domain that is there, or of one that runs, if there is any.
int model_domain(enum driver driver, bool running);
void model_event(enum driver driver, int name, int event, int detail);

// ---- the audit (audit.c) ------------------------------------------------------------------------

struct audit {
    bool running, first;
    enum driver driver;
    int next; // name that is looked at
    bool listed[NAMES], active[NAMES];
};

void audit_begin(enum driver driver, bool first); // with the auditor's connection
void audit_destroy(void);                         // ends every guest, and then looks again
bool audit_done(void);
void audit_end(void); // everything has been looked at

// ---- streams (streams.c) ------------------------------------------------------------------------

#define STREAM_KINDS 3
extern const struct call_kind stream_kinds[STREAM_KINDS];
void stream_opened(struct client *client, const struct sent_call *call);
void stream_message(struct client *client, const struct message_header *header, const uint8_t *body,
                    size_t len);
void streams_step(struct client *client);
void streams_forget(struct client *client);
unsigned streams_open(const struct client *client);
bool streams_in_the_way(const struct client *client);

// ---- guests (guests.c) --------------------------------------------------------------------------

#define GUEST_KINDS 12
extern const struct call_kind guest_kinds[GUEST_KINDS];
// A place for a socket to the display of that guest; NULL when there is none.
struct display *display_new(struct client *client, int name);
void displays_step(struct client *client);
void displays_close(struct client *client);
void displays_forget(struct client *client); // they are none of this machine

// ---- storage pools (pools.c) --------------------------------------------------------------------

#define VOLUMES    3 // of a pool
#define POOL_KINDS 11
extern const struct call_kind pool_kinds[POOL_KINDS];
void pools_put(void); // a pool that is there before the daemon; it is nobody's concern
void pools_audit(struct client *auditor); // calls audit_end()
void volume_path(int pool, int volume, char to[64]);

// ---- the run (run.c) ----------------------------------------------------------------------------

enum phase { BOOT, FIRST_AUDIT, SCRIPT, SETTLE, LAST_AUDIT, REST, STOP };

struct world {
    struct sim_actor director; // first
    enum phase phase;
    uint64_t phase_began;
    enum driver auditing;
    bool booted;
    bool keep_guests;                      // at the end of this life
    unsigned descriptors, watches, timers; // of a daemon that does nothing
    struct sim_weather stormy;
    bool cleared, crowd;
    unsigned lives; // begun
    bool network;   // the daemon listens at TCP ports, too
    unsigned vices; // of 1000 emulators
    enum sim_end last_end;
    enum sim_end crash;  // that is still to be set for this life; SIM_ENDED: none
    uint64_t crash_call; // of the script, in a run that is about this crash; 0
    uint64_t quiet_since;
    struct model model;
    struct audit audit;
    struct client clients[CLIENTS];
    uint8_t input[CLIENTS][INPUT_SIZE], output[CLIENTS][OUTPUT_SIZE];
};

extern struct world *world;

#endif
