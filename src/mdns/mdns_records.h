// The records that announce us (RFC 6763), and what a packet means for them (RFC 6762). Nothing
// here sends or waits.
#ifndef MDNS_MDNS_RECORDS_H
#define MDNS_MDNS_RECORDS_H

#include "core/config.h"
#include "mdns/mdns_message.h"
#include "port/port.h"

// Sets of records with one name and type; as bits of `sets` below.
enum mdns_set {
    MDNS_SERVICES, // PTR _services._dns-sd._udp.local: which types of services there are
    MDNS_POINTER,  // PTR _libvirt._tcp.local: who is of that type
    MDNS_SERVICE,  // SRV of our instance: host and port
    MDNS_TEXT,     // TXT of our instance: empty
    MDNS_IPV4,     // A of our host
    MDNS_IPV6,     // AAAA of our host
    MDNS_SETS
};
#define MDNS_BIT(set)    (1u << (set))
#define MDNS_OF_INSTANCE (MDNS_BIT(MDNS_SERVICE) | MDNS_BIT(MDNS_TEXT))
#define MDNS_OF_HOST     (MDNS_BIT(MDNS_IPV4) | MDNS_BIT(MDNS_IPV6))
#define MDNS_SHARED      (MDNS_BIT(MDNS_SERVICES) | MDNS_BIT(MDNS_POINTER))
#define MDNS_EVERYTHING  (MDNS_BIT(MDNS_SETS) - 1)

struct mdns_self {
    struct mdns_name services, type, instance, host;
    uint16_t port;
    bool host_is_ours; // nobody else on this machine answers for the host's name
    struct port_interface_address addresses[CONFIG_MDNS_ADDRESSES];
    size_t address_count;
};

// Sets the names: the instance's label and the host's are cut to 63 bytes, the first before
// " #NUMBER" and the second before "-NUMBER" when those are above 1.
void mdns_self_name(struct mdns_self *self, struct slice instance, unsigned instance_number,
                    struct slice host, unsigned host_number);

// What a packet says to us.
struct mdns_finding {
    bool is_query;
    bool truncated;             // more known answers follow
    bool is_probe;              // somebody is about to take a name: he must hear of it at once
    unsigned wanted;            // sets that are asked for by multicast
    unsigned wanted_direct;     // sets that are asked for to be sent to the asker alone
    unsigned known;             // sets that the asker has already
    struct mdns_record first;   // the first question that we answer
    uint16_t id;                // of the packet
    bool instance_taken;        // somebody has other data under our instance's name
    bool instance_probed_later; // somebody else wants the name too, and his data sort after ours
    bool host_answered;         // somebody answers for our host's name ...
    bool host_differs;          // ... with an address that is not of this machine
    bool host_left;             // somebody withdraws an address of our host's name
    bool host_probed;           // somebody is about to take our host's name
};

// False when the packet is none that one answers or learns from.
bool mdns_examine(const struct mdns_self *self, const void *packet, size_t len,
                  struct mdns_finding *finding);

enum mdns_purpose { MDNS_ANSWER, MDNS_GOODBYE, MDNS_LEGACY_ANSWER };

// A response with these sets, and further ones that go with them; addresses are those of the
// interface. `legacy` is the question and the id that a simple resolver wants back (section 6.7).
// False when there is nothing to say.
bool mdns_make_response(const struct mdns_self *self, struct mdns_writer *w, unsigned sets,
                        unsigned interface, enum mdns_purpose purpose, uint16_t id,
                        const struct mdns_record *legacy);
// A probe (section 8.1), for the host's name too with `host`.
bool mdns_make_probe(const struct mdns_self *self, struct mdns_writer *w, unsigned interface,
                     bool host);

#endif
