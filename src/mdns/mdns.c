// Multicast DNS: the conversation. Sockets and interfaces, probing and announcing, answers in time.
#include "mdns/mdns.h"

#include "core/log.h"
#include "core/loop.h"
#include "mdns/mdns_records.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MDNS_PORT        5353
#define PROBES           3 // section 8.1
#define PROBE_NS         (250 * NS_PER_MS)
#define PROBE_LOST_NS    NS_PER_SEC // section 8.2
#define ANNOUNCEMENTS    2          // section 8.3
#define ANNOUNCE_NS      NS_PER_SEC
#define CONFLICTS_FAST   15 // section 8.1: then 5 seconds between two attempts
#define CONFLICT_SLOW_NS (5 * NS_PER_SEC)
#define ONCE_NS          NS_PER_SEC // section 6: a record on a link at most once in that time
#define CHANGE_NS        (500 * NS_PER_MS) // interfaces seldom change alone
#define PACKETS_A_TURN   4
#define DIRECT_A_SECOND  50 // answers to single askers, whose addresses may be forged

static const uint8_t groups[][16] = {
    {224, 0, 0, 251},
    {0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFB},
};
static const enum port_family families[] = {PORT_IPV4, PORT_IPV6};

// A link as one family sees it, and what is to be sent there.
struct link {
    unsigned interface;
    enum port_family family;
    unsigned wanted;   // sets
    uint64_t due;      // loop_now() when they are sent
    uint8_t asker[16]; // of them all, unless `askers` is above 1
    unsigned askers;
    uint64_t sent[MDNS_SETS]; // when each was last
};

static struct mdns_self self;
static struct link links[CONFIG_MDNS_ADDRESSES];
static size_t link_count;
static struct watch sockets[2], interfaces; // sockets[] by groups[]; fd below 0: none
static struct timer step_timer, answer_timer, change_timer;
static unsigned probes, announcements;
static unsigned instance_number, host_number, conflicts;
static bool instance_is_ours; // it has been probed for, and nobody has objected
static bool host_of_others;   // another responder of this machine has the host's name
static char service_name[300], host_name[256];

static uint64_t chance(uint64_t below)
{
    uint32_t value;
    port_random(&value, sizeof(value));
    return value % below;
}

// ---- sending

static void send_to(const struct mdns_writer *w, const struct port_datagram *to)
{
    ptrdiff_t sent = port_datagram_send(sockets[to->family == PORT_IPV6].fd, w->packet, w->len, to);
    if (sent < 0)
        log_debug("mdns", "interface %u: %s", to->interface, strerror((int)-sent));
}

static void multicast(const struct mdns_writer *w, const struct link *link)
{
    struct port_datagram to = {
        .interface = link->interface, .family = link->family, .port = MDNS_PORT};
    memcpy(to.address, groups[link->family == PORT_IPV6], sizeof(to.address));
    send_to(w, &to);
}

static void multicast_sets(struct link *link, unsigned sets, enum mdns_purpose purpose)
{
    static struct mdns_writer w;
    if (!mdns_make_response(&self, &w, sets, link->interface, purpose, 0, NULL))
        return;
    multicast(&w, link);
    for (unsigned set = 0; set < MDNS_SETS; set++)
        if (sets & MDNS_BIT(set))
            link->sent[set] = loop_now();
}

// ---- probing and announcing

static void step(struct timer *timer);

static void probe_from_start(uint64_t delay, bool keep_instance)
{
    mdns_self_name(&self, slice_of(service_name), instance_number, slice_of(host_name),
                   host_number);
    self.host_is_ours = false;
    instance_is_ours = instance_is_ours && keep_instance;
    probes = announcements = 0;
    for (size_t i = 0; i < link_count; i++)
        links[i].wanted = 0;
    if (link_count)
        timer_start(&step_timer, delay + chance(PROBE_NS), step);
    else
        timer_stop(&step_timer);
}

static bool is_probing(void)
{
    return probes < PROBES || announcements == 0;
}

static void step(struct timer *timer)
{
    static struct mdns_writer w;
    bool probing = probes < PROBES;
    if (!probing && announcements == 0) {
        instance_is_ours = true;
        self.host_is_ours = !host_of_others;
        log_info("mdns", "announced as '%.*s'", (int)self.instance.bytes[0],
                 (const char *)self.instance.bytes + 1);
    }
    for (size_t i = 0; i < link_count; i++) {
        if (!probing)
            multicast_sets(&links[i], MDNS_EVERYTHING, MDNS_ANSWER);
        else if (mdns_make_probe(&self, &w, links[i].interface, !host_of_others))
            multicast(&w, &links[i]);
    }
    if (probing)
        probes++;
    else
        announcements++;
    if (announcements < ANNOUNCEMENTS)
        timer_start(timer, announcements ? ANNOUNCE_NS : PROBE_NS, step);
}

