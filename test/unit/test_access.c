// Access rules: what the file may look like, and what is allowed by it.
#include "auth/access.h"

#include "core/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#ifdef CONFIG_ACCESS

#define FILE_NAME "access.conf"

static const uint8_t web_uuid[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                     0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

// ---- who asks in the tests

static struct identity identity;
static const char *transport;
static bool read_only;
static int group_count; // of `groups`; negative: they are not known
static uint32_t groups[4];

static int groups_of(const void *from, uint32_t *gids, size_t max)
{
    (void)from;
    (void)max;
    for (int i = 0; i < group_count; i++)
        gids[i] = groups[i];
    return group_count;
}

static int nobody(void **state)
{
    (void)state;
    memset(&identity, 0, sizeof(identity));
    identity.peer.family = PORT_IPV4;
    transport = "tcp";
    read_only = false;
    group_count = 0;
    return 0;
}

static void be_user(uint32_t uid, uint32_t gid)
{
    identity.peer =
        (struct port_peer){.family = PORT_UNIX, .has_credentials = true, .uid = uid, .gid = gid};
    transport = "unix";
}

// ---- rules and questions

static void rules(const char *text)
{
    struct error err = {0};
    if (!access_parse(slice_of(text), FILE_NAME, &err))
        fail_msg("%s", err.message);
}

static void refused(const char *text, const char *why)
{
    struct error err = {0};
    char expected[ERROR_MESSAGE_MAX];
    uint32_t before = access_generation();
    snprintf(expected, sizeof(expected), "configuration file syntax error: " FILE_NAME ":%s", why);
    assert_false(access_parse(slice_of(text), FILE_NAME, &err));
    assert_string_equal(err.message, expected);
    assert_int_equal(err.code, VIR_ERR_CONF_SYNTAX);
    assert_int_equal(access_generation(), before);
}

static struct access_verdict ask(const char *permission, const struct access_object *object)
{
    const struct access_subject subject = {
        .identity = &identity, .transport = transport, .read_only = read_only, .groups = groups_of};
    struct access_who who;
    uint8_t number = access_permission(slice_of(permission));
    assert_int_not_equal(number, 0);
    assert_int_equal(access_permission_kind(number), object->kind);
    access_identify(&subject, &who);
    return access_ask(&who, number, object);
}

static bool may(const char *permission, const char *domain)
{
    const struct access_object object = {
        .kind = ACCESS_DOMAIN, .name = slice_of(domain), .uuid = domain ? web_uuid : NULL};
    return ask(permission, &object).allowed;
}

static bool may_connect(const char *permission)
{
    return ask(permission, &(struct access_object){.kind = ACCESS_CONNECT}).allowed;
}

// ---- the format

static void a_file_is_refused_with_its_line_and_the_reason(void **state)
{
    (void)state;
    refused("permit anybody : all", "1: a rule begins with allow or deny, not with 'permit'");
    refused("# one\n\nallow\n", "3: the rule does not say who may");
    refused("allow anybody", "1: the rule does not say what: allow|deny WHO... : PERMISSION...");
    refused("allow anybody :", "1: the rule does not say what");
    refused("allow anybody : all :", "1: the rule does not say on which objects");
    refused("allow anybody : all : domain=a : x", "1: there is a colon too many");
    refused(": all", "1: a rule begins with allow or deny");
    refused("allow all : all", "1: 'all' is nobody: it must be anybody, user=, group=, sasl=, dn=, "
                               "transport= or mode=");
    refused("allow who=me : all", "1: 'who=' is no condition: there are user=, group=, sasl=, dn=, "
                                  "transport=, mode=");
    refused("allow sasl= : all", "1: there is nothing behind sasl=");
    refused("allow user=no-such-user : all",
            "1: there is no user 'no-such-user' in /etc/passwd; one "
            "that is elsewhere goes by number");
    refused("allow group=no-such-group : all",
            "1: there is no group 'no-such-group' in /etc/group; "
            "one that is elsewhere goes by number");
    refused("allow transport=ssh : all", "1: there is no transport 'ssh': unix, tcp, tls, cable");
    refused("allow mode=rw : all", "1: there is no mode 'rw': read-only, read-write");
    refused("allow anybody : domain.strat", "1: there is no permission 'domain.strat'");
    refused("allow anybody : start", "1: there is no permission 'start'");
    refused("allow anybody : *", "1: there is no permission '*'");
    refused("allow anybody : domain.start=1", "1: 'domain.start=' is no permission");
    refused("allow anybody : all : web-1", "1: 'web-1' is no object: KIND=NAME or uuid=UUID");
    refused("allow anybody : all : guest=a", "1: there is no kind of object 'guest'");
    refused("allow anybody : all : connect=a", "1: there is no kind of object 'connect'");
    refused("allow anybody : all : uuid=12", "1: '12' is no uuid");
    refused("allow anybody : all : storage_vol=a", "1: storage_vol=a must be POOL/VOLUME");
    refused("allow sasl=\"a : all", "1: a quote is not closed");
    refused("allow sasl=\"a\n\" : all", "1: a quote is not closed");
    refused("allow sasl=a\001 : all", "1: there is a control character (1)");
}

static void a_rule_that_begins_with_a_blank_is_the_one_before_going_on(void **state)
{
    (void)state;
    rules("allow anybody # who\n  : domain.start # what\n\tdomain.stop\n # where\n  : domain=a\n");
    assert_true(may("domain.start", "a"));
    assert_true(may("domain.stop", "a"));
    assert_false(may("domain.stop", "b"));
    refused("allow anybody : all : domain=a\n  allow anybody : all",
            "2: 'allow' is no object: KIND=NAME or uuid=UUID");
}

static void quotes_take_blanks_colons_and_equal_signs_into_a_word(void **state)
{
    (void)state;
    strcpy(identity.x509_dname, "CN=a b: c,O=#1");
    rules("allow dn=\"CN=a b: c,O=#1\":domain.start:domain=\"x y\"");
    assert_true(may("domain.start", "x y"));
    assert_false(may("domain.start", "x"));
}

static void a_file_without_rules_allows_nothing(void **state)
{
    (void)state;
    rules("");
    assert_false(may_connect("connect.getattr"));
    rules("# nothing\n\n");
    assert_false(may_connect("connect.getattr"));
}

static void limits_are_told_with_their_names(void **state)
{
    (void)state;
    static char text[CONFIG_ACCESS_RULES * 64 + CONFIG_ACCESS_TERMS * 16];
    struct buffer out = buffer_over(text, sizeof(text));
    struct error err = {0};
    for (int i = 0; i <= CONFIG_ACCESS_RULES; i++)
        buffer_puts(&out, "allow anybody : all\n");
    assert_false(access_parse(buffer_slice(&out), FILE_NAME, &err));
    assert_non_null(strstr(err.message, "CONFIG_ACCESS_RULES"));
    out = buffer_over(text, sizeof(text));
    buffer_puts(&out, "allow anybody : all :");
    for (int i = 0; i <= CONFIG_ACCESS_TERMS; i++)
        buffer_puts(&out, " domain=a");
    error_clear(&err);
    assert_false(access_parse(buffer_slice(&out), FILE_NAME, &err));
    assert_non_null(strstr(err.message, "CONFIG_ACCESS_TERMS"));
    assert_true(buffer_ok(&out));
}

static void a_broken_file_leaves_the_rules_that_were(void **state)
{
    (void)state;
    rules("allow anybody : domain.start");
    refused("allow anybody : domain.stop\nnonsense",
            "2: a rule begins with allow or deny, not with 'nonsense'");
    assert_true(may("domain.start", "a"));
    assert_false(may("domain.stop", "a"));
}

// ---- order

static void the_first_rule_that_fits_decides(void **state)
{
    (void)state;
    rules("deny anybody : all : domain=db-*\nallow anybody : all");
    assert_false(may("domain.getattr", "db-1"));
    assert_true(may("domain.getattr", "web-1"));
    assert_true(may_connect("connect.getattr"));
    rules("allow anybody : all\ndeny anybody : all : domain=db-*");
    assert_true(may("domain.getattr", "db-1"));
}

static void the_line_that_decided_is_told(void **state)
{
    (void)state;
    const struct access_object a = {.kind = ACCESS_DOMAIN, .name = SLICE("a")};
    const struct access_object b = {.kind = ACCESS_DOMAIN, .name = SLICE("b")};
    rules("# 1\nallow anybody :\n  domain.start : domain=a\n\ndeny anybody : domain.*");
    assert_int_equal(ask("domain.start", &a).line, 2);
    assert_int_equal(ask("domain.start", &b).line, 5);
    assert_int_equal(ask("connect.read", &(struct access_object){.kind = ACCESS_CONNECT}).line, 0);
}

// ---- who

static void conditions_of_one_kind_are_alternatives_and_kinds_add_up(void **state)
{
    (void)state;
    rules("allow user=1001 user=1002 mode=read-only : all");
    be_user(1001, 1001);
    assert_false(may_connect("connect.read"));
    read_only = true;
    assert_true(may_connect("connect.read"));
    be_user(1002, 1002);
    assert_true(may_connect("connect.read"));
    be_user(1003, 1003);
    assert_false(may_connect("connect.read"));
}

static void a_user_is_one_by_name_and_by_number(void **state)
{
    (void)state;
    rules("allow user=root : all");
    be_user(0, 0);
    assert_true(may_connect("connect.read"));
    rules("allow user=0 : all");
    assert_true(may_connect("connect.read"));
}

static void who_is_not_local_is_no_user_and_in_no_group(void **state)
{
    (void)state;
    rules("allow user=0 : all\nallow group=0 : all");
    assert_false(may_connect("connect.read"));
}

static void a_group_is_the_peers_own_or_one_of_its_others(void **state)
{
    (void)state;
    rules("allow group=50 : all");
    be_user(1001, 50);
    assert_true(may_connect("connect.read"));
    be_user(1001, 1001);
    assert_false(may_connect("connect.read"));
    group_count = 2;
    groups[1] = 50;
    assert_true(may_connect("connect.read"));
}

static void groups_that_are_not_known_count_against_the_peer(void **state)
{
    (void)state;
    be_user(1001, 1001);
    group_count = -1;
    rules("allow group=50 : all");
    assert_false(may_connect("connect.read"));
    rules("deny group=50 : all\nallow anybody : all");
    assert_false(may_connect("connect.read"));
    group_count = 0;
    assert_true(may_connect("connect.read"));
}

static void a_local_peer_without_credentials_can_be_anybody(void **state)
{
    (void)state;
    be_user(0, 0);
    identity.peer.has_credentials = false;
    rules("allow user=1001 : all");
    assert_false(may_connect("connect.read"));
    rules("deny user=1001 : all\nallow anybody : all");
    assert_false(may_connect("connect.read"));
}

static void names_of_certificates_and_sasl_go_by_patterns(void **state)
{
    (void)state;
    rules("allow dn=CN=ops-*,O=Example : all\nallow sasl=*@EXAMPLE : all");
    assert_false(may_connect("connect.read"));
    strcpy(identity.x509_dname, "CN=ops-7,O=Example");
    assert_true(may_connect("connect.read"));
    strcpy(identity.x509_dname, "CN=ops-7,O=Examples");
    assert_false(may_connect("connect.read"));
    strcpy(identity.sasl_user, "joe@EXAMPLE");
    assert_true(may_connect("connect.read"));
}

static void no_pattern_fits_a_name_that_is_not_there(void **state)
{
    (void)state;
    rules("allow dn=* : all\nallow sasl=* : all");
    assert_false(may_connect("connect.read"));
}

static void transports_are_told_apart(void **state)
{
    (void)state;
    rules("allow transport=unix transport=cable : all");
    assert_false(may_connect("connect.read"));
    transport = "cable";
    assert_true(may_connect("connect.read"));
}

// ---- what

static void the_sets_hold_what_they_say(void **state)
{
    (void)state;
    rules("allow anybody : view");
    assert_true(may("domain.getattr", "a"));
    assert_true(may("domain.read", "a"));
    assert_true(may_connect("connect.search_domains"));
    assert_false(may("domain.read_secure", "a"));
    assert_false(may("domain.start", "a"));
    rules("allow anybody : operate");
    assert_true(may("domain.start", "a"));
    assert_true(may("domain.open_device", "a"));
    assert_false(may("domain.getattr", "a"));
    assert_false(may("domain.write", "a"));
    assert_false(may("domain.delete", "a"));
    assert_false(may("domain.hibernate", "a"));
    assert_false(may("domain.core_dump", "a"));
    assert_false(may("domain.migrate", "a"));
    assert_false(may_connect("connect.getattr"));
}

static void wildcards_stand_in_either_half_of_a_permission(void **state)
{
    (void)state;
    rules("allow anybody : domain.read* *.getattr");
    assert_true(may("domain.read_secure", "a"));
    assert_true(may("domain.getattr", "a"));
    assert_true(may_connect("connect.getattr"));
    assert_false(may("domain.write", "a"));
    assert_false(may_connect("connect.read"));
}

// ---- on which objects

static void a_rule_with_objects_is_about_these_alone(void **state)
{
    (void)state;
    rules("allow anybody : all : domain=web-* uuid=01234567-89ab-cdef-0123-456789abcdee");
    assert_true(may("domain.start", "web-1"));
    assert_false(may("domain.start", "db-1"));
    assert_false(may_connect("connect.getattr"));
    assert_false(ask("storage_pool.read",
                     &(struct access_object){.kind = ACCESS_STORAGE_POOL, .name = SLICE("web-1")})
                     .allowed);
    rules("allow anybody : all : uuid=01234567-89ab-cdef-0123-456789abcdef");
    assert_true(may("domain.start", "db-1"));
}

static void an_object_that_is_not_known_is_denied_but_by_rules_for_all(void **state)
{
    (void)state;
    rules("allow anybody : all : domain=web-*");
    assert_false(may("domain.getattr", NULL));
    rules("deny anybody : all : domain=db-*\nallow anybody : all");
    assert_false(may("domain.getattr", NULL));
    rules("deny anybody : all : uuid=01234567-89ab-cdef-0123-456789abcdef\nallow anybody : all");
    assert_false(may("domain.getattr", NULL));
    rules("allow anybody : all : domain=*");
    assert_true(may("domain.getattr", NULL));
    rules("allow anybody : all");
    assert_true(may("domain.getattr", NULL));
}

static void what_no_object_could_change_is_known_beforehand(void **state)
{
    (void)state;
    struct access_who who;
    const struct access_subject subject = {
        .identity = &identity, .transport = transport, .groups = groups_of};
    uint8_t start = access_permission(SLICE("domain.start"));
    rules("deny anybody : all : domain=db-*\nallow anybody : domain.start : domain=web-*");
    access_identify(&subject, &who);
    assert_true(access_might(&who, start));
    assert_false(access_might(&who, access_permission(SLICE("domain.stop"))));
    rules("deny anybody : domain.*\nallow anybody : all");
    access_identify(&subject, &who);
    assert_false(access_might(&who, start));
}

static bool may_volume(const char *pool, const char *name)
{
    const struct access_object object = {
        .kind = ACCESS_STORAGE_VOL, .name = slice_of(name), .parent = slice_of(pool)};
    return ask("storage_vol.read", &object).allowed;
}

static void volumes_go_by_their_pool_and_their_name(void **state)
{
    (void)state;
    rules("allow anybody : storage_vol.* : storage_vol=images/web-*");
    assert_true(may_volume("images", "web-1"));
    assert_false(may_volume("images", "db-1"));
    assert_false(may_volume("other", "web-1"));
    rules("allow anybody : storage_vol.* : storage_pool=images");
    assert_true(may_volume("images", "anything"));
    assert_false(may_volume("other", "web-1"));
    assert_false(may_volume(NULL, NULL));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, nobody)
    const struct CMUnitTest tests[] = {
        T(a_file_is_refused_with_its_line_and_the_reason),
        T(a_rule_that_begins_with_a_blank_is_the_one_before_going_on),
        T(quotes_take_blanks_colons_and_equal_signs_into_a_word),
        T(a_file_without_rules_allows_nothing),
        T(limits_are_told_with_their_names),
        T(a_broken_file_leaves_the_rules_that_were),
        T(the_first_rule_that_fits_decides),
        T(the_line_that_decided_is_told),
        T(conditions_of_one_kind_are_alternatives_and_kinds_add_up),
        T(a_user_is_one_by_name_and_by_number),
        T(who_is_not_local_is_no_user_and_in_no_group),
        T(a_group_is_the_peers_own_or_one_of_its_others),
        T(groups_that_are_not_known_count_against_the_peer),
        T(a_local_peer_without_credentials_can_be_anybody),
        T(names_of_certificates_and_sasl_go_by_patterns),
        T(no_pattern_fits_a_name_that_is_not_there),
        T(transports_are_told_apart),
        T(the_sets_hold_what_they_say),
        T(wildcards_stand_in_either_half_of_a_permission),
        T(a_rule_with_objects_is_about_these_alone),
        T(an_object_that_is_not_known_is_denied_but_by_rules_for_all),
        T(what_no_object_could_change_is_known_beforehand),
        T(volumes_go_by_their_pool_and_their_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
