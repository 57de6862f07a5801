// The records that announce us: writing them, and recognizing them in what others send.
#include "mdns/mdns_records.h"

#include <stdio.h>
#include <string.h>

#define TTL_HOST   120u // seconds, RFC 6762, section 10
#define TTL_OTHER  4500u
#define TTL_LEGACY 10u

static const uint16_t set_types[MDNS_SETS] = {
    [MDNS_SERVICES] = MDNS_TYPE_PTR, [MDNS_POINTER] = MDNS_TYPE_PTR, [MDNS_SERVICE] = MDNS_TYPE_SRV,
    [MDNS_TEXT] = MDNS_TYPE_TXT,     [MDNS_IPV4] = MDNS_TYPE_A,      [MDNS_IPV6] = MDNS_TYPE_AAAA,
};

static const struct mdns_name *set_name(const struct mdns_self *self, unsigned set)
{
    const struct mdns_name *const names[MDNS_SETS] = {
        [MDNS_SERVICES] = &self->services, [MDNS_POINTER] = &self->type,
        [MDNS_SERVICE] = &self->instance,  [MDNS_TEXT] = &self->instance,
        [MDNS_IPV4] = &self->host,         [MDNS_IPV6] = &self->host,
    };
    return names[set];
}

static uint32_t set_ttl(unsigned set)
{
    return MDNS_BIT(set) & (MDNS_OF_HOST | MDNS_BIT(MDNS_SERVICE)) ? TTL_HOST : TTL_OTHER;
}

// ---- names

// A label of `text` and, from 2 on, a number; the text is cut between characters of UTF-8.
static void add_numbered(struct mdns_name *name, struct slice text, const char *format,
                         unsigned number)
{
    char label[MDNS_LABEL_MAX + 16], suffix[16] = "";
    if (number > 1)
        snprintf(suffix, sizeof(suffix), format, number);
    size_t room = MDNS_LABEL_MAX - strlen(suffix), len = text.len < room ? text.len : room;
    while (len > 0 && len < text.len && ((uint8_t)text.at[len] & 0xC0) == 0x80)
        len--;
    snprintf(label, sizeof(label), "%.*s%s", (int)len, text.at, suffix);
    mdns_name_add(name, slice_of(label));
}

static void add_labels(struct mdns_name *name, const char *dotted)
{
    struct slice rest = slice_of(dotted), label;
    while (slice_split(&rest, '.', &label))
        mdns_name_add(name, label);
}

void mdns_self_name(struct mdns_self *self, struct slice instance, unsigned instance_number,
                    struct slice host, unsigned host_number)
{
    self->services.len = self->type.len = self->instance.len = self->host.len = 0;
    add_labels(&self->services, "_services._dns-sd._udp.local");
    add_labels(&self->type, "_libvirt._tcp.local");
    add_numbered(&self->instance, instance, " #%u", instance_number);
    add_labels(&self->instance, "_libvirt._tcp.local");
    add_numbered(&self->host, host, "-%u", host_number);
    add_labels(&self->host, "local");
}

// ---- writing

struct writing {
    const struct mdns_self *self;
    struct mdns_writer *w;
    unsigned interface;
    enum mdns_section section;
    enum mdns_purpose purpose;
};

static size_t begin(const struct writing *to, unsigned set)
{
    // Nobody's cache is flushed by a proposal, by what many share, or by what only one hears.
    bool flush = to->section != MDNS_AUTHORITIES && !(MDNS_BIT(set) & MDNS_SHARED) &&
                 to->purpose != MDNS_LEGACY_ANSWER;
    uint32_t ttl = to->purpose == MDNS_GOODBYE         ? 0
                   : to->purpose == MDNS_LEGACY_ANSWER ? TTL_LEGACY
                                                       : set_ttl(set);
    return mdns_record_begin(to->w, to->section, set_name(to->self, set), set_types[set],
                             (uint16_t)(MDNS_CLASS_IN | (flush ? MDNS_CLASS_TOP : 0)), ttl);
}

static void write_addresses(const struct writing *to, unsigned set)
{
    enum port_family family = set == MDNS_IPV4 ? PORT_IPV4 : PORT_IPV6;
    for (size_t i = 0; i < to->self->address_count; i++) {
        const struct port_interface_address *address = &to->self->addresses[i];
        if (address->family != family || address->interface != to->interface)
            continue;
        size_t at = begin(to, set);
        mdns_write_bytes(to->w, address->bytes, family == PORT_IPV4 ? 4 : 16);
        mdns_record_end(to->w, at);
    }
}

