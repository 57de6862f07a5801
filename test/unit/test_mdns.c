// Multicast DNS without a network: names, and what packets mean.
#include "mdns/mdns_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct mdns_self self;
static struct mdns_finding finding;
static struct mdns_writer w;

static int set_up(void **state)
{
    (void)state;
    static const struct port_interface_address addresses[] = {
        {.interface = 2, .family = PORT_IPV4, .bytes = {192, 0, 2, 1}},
        {.interface = 3, .family = PORT_IPV4, .bytes = {192, 0, 2, 9}},
    };
    memset(&self, 0, sizeof(self));
    mdns_self_name(&self, SLICE("Virtualization Host a"), 1, SLICE("a"), 1);
    memcpy(self.addresses, addresses, sizeof(addresses));
    self.address_count = 2;
    self.port = 16514;
    self.host_is_ours = true;
    return 0;
}

static bool examine(const struct mdns_self *by)
{
    return mdns_examine(by, w.packet, w.len, &finding);
}

// The peer that another host of this name would be.
static struct mdns_self other_host(uint16_t port)
{
    struct mdns_self other = self;
    other.port = port;
    other.address_count = 1;
    other.addresses[0].bytes[3] = 77;
    return other;
}

static void ask(const struct mdns_name *name, uint16_t type, uint16_t class)
{
    mdns_write_begin(&w, 7, 0);
    mdns_write_question(&w, name, type, class);
    assert_true(mdns_write_end(&w));
}

static void label_is(const struct mdns_name *name, const char *label)
{
    assert_int_equal(name->bytes[0], strlen(label));
    assert_memory_equal(name->bytes + 1, label, strlen(label));
}

// ---- names

static void a_number_is_put_behind_a_name(void **state)
{
    (void)state;
    mdns_self_name(&self, SLICE("hall"), 2, SLICE("box"), 3);
    label_is(&self.instance, "hall #2");
    label_is(&self.host, "box-3");
}

static void a_long_name_is_cut_between_characters(void **state)
{
    (void)state;
    char name[200] = "";
    for (int i = 0; i < 40; i++)
        strcat(name, "\xC3\xBC"); // u umlaut
    mdns_self_name(&self, slice_of(name), 1, SLICE("a"), 1);
    assert_int_equal(self.instance.bytes[0], 62);
    mdns_self_name(&self, slice_of(name), 10, SLICE("a"), 1);
    assert_int_equal(self.instance.bytes[0], 62); // 58 and " #10"
    assert_memory_equal(self.instance.bytes + 59, " #10", 4);
}

