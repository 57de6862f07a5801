// Multicast DNS: a packet from the network, and the answer to what it asks.
#include "fuzz.h"

#include "mdns/mdns_records.h"

static struct mdns_self self;

void fuzz_start(void)
{
    mdns_self_name(&self, SLICE("h"), 1, SLICE("a"), 1);
    self.port = 16514;
    self.host_is_ours = true;
    self.address_count = 2;
    self.addresses[0] = (struct port_interface_address){
        .interface = 1, .family = PORT_IPV4, .bytes = {10, 0, 0, 1}};
    self.addresses[1] = (struct port_interface_address){
        .interface = 1, .family = PORT_IPV6, .bytes = {0xFE, 0x80, [15] = 1}};
}

// What we say ourselves is understood, and is no conflict.
static void check_answer(const struct mdns_writer *w)
{
    struct mdns_finding own;
    FUZZ_CHECK(mdns_examine(&self, w->packet, w->len, &own));
    FUZZ_CHECK(!own.is_query && !own.instance_taken && !own.host_differs);
}

void fuzz_one(struct slice input)
{
    static struct mdns_finding finding;
    static struct mdns_writer w;
    if (input.len > MDNS_RECEIVE_MAX || !mdns_examine(&self, input.at, input.len, &finding))
        return;
    unsigned sets = finding.wanted | finding.wanted_direct;
    FUZZ_CHECK((sets & ~MDNS_EVERYTHING) == 0 && (finding.known & ~MDNS_EVERYTHING) == 0);
    if (sets && mdns_make_response(&self, &w, sets, 1, MDNS_ANSWER, 0, NULL))
        check_answer(&w);
    if (sets &&
        mdns_make_response(&self, &w, sets, 1, MDNS_LEGACY_ANSWER, finding.id, &finding.first))
        check_answer(&w);
}