static void write_set(const struct writing *to, unsigned set)
{
    if (MDNS_BIT(set) & MDNS_OF_HOST) {
        write_addresses(to, set);
        return;
    }
    size_t at = begin(to, set);
    switch (set) {
    case MDNS_SERVICES:
        mdns_write_name(to->w, &to->self->type);
        break;
    case MDNS_POINTER:
        mdns_write_name(to->w, &to->self->instance);
        break;
    case MDNS_SERVICE:
        mdns_write_u16(to->w, 0); // priority
        mdns_write_u16(to->w, 0); // weight
        mdns_write_u16(to->w, to->self->port);
        mdns_write_name(to->w, &to->self->host);
        break;
    default:
        mdns_write_bytes(to->w, "", 1); // one empty string (RFC 6763, section 6.1)
        break;
    }
    mdns_record_end(to->w, at);
}

static void write_sets(const struct writing *to, unsigned sets)
{
    for (unsigned set = 0; set < MDNS_SETS; set++)
        if (sets & MDNS_BIT(set))
            write_set(to, set);
}

// RFC 6763, section 12.
static unsigned companions(unsigned sets)
{
    unsigned more = 0;
    if (sets & MDNS_BIT(MDNS_POINTER))
        more |= MDNS_OF_INSTANCE | MDNS_OF_HOST;
    if (sets & MDNS_BIT(MDNS_SERVICE))
        more |= MDNS_OF_HOST;
    return more & ~sets;
}

bool mdns_make_response(const struct mdns_self *self, struct mdns_writer *w, unsigned sets,
                        unsigned interface, enum mdns_purpose purpose, uint16_t id,
                        const struct mdns_record *legacy)
{
    unsigned ours = self->host_is_ours ? MDNS_EVERYTHING : MDNS_EVERYTHING & ~MDNS_OF_HOST;
    struct writing to = {self, w, interface, MDNS_ANSWERS, purpose};
    sets &= ours;
    if (!sets)
        return false;
    mdns_write_begin(w, id, MDNS_RESPONSE | MDNS_AUTHORITY);
    if (legacy)
        mdns_write_question(w, &legacy->name, legacy->type,
                            (uint16_t)(legacy->class & ~MDNS_CLASS_TOP));
    write_sets(&to, sets);
    bool something = w->counts[MDNS_ANSWERS] > 0;
    to.section = MDNS_ADDITIONALS;
    if (purpose != MDNS_GOODBYE)
        write_sets(&to, companions(sets) & ours);
    return mdns_write_end(w) && something;
}

bool mdns_make_probe(const struct mdns_self *self, struct mdns_writer *w, unsigned interface,
                     bool host)
{
    struct writing to = {self, w, interface, MDNS_AUTHORITIES, MDNS_ANSWER};
    mdns_write_begin(w, 0, 0);
    mdns_write_question(w, &self->instance, MDNS_TYPE_ANY, MDNS_CLASS_IN);
    if (host)
        mdns_write_question(w, &self->host, MDNS_TYPE_ANY, MDNS_CLASS_IN);
    write_sets(&to, MDNS_OF_INSTANCE | (host ? MDNS_OF_HOST : 0));
    return mdns_write_end(w);
}

// ---- recognizing

static unsigned sets_asked(const struct mdns_self *self, const struct mdns_record *question)
{
    unsigned sets = 0, class = question->class & ~(unsigned)MDNS_CLASS_TOP;
    if (class != MDNS_CLASS_IN && class != MDNS_CLASS_ANY)
        return 0;
    for (unsigned set = 0; set < MDNS_SETS; set++)
        if ((question->type == set_types[set] || question->type == MDNS_TYPE_ANY) &&
            mdns_name_same(&question->name, set_name(self, set)))
            sets |= MDNS_BIT(set);
    return self->host_is_ours ? sets : sets & ~MDNS_OF_HOST;
}

// The set that a record has name and type of; MDNS_SETS when it is none of ours.
static unsigned set_of(const struct mdns_self *self, const struct mdns_record *record)
{
    unsigned set = 0;
    if ((record->class & ~MDNS_CLASS_TOP) != MDNS_CLASS_IN)
        return MDNS_SETS;
    while (set < MDNS_SETS &&
           (record->type != set_types[set] || !mdns_name_same(&record->name, set_name(self, set))))
        set++;
    return set;
}