static void name_is_taken(unsigned *number)
{
    ++*number;
    bool slow = ++conflicts > CONFLICTS_FAST;
    probe_from_start(slow ? CONFLICT_SLOW_NS : 0, false);
    log_info("mdns", "a name is taken; trying '%.*s' on '%.*s'", (int)self.instance.bytes[0],
             (const char *)self.instance.bytes + 1, (int)self.host.bytes[0],
             (const char *)self.host.bytes + 1);
}

// ---- what others say

static bool is_of_this_machine(const struct port_datagram *from)
{
    size_t size = from->family == PORT_IPV4 ? 4 : 16;
    for (size_t i = 0; i < self.address_count; i++)
        if (self.addresses[i].family == from->family &&
            memcmp(self.addresses[i].bytes, from->address, size) == 0)
            return true;
    return false;
}

// The host's name belongs to whoever answers for it on this machine: our own packets come back to
// us too, but never answer while we are probing, and never probe or differ afterwards.
static void see_host(const struct mdns_finding *finding, bool local)
{
    if (local && host_of_others && finding->host_left && !finding->host_answered) {
        host_of_others = false;
        probe_from_start(PROBE_LOST_NS, true);
    } else if (local && !host_of_others &&
               (is_probing() ? finding->host_answered
                             : finding->host_differs || finding->host_probed)) {
        host_of_others = true;
        self.host_is_ours = false;
    } else if (!local && !host_of_others && finding->host_differs) {
        if (is_probing())
            name_is_taken(&host_number);
        else
            probe_from_start(0, true); // section 9: who really has it will say so
    }
}

static void see_instance(const struct mdns_finding *finding)
{
    if (finding->instance_taken) {
        if (instance_is_ours)
            probe_from_start(0, false);
        else
            name_is_taken(&instance_number);
    } else if (finding->instance_probed_later && !instance_is_ours) {
        probe_from_start(PROBE_LOST_NS, false);
    }
}

// ---- answers

static struct link *link_of(const struct port_datagram *from)
{
    for (size_t i = 0; i < link_count; i++)
        if (links[i].interface == from->interface && links[i].family == from->family)
            return &links[i];
    return NULL;
}

static void send_due(struct timer *timer)
{
    uint64_t now = loop_now(), next = 0;
    for (size_t i = 0; i < link_count; i++) {
        struct link *link = &links[i];
        if (!link->wanted)
            continue;
        if (link->due <= now) {
            multicast_sets(link, link->wanted, MDNS_ANSWER);
            link->wanted = 0;
        } else if (!next || link->due < next) {
            next = link->due;
        }
    }
    if (next)
        timer_start(timer, next - now, send_due);
}

// Without those that were sent just now: everybody has heard them.
static unsigned not_just_sent(const struct link *link, unsigned sets, bool is_probe)
{
    uint64_t pause = is_probe ? PROBE_NS : ONCE_NS;
    for (unsigned set = 0; set < MDNS_SETS; set++)
        if (link->sent[set] && loop_now() - link->sent[set] < pause)
            sets &= ~MDNS_BIT(set);
    return sets;
}

// What many may answer waits a little (section 6), longer when known answers follow (7.2).
static uint64_t answer_delay(const struct mdns_finding *finding, unsigned sets)
{
    if (finding->is_probe)
        return 0;
    if (finding->truncated)
        return (400 + chance(100)) * NS_PER_MS;
    return sets & MDNS_SHARED ? (20 + chance(100)) * NS_PER_MS : 0;
}

static void answer_all(struct link *link, const struct mdns_finding *finding,
                       const struct port_datagram *from)
{
    bool same_asker = memcmp(link->asker, from->address, sizeof(link->asker)) == 0;
    if (link->wanted && link->askers == 1 && same_asker)
        link->wanted &= ~finding->known;
    unsigned sets = not_just_sent(link, finding->wanted & ~finding->known, finding->is_probe);
    if (!sets)
        return;
    uint64_t due = loop_now() + answer_delay(finding, sets);
    if (!link->wanted || due < link->due)
        link->due = due;
    link->askers = link->wanted && !same_asker ? 2 : link->wanted ? link->askers : 1;
    memcpy(link->asker, from->address, sizeof(link->asker));
    link->wanted |= sets;
    if (!timer_running(&answer_timer) || answer_timer.at > link->due)
        timer_start(&answer_timer, link->due - loop_now(), send_due);
}

static bool may_answer_directly(void)
{
    static uint64_t since;
    static unsigned answers;
    if (loop_now() - since > NS_PER_SEC) {
        since = loop_now();
        answers = 0;
    }
    return answers++ < DIRECT_A_SECOND;
}

// A simple resolver, which asks from another port, is answered alone in its own form (6.7).
static void answer_one(const struct mdns_finding *finding, const struct port_datagram *from,
                       unsigned sets)
{
    static struct mdns_writer w;
    bool legacy = from->port != MDNS_PORT;
    if (may_answer_directly() &&
        mdns_make_response(&self, &w, sets & ~finding->known, from->interface,
                           legacy ? MDNS_LEGACY_ANSWER : MDNS_ANSWER, legacy ? finding->id : 0,
                           legacy ? &finding->first : NULL))
        send_to(&w, from);
}

