// Messages of the domain name system (RFC 1035, section 4), as multicast DNS uses them.
//
// Whatever is read came from a network: every read is bounded, a compressed name can not lead
// forward or in circles, and what does not hold together ends the reading.
#ifndef MDNS_MDNS_MESSAGE_H
#define MDNS_MDNS_MESSAGE_H

#include "core/slice.h"

#define MDNS_RECEIVE_MAX 9000 // RFC 6762, section 17
#define MDNS_SEND_MAX    1440 // fits a frame of Ethernet over IPv6
#define MDNS_LABEL_MAX   63

enum mdns_type {
    MDNS_TYPE_A = 1,
    MDNS_TYPE_PTR = 12,
    MDNS_TYPE_TXT = 16,
    MDNS_TYPE_AAAA = 28,
    MDNS_TYPE_SRV = 33,
    MDNS_TYPE_ANY = 255,
};

#define MDNS_CLASS_IN     1
#define MDNS_CLASS_ANY    255
#define MDNS_CLASS_TOP    0x8000 // of a question: unicast wanted; of a record: flush the cache
#define MDNS_RESPONSE     0x8000 // flags of the header
#define MDNS_AUTHORITY    0x0400
#define MDNS_OPCODE_RCODE 0x780F
#define MDNS_TRUNCATED    0x0200

enum mdns_section { MDNS_QUESTIONS, MDNS_ANSWERS, MDNS_AUTHORITIES, MDNS_ADDITIONALS };

// Labels, each with its length in front, without the root's.
struct mdns_name {
    uint8_t len;
    uint8_t bytes[254];
};

// Appends a label of 1 to MDNS_LABEL_MAX bytes; false when it does not fit.
bool mdns_name_add(struct mdns_name *name, struct slice label);
bool mdns_name_same(const struct mdns_name *a, const struct mdns_name *b); // ASCII case alike

// ---- reading

struct mdns_reader {
    const uint8_t *packet;
    size_t len, at;
    uint16_t id, flags, counts[4]; // of the header
};

struct mdns_record {
    struct mdns_name name;
    uint16_t type, class;
    uint32_t ttl;          // seconds; a question has none, and no data
    size_t data, data_len; // in the packet
};

#define MDNS_DATA_MAX 300

bool mdns_read_header(struct mdns_reader *r, const void *packet, size_t len);
bool mdns_read_question(struct mdns_reader *r, struct mdns_record *question);
bool mdns_read_record(struct mdns_reader *r, struct mdns_record *record);
// The record's data with its name (PTR, SRV) written out; false when it is longer than
// MDNS_DATA_MAX.
bool mdns_read_data(const struct mdns_reader *r, const struct mdns_record *record,
                    uint8_t to[MDNS_DATA_MAX], size_t *len);

// ---- writing

struct mdns_writer {
    uint8_t packet[MDNS_SEND_MAX];
    size_t len;
    bool full;
    uint16_t counts[4];
    struct {
        const struct mdns_name *name;
        size_t at;
    } seen[8]; // names written before, which a pointer can stand for
    size_t seen_count;
};

void mdns_write_begin(struct mdns_writer *w, uint16_t id, uint16_t flags);
void mdns_write_u16(struct mdns_writer *w, uint16_t value);
void mdns_write_bytes(struct mdns_writer *w, const void *bytes, size_t len);
// Names must stay where they are until the end.
void mdns_write_name(struct mdns_writer *w, const struct mdns_name *name);
void mdns_write_question(struct mdns_writer *w, const struct mdns_name *name, uint16_t type,
                         uint16_t class);
// A record, in the order of the sections: begin, its data, end.
size_t mdns_record_begin(struct mdns_writer *w, enum mdns_section section,
                         const struct mdns_name *name, uint16_t type, uint16_t class, uint32_t ttl);
void mdns_record_end(struct mdns_writer *w, size_t begin);
bool mdns_write_end(struct mdns_writer *w); // false when it did not fit

#endif