static bool is_our_address(const struct mdns_self *self, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < self->address_count; i++) {
        size_t size = self->addresses[i].family == PORT_IPV4 ? 4 : 16;
        if (len == size && memcmp(data, self->addresses[i].bytes, size) == 0)
            return true;
    }
    return false;
}

// Compares a record with ours of the same set, as section 8.2.1 sorts data: below 0 when ours
// comes first, 0 when they are the same.
static int compare(const struct mdns_self *self, unsigned set, const struct mdns_reader *theirs,
                   const struct mdns_record *record)
{
    static struct mdns_writer w;
    struct mdns_reader ours;
    struct mdns_record own;
    uint8_t a[MDNS_DATA_MAX], b[MDNS_DATA_MAX];
    size_t a_len, b_len;
    if (!mdns_read_data(theirs, record, b, &b_len))
        return -1;
    if (MDNS_BIT(set) & MDNS_OF_HOST)
        return is_our_address(self, b, b_len) ? 0 : -1;
    mdns_write_begin(&w, 0, 0);
    write_set(&(struct writing){self, &w, 0, MDNS_ANSWERS, MDNS_ANSWER}, set);
    if (!mdns_write_end(&w) || !mdns_read_header(&ours, w.packet, w.len) ||
        !mdns_read_record(&ours, &own) || !mdns_read_data(&ours, &own, a, &a_len))
        return -1;
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static void examine_answer(const struct mdns_self *self, const struct mdns_reader *r,
                           const struct mdns_record *record, struct mdns_finding *finding)
{
    unsigned set = set_of(self, record);
    if (set == MDNS_SETS)
        return;
    bool same = compare(self, set, r, record) == 0;
    if (finding->is_query) { // a known answer (section 7.1)
        if (same && !(MDNS_BIT(set) & MDNS_OF_HOST) && record->ttl >= set_ttl(set) / 2)
            finding->known |= MDNS_BIT(set);
    } else if (MDNS_BIT(set) & MDNS_OF_INSTANCE) {
        finding->instance_taken |= !same && record->ttl > 0;
    } else if (MDNS_BIT(set) & MDNS_OF_HOST) {
        finding->host_left |= record->ttl == 0;
        finding->host_answered |= record->ttl > 0;
        finding->host_differs |= record->ttl > 0 && !same;
    }
}

static void examine_proposal(const struct mdns_self *self, const struct mdns_reader *r,
                             const struct mdns_record *record, struct mdns_finding *finding)
{
    unsigned set = set_of(self, record);
    finding->is_probe = true;
    if (set == MDNS_SETS)
        return;
    finding->host_probed |= (MDNS_BIT(set) & MDNS_OF_HOST) != 0;
    if (MDNS_BIT(set) & MDNS_OF_INSTANCE)
        finding->instance_probed_later |= compare(self, set, r, record) < 0;
}

bool mdns_examine(const struct mdns_self *self, const void *packet, size_t len,
                  struct mdns_finding *finding)
{
    struct mdns_reader r;
    struct mdns_record record;
    *finding = (struct mdns_finding){0};
    if (!mdns_read_header(&r, packet, len) || (r.flags & MDNS_OPCODE_RCODE))
        return false;
    finding->id = r.id;
    finding->is_query = !(r.flags & MDNS_RESPONSE);
    finding->truncated = finding->is_query && (r.flags & MDNS_TRUNCATED);
    for (uint32_t i = 0; i < r.counts[MDNS_QUESTIONS]; i++) {
        if (!mdns_read_question(&r, &record))
            return false;
        unsigned sets = finding->is_query ? sets_asked(self, &record) : 0;
        if (sets && !finding->wanted && !finding->wanted_direct)
            finding->first = record;
        *(record.class & MDNS_CLASS_TOP ? &finding->wanted_direct : &finding->wanted) |= sets;
    }
    uint32_t answers = r.counts[MDNS_ANSWERS], proposals = r.counts[MDNS_AUTHORITIES];
    uint32_t total = answers + proposals + r.counts[MDNS_ADDITIONALS];
    for (uint32_t i = 0; i < total; i++) {
        if (!mdns_read_record(&r, &record))
            return false;
        bool proposed = i >= answers && i < answers + proposals;
        if (finding->is_query && proposed)
            examine_proposal(self, &r, &record, finding);
        else if (!proposed)
            examine_answer(self, &r, &record, finding);
    }
    return true;
}
