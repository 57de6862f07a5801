// Messages of the domain name system (RFC 1035, section 4), as multicast DNS uses them.
#include "mdns/mdns_message.h"

#include <string.h>

#define HEADER_LEN 12
#define JUMPS_MAX  16 // pointers that may follow each other in one name

// ---- names

bool mdns_name_add(struct mdns_name *name, struct slice label)
{
    if (label.len == 0 || label.len > MDNS_LABEL_MAX ||
        name->len + 1 + label.len > sizeof(name->bytes))
        return false;
    name->bytes[name->len] = (uint8_t)label.len;
    memcpy(name->bytes + name->len + 1, label.at, label.len);
    name->len = (uint8_t)(name->len + 1 + label.len);
    return true;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

// Lengths of labels are below 'A', so they may be treated as characters.
bool mdns_name_same(const struct mdns_name *a, const struct mdns_name *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (lower(a->bytes[i]) != lower(b->bytes[i]))
            return false;
    return true;
}

// ---- reading

static bool read_u16(struct mdns_reader *r, uint16_t *value)
{
    if (r->len - r->at < 2)
        return false;
    *value = (uint16_t)(r->packet[r->at] << 8 | r->packet[r->at + 1]);
    r->at += 2;
    return true;
}

bool mdns_read_header(struct mdns_reader *r, const void *packet, size_t len)
{
    *r = (struct mdns_reader){.packet = packet, .len = len};
    return read_u16(r, &r->id) && read_u16(r, &r->flags) && read_u16(r, &r->counts[0]) &&
           read_u16(r, &r->counts[1]) && read_u16(r, &r->counts[2]) && read_u16(r, &r->counts[3]);
}

// Section 4.1.4. Every pointer leads to before the place where the part that holds it began.
static bool read_name(struct mdns_reader *r, struct mdns_name *name)
{
    size_t at = r->at, part = r->at, jumps = 0;
    name->len = 0;
    while (at < r->len && r->packet[at] != 0) {
        uint8_t len = r->packet[at];
        if (len > MDNS_LABEL_MAX) {
            if (len < 0xC0 || r->len - at < 2 || ++jumps > JUMPS_MAX)
                return false;
            if (jumps == 1)
                r->at = at + 2;
            at = (size_t)(len & 0x3F) << 8 | r->packet[at + 1];
            if (at < HEADER_LEN || at >= part)
                return false;
            part = at;
            continue;
        }
        const char *label = (const char *)r->packet + at + 1;
        if (r->len - at <= len || !mdns_name_add(name, (struct slice){label, len}))
            return false;
        at += (size_t)len + 1;
    }
    if (at >= r->len)
        return false;
    if (jumps == 0)
        r->at = at + 1;
    return true;
}

bool mdns_read_question(struct mdns_reader *r, struct mdns_record *question)
{
    question->ttl = 0;
    question->data = question->data_len = 0;
    return read_name(r, &question->name) && read_u16(r, &question->type) &&
           read_u16(r, &question->class);
}

bool mdns_read_record(struct mdns_reader *r, struct mdns_record *record)
{
    uint16_t high, low, len;
    if (!mdns_read_question(r, record) || !read_u16(r, &high) || !read_u16(r, &low) ||
        !read_u16(r, &len) || r->len - r->at < len)
        return false;
    record->ttl = (uint32_t)high << 16 | low;
    record->data = r->at;
    record->data_len = len;
    r->at += len;
    return true;
}

bool mdns_read_data(const struct mdns_reader *r, const struct mdns_record *record,
                    uint8_t to[MDNS_DATA_MAX], size_t *len)
{
    bool has_name = record->type == MDNS_TYPE_PTR || record->type == MDNS_TYPE_SRV;
    size_t plain = has_name ? (record->type == MDNS_TYPE_SRV ? 6 : 0) : record->data_len;
    if (plain > MDNS_DATA_MAX || plain > record->data_len)
        return false;
    memcpy(to, r->packet + record->data, plain);
    *len = plain;
    if (!has_name)
        return true;
    struct mdns_reader inner = *r;
    struct mdns_name name;
    inner.at = record->data + plain;
    inner.len = record->data + record->data_len;
    if (!read_name(&inner, &name) || inner.at != inner.len)
        return false;
    memcpy(to + plain, name.bytes, name.len);
    to[plain + name.len] = 0;
    *len = plain + name.len + 1;
    return true;
}

// ---- writing

void mdns_write_bytes(struct mdns_writer *w, const void *bytes, size_t len)
{
    if (w->full || sizeof(w->packet) - w->len < len) {
        w->full = true;
        return;
    }
    memcpy(w->packet + w->len, bytes, len);
    w->len += len;
}

void mdns_write_u16(struct mdns_writer *w, uint16_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    mdns_write_bytes(w, bytes, sizeof(bytes));
}

void mdns_write_begin(struct mdns_writer *w, uint16_t id, uint16_t flags)
{
    w->len = w->seen_count = 0;
    w->full = false;
    memset(w->counts, 0, sizeof(w->counts));
    mdns_write_u16(w, id);
    mdns_write_u16(w, flags);
    mdns_write_bytes(w, w->counts, sizeof(w->counts)); // their place
}

void mdns_write_name(struct mdns_writer *w, const struct mdns_name *name)
{
    for (size_t i = 0; i < w->seen_count; i++) {
        if (w->seen[i].name == name) {
            mdns_write_u16(w, (uint16_t)(0xC000 | w->seen[i].at));
            return;
        }
    }
    if (w->seen_count < sizeof(w->seen) / sizeof(w->seen[0])) {
        w->seen[w->seen_count].name = name;
        w->seen[w->seen_count++].at = w->len;
    }
    mdns_write_bytes(w, name->bytes, name->len);
    mdns_write_bytes(w, "", 1);
}

static void write_head(struct mdns_writer *w, enum mdns_section section,
                       const struct mdns_name *name, uint16_t type, uint16_t class)
{
    w->counts[section]++;
    mdns_write_name(w, name);
    mdns_write_u16(w, type);
    mdns_write_u16(w, class);
}

void mdns_write_question(struct mdns_writer *w, const struct mdns_name *name, uint16_t type,
                         uint16_t class)
{
    write_head(w, MDNS_QUESTIONS, name, type, class);
}

size_t mdns_record_begin(struct mdns_writer *w, enum mdns_section section,
                         const struct mdns_name *name, uint16_t type, uint16_t class, uint32_t ttl)
{
    write_head(w, section, name, type, class);
    mdns_write_u16(w, (uint16_t)(ttl >> 16));
    mdns_write_u16(w, (uint16_t)ttl);
    mdns_write_u16(w, 0); // the length's place
    return w->len;
}

static void store_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void mdns_record_end(struct mdns_writer *w, size_t begin)
{
    if (!w->full)
        store_u16(w->packet + begin - 2, w->len - begin);
}

bool mdns_write_end(struct mdns_writer *w)
{
    for (size_t i = 0; i < 4; i++)
        store_u16(w->packet + 4 + 2 * i, w->counts[i]);
    return !w->full;
}
