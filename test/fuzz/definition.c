// What holds for every domain definition.
#include "definition.h"

#include "port/port.h"

#define TEXT_MAX (2 << 20)

// How a text of ours is read again.
struct reading {
    const struct domain_xml_rules *rules;
    unsigned flags, show;
};

static struct xml_doc doc;
static char first[TEXT_MAX], second[TEXT_MAX];

bool definition_random(void *data, void *bytes, size_t len)
{
    (void)data;
    port_random(bytes, len);
    return true;
}

static struct slice write_doc(char *to)
{
    struct buffer out = buffer_over(to, TEXT_MAX);
    xml_write(&out, doc.root, 0);
    FUZZ_CHECK(buffer_ok(&out));
    return buffer_slice(&out);
}

// What may be refused when it is read again. A document at its limits passes them when what was a
// slice of the source needs decoding; and as in libvirt, ports that are chosen when serial ports
// are read are not yet counted then.
static bool is_excused(const struct error *err)
{
    static const char *const excuses[] = {"CONFIG_XML_", "number of ISA serial ports",
                                          "target port"};
    for (size_t i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++)
        if (slice_contains(slice_of(err->message), excuses[i]))
            return true;
    return false;
}

static bool parse(struct slice text, const struct domain_xml_rules *rules, unsigned flags,
                  struct error *err)
{
    bool good = domain_xml_parse(&doc, text, rules, flags, err);
    FUZZ_TOLD(good, err);
    return good;
}

// The same for texts with the same lines in any order. Consoles are numbered by their place, and a
// serial port's own one is put in front of them.
static uint64_t sum_of_lines(struct slice text)
{
    uint64_t sum = 0;
    struct slice line;
    while (slice_split(&text, '\n', &line)) {
        uint64_t hash = line.len;
        if (slice_contains(line, " port='"))
            continue;
        for (size_t i = 0; i < line.len; i++)
            hash = hash * 1099511628211u + (uint8_t)line.at[i];
        sum += hash * hash;
    }
    return sum;
}

// Reads `text` and writes it to `to`; false when that can not be.
static bool rewrite(struct slice *text, const struct reading *how, char *to)
{
    struct error err = {0};
    if (!parse(*text, how->rules, how->flags, &err)) {
        if (!is_excused(&err))
            FUZZ_FAIL("its own text is refused: %s\n%.*s", err.message, SLICE_ARG(*text));
        return false;
    }
    if (how->show)
        domain_xml_show(&doc, how->show);
    *text = write_doc(to);
    return true;
}

// Reading it again may change the order once, as in libvirt: devices are sorted as they are read,
// and what was guessed or added then was not yet there the first time.
static void check_again(const struct reading *how)
{
    struct slice one = write_doc(first), other = one;
    if (!rewrite(&other, how, second))
        return;
    if (sum_of_lines(one) != sum_of_lines(other))
        FUZZ_SAME(one, other);
    struct slice last = other;
    if (rewrite(&last, how, first))
        FUZZ_SAME(other, last);
}

static void check_inactive(struct slice input, const struct domain_xml_rules *rules)
{
    const unsigned show = VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE;
    struct error err = {0};
    if (!parse(input, rules, DOMAIN_XML_PARSE_NEW, &err))
        return;
    domain_xml_show(&doc, show);
    if (xml_ok(&doc, &err))
        check_again(&(struct reading){.rules = rules, .show = show});
}

// A USB controller that is none gets an alias and loses it when it is read, as in libvirt.
static bool has_no_usb(void)
{
    XML_EACH (controller, xml_child(doc.root, "devices"), "controller")
        if (xml_attr_is(controller, "model", "none"))
            return true;
    return false;
}

static void check_live(struct slice input, const struct domain_xml_rules *rules)
{
    struct error err = {0};
    if (!parse(input, rules, DOMAIN_XML_PARSE_NEW, &err) ||
        !domain_xml_make_live(&doc, 7, true, &err) || !xml_ok(&doc, &err))
        return;
    if (!has_no_usb())
        check_again(&(struct reading){
            .rules = rules, .flags = DOMAIN_XML_PARSE_LIVE | DOMAIN_XML_PARSE_SKIP_VALIDATE});
    domain_xml_show(&doc, 0);
    domain_xml_show(&doc, VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_UPDATE_CPU);
    domain_xml_order(&doc);
}

void definition_check(struct slice text, const struct domain_xml_rules *rules)
{
    check_inactive(text, rules);
    fuzz_world_reset(); // the same random uuid and addresses
    check_live(text, rules);
}