static void take_packet(const void *packet, size_t len, const struct port_datagram *from)
{
    static struct mdns_finding finding;
    struct link *link = link_of(from);
    // Only what was sent to the group is known to come from this link (section 11).
    if (!link || !from->multicast || !mdns_examine(&self, packet, len, &finding) ||
        (!finding.is_query && from->port != MDNS_PORT))
        return;
    see_host(&finding, is_of_this_machine(from));
    see_instance(&finding);
    if (!finding.is_query || !instance_is_ours)
        return;
    if (from->port != MDNS_PORT) {
        answer_one(&finding, from, finding.wanted | finding.wanted_direct);
        return;
    }
    if (finding.wanted_direct)
        answer_one(&finding, from, finding.wanted_direct);
    answer_all(link, &finding, from);
}

static void take_packets(struct watch *watch, short events)
{
    static uint8_t packet[MDNS_RECEIVE_MAX];
    (void)events;
    for (int i = 0; i < PACKETS_A_TURN; i++) {
        struct port_datagram from;
        ptrdiff_t len = port_datagram_receive(watch->fd, packet, sizeof(packet), &from);
        if (len < 0)
            return;
        take_packet(packet, (size_t)len, &from);
    }
}

// ---- interfaces

static void add_link(const struct port_interface_address *address)
{
    struct port_datagram key = {.interface = address->interface, .family = address->family};
    size_t which = address->family == PORT_IPV6;
    if (sockets[which].fd < 0 || link_of(&key))
        return;
    int result =
        port_multicast_join(sockets[which].fd, address->family, groups[which], address->interface);
    if (result < 0) {
        log_warning("mdns", "interface %u: %s", address->interface, strerror(-result));
        return;
    }
    links[link_count++] = (struct link){.interface = address->interface, .family = address->family};
}

static void look_for_interfaces(struct timer *timer)
{
    static struct port_interface_address found[CONFIG_MDNS_ADDRESSES];
    (void)timer;
    memset(found, 0, sizeof(found));
    int count = port_interface_addresses(found, CONFIG_MDNS_ADDRESSES);
    if (count < 0) {
        log_warning("mdns", "cannot list interfaces: %s", strerror(-count));
        return;
    }
    if ((size_t)count == self.address_count && memcmp(found, self.addresses, sizeof(found)) == 0)
        return;
    memcpy(self.addresses, found, sizeof(found));
    self.address_count = (size_t)count;
    link_count = 0;
    for (int i = 0; i < count; i++)
        add_link(&found[i]);
    probe_from_start(0, false);
}

static void interfaces_changed(struct watch *watch, short events)
{
    char news[4096];
    (void)events;
    while (port_read(watch->fd, news, sizeof(news)) > 0)
        ;
    if (!timer_running(&change_timer))
        timer_start(&change_timer, CHANGE_NS, look_for_interfaces);
}

// ---- start and end

static bool open_sockets(struct error *err)
{
    int last = 0;
    for (size_t i = 0; i < 2; i++) {
        sockets[i].fd = port_multicast_open(families[i], MDNS_PORT);
        if (sockets[i].fd < 0)
            last = sockets[i].fd;
        else if (!loop_watch(&sockets[i], sockets[i].fd, PORT_POLL_IN, take_packets, err))
            return false;
    }
    if (sockets[0].fd >= 0 || sockets[1].fd >= 0)
        return true;
    return error_set(err, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR,
                     "cannot open a socket for multicast DNS: %s", strerror(-last));
}

static void choose_names(const char *name)
{
    char host[256] = "localhost", service[sizeof(host) + 32];
    port_hostname(host, sizeof(host));
    host[strcspn(host, ".")] = '\0';
    snprintf(service, sizeof(service), "Virtualization Host %s", host);
    snprintf(service_name, sizeof(service_name), "%s", name[0] ? name : service);
    snprintf(host_name, sizeof(host_name), "%s", host);
}

bool mdns_start(const char *name, uint16_t port, struct error *err)
{
    choose_names(name);
    self.port = port;
    instance_number = host_number = 1;
    if (!open_sockets(err))
        return false;
    int fd = port_interfaces_watch();
    if (fd < 0)
        log_warning("mdns", "changes of interfaces will not be seen: %s", strerror(-fd));
    else if (!loop_watch(&interfaces, fd, PORT_POLL_IN, interfaces_changed, err))
        return false;
    look_for_interfaces(NULL);
    return true;
}

void mdns_stop(void)
{
    for (size_t i = 0; instance_is_ours && i < link_count; i++)
        multicast_sets(&links[i], MDNS_EVERYTHING & ~MDNS_BIT(MDNS_SERVICES), MDNS_GOODBYE);
    link_count = 0;
    timer_stop(&step_timer);
    timer_stop(&answer_timer);
    timer_stop(&change_timer);
}