static void a_name_in_a_packet_may_not_lead_forward_or_in_circles(void **state)
{
    (void)state;
    static const uint8_t bad[][20] = {
        {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1},   // to itself
        {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 14, 0, 1, 0, 1},   // forward
        {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 4, 0, 1, 0, 1},    // into the header
        {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0xC0, 12, 0, 1}, // to its own beginning
        {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 1, 0, 1},    // no such label
        {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 30, 'a', 0, 1, 0, 1},    // beyond the end
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(mdns_examine(&self, bad[i], 18, &finding));
}

// ---- questions

static void a_question_for_the_type_wants_the_pointer(void **state)
{
    (void)state;
    ask(&self.type, MDNS_TYPE_PTR, MDNS_CLASS_IN);
    assert_true(examine(&self));
    assert_int_equal(finding.wanted, MDNS_BIT(MDNS_POINTER));
    assert_int_equal(finding.id, 7);
    ask(&self.type, MDNS_TYPE_PTR, MDNS_CLASS_IN | MDNS_CLASS_TOP);
    assert_true(examine(&self));
    assert_int_equal(finding.wanted, 0);
    assert_int_equal(finding.wanted_direct, MDNS_BIT(MDNS_POINTER));
}

static void names_are_compared_without_regard_to_case(void **state)
{
    (void)state;
    struct mdns_name name = {0};
    mdns_name_add(&name, SLICE("VIRTUALIZATION host A"));
    mdns_name_add(&name, SLICE("_LIBVIRT"));
    mdns_name_add(&name, SLICE("_tcp"));
    mdns_name_add(&name, SLICE("Local"));
    ask(&name, MDNS_TYPE_ANY, MDNS_CLASS_ANY);
    assert_true(examine(&self));
    assert_int_equal(finding.wanted, MDNS_OF_INSTANCE);
}

static void addresses_are_not_told_when_somebody_else_here_does(void **state)
{
    (void)state;
    ask(&self.host, MDNS_TYPE_A, MDNS_CLASS_IN);
    assert_true(examine(&self));
    assert_int_equal(finding.wanted, MDNS_BIT(MDNS_IPV4));
    self.host_is_ours = false;
    assert_true(examine(&self));
    assert_int_equal(finding.wanted, 0);
    assert_false(mdns_make_response(&self, &w, MDNS_OF_HOST, 2, MDNS_ANSWER, 0, NULL));
}

static void only_addresses_of_the_interface_are_told(void **state)
{
    (void)state;
    struct mdns_reader r;
    struct mdns_record record;
    assert_true(mdns_make_response(&self, &w, MDNS_BIT(MDNS_IPV4), 3, MDNS_ANSWER, 0, NULL));
    assert_true(mdns_read_header(&r, w.packet, w.len));
    assert_int_equal(r.counts[MDNS_ANSWERS], 1);
    assert_true(mdns_read_record(&r, &record));
    assert_int_equal(w.packet[record.data + 3], 9);
    assert_false(mdns_make_response(&self, &w, MDNS_BIT(MDNS_IPV4), 4, MDNS_ANSWER, 0, NULL));
}

// ---- other hosts

static void our_own_packets_are_no_conflict(void **state)
{
    (void)state;
    assert_true(mdns_make_response(&self, &w, MDNS_EVERYTHING, 2, MDNS_ANSWER, 0, NULL));
    assert_true(examine(&self));
    assert_false(finding.instance_taken || finding.host_differs);
    assert_true(mdns_make_probe(&self, &w, 2, true));
    assert_true(examine(&self));
    assert_false(finding.instance_probed_later);
    assert_true(finding.is_probe);
}

static void other_data_under_our_name_are_a_conflict(void **state)
{
    (void)state;
    struct mdns_self other = other_host(22);
    assert_true(mdns_make_response(&other, &w, MDNS_EVERYTHING, 2, MDNS_ANSWER, 0, NULL));
    assert_true(examine(&self));
    assert_true(finding.instance_taken && finding.host_differs && finding.host_answered);
}

static void a_goodbye_is_no_conflict(void **state)
{
    (void)state;
    struct mdns_self other = other_host(22);
    assert_true(mdns_make_response(&other, &w, MDNS_EVERYTHING, 2, MDNS_GOODBYE, 0, NULL));
    assert_true(examine(&self));
    assert_false(finding.instance_taken || finding.host_differs || finding.host_answered);
    assert_true(finding.host_left);
}

static void of_two_who_probe_at_once_one_gives_way(void **state)
{
    (void)state;
    struct mdns_self other = other_host(22);
    assert_true(mdns_make_probe(&other, &w, 2, false));
    assert_true(examine(&self));
    assert_false(finding.instance_probed_later);
    assert_true(mdns_make_probe(&self, &w, 2, false));
    assert_true(examine(&other));
    assert_true(finding.instance_probed_later);
}

static void a_known_answer_counts_while_half_its_time_is_left(void **state)
{
    (void)state;
    static const struct {
        uint32_t ttl;
        unsigned known;
    } cases[] = {{4500, MDNS_BIT(MDNS_POINTER)}, {2250, MDNS_BIT(MDNS_POINTER)}, {2249, 0}};
    for (size_t i = 0; i < 3; i++) {
        mdns_write_begin(&w, 0, 0);
        mdns_write_question(&w, &self.type, MDNS_TYPE_PTR, MDNS_CLASS_IN);
        size_t at = mdns_record_begin(&w, MDNS_ANSWERS, &self.type, MDNS_TYPE_PTR, MDNS_CLASS_IN,
                                      cases[i].ttl);
        mdns_write_name(&w, &self.instance);
        mdns_record_end(&w, at);
        assert_true(mdns_write_end(&w));
        assert_true(examine(&self));
        assert_int_equal(finding.known, cases[i].known);
    }
}

#define CLAIM(claim) cmocka_unit_test_setup(claim, set_up)

int main(void)
{
    const struct CMUnitTest claims[] = {
        CLAIM(a_number_is_put_behind_a_name),
        CLAIM(a_long_name_is_cut_between_characters),
        CLAIM(a_name_in_a_packet_may_not_lead_forward_or_in_circles),
        CLAIM(a_question_for_the_type_wants_the_pointer),
        CLAIM(names_are_compared_without_regard_to_case),
        CLAIM(addresses_are_not_told_when_somebody_else_here_does),
        CLAIM(only_addresses_of_the_interface_are_told),
        CLAIM(our_own_packets_are_no_conflict),
        CLAIM(other_data_under_our_name_are_a_conflict),
        CLAIM(a_goodbye_is_no_conflict),
        CLAIM(of_two_who_probe_at_once_one_gives_way),
        CLAIM(a_known_answer_counts_while_half_its_time_is_left),
    };
    return cmocka_run_group_tests(claims, NULL, NULL);
}
