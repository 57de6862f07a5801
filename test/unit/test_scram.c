// SCRAM: the examples of the RFCs, what a client may say and what it may not, names and passwords.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/saslprep.h"
#include "scram_client.h"

static struct scram_exchange exchange;

static void begin(enum scram_mechanism mechanism, const char *salt, const char *password)
{
    memset(&exchange, 0, sizeof(exchange));
    struct scram_keys *keys = &exchange.keys;
    keys->mechanism = mechanism;
    keys->iterations = 4096;
    keys->salt_len = (size_t)base64_decode(keys->salt, sizeof(keys->salt), slice_of(salt));
    assert_true(scram_keys_derive_salted(keys, slice_of(password)));
    exchange.is_user = true;
}

static const char *finish(const char *message, char reply[128])
{
    struct buffer b = buffer_over(reply, 128);
    return scram_final(&exchange, slice_of(message), &b);
}

static void assert_says(struct slice message, const char *expected)
{
    assert_int_equal(message.len, strlen(expected));
    assert_memory_equal(message.at, expected, message.len);
}

// ---- the RFCs

static void the_example_of_rfc_7677_is_spoken(void **state)
{
    (void)state;
    char reply[128];
    begin(SCRAM_SHA_256, "W22ZaJ0SNY7soEsUEjb6gQ==", "pencil");
    assert_null(scram_first(&exchange, SLICE("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")));
    assert_string_equal(exchange.name, "user");
    assert_says(scram_challenge_with(&exchange, SLICE("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")),
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    assert_null(finish("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                       "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                       reply));
    assert_string_equal(reply, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

static void the_example_of_rfc_5802_is_spoken(void **state)
{
    (void)state;
    char reply[128];
    begin(SCRAM_SHA_1, "QSXCR+Q6sek8bf92", "pencil");
    assert_null(scram_first(&exchange, SLICE("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")));
    assert_says(scram_challenge_with(&exchange, SLICE("3rfcNHYJY1ZVvWVs7j")),
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
    assert_null(finish("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                       "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                       reply));
    assert_string_equal(reply, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
}

// ---- whole exchanges

static const char *speak(const char *header, const char *name, const char *password)
{
    struct scram_client client = {MBEDTLS_MD_SHA256, 32, .password = password};
    char reply[128];
    begin(SCRAM_SHA_256, "W22ZaJ0SNY7soEsUEjb6gQ==", "pencil");
    scram_client_start(&client, header, name, "abcDEF123");
    const char *wrong = scram_first(&exchange, slice_of(client.first));
    if (wrong)
        return wrong;
    scram_client_answer(&client, scram_challenge(&exchange));
    wrong = finish(client.final, reply);
    if (!wrong)
        assert_string_equal(reply, client.expected);
    return wrong;
}

static void whoever_knows_the_password_passes(void **state)
{
    (void)state;
    assert_null(speak("n,,", "user", "pencil"));
    assert_null(speak("y,,", "user", "pencil"));
    assert_null(speak("n,a=user,", "user", "pencil"));
    assert_null(speak("n,,", "a=2Cb=3Dc", "pencil"));
    assert_string_equal(exchange.name, "a,b=c");
    assert_null(speak("n,a=a=2Cb,", "a=2Cb", "pencil"));
    assert_null(speak("n,,", "J\xc3\xbcrgen", "pencil"));
}

static void nobody_else_does(void **state)
{
    (void)state;
    assert_string_equal(speak("n,,", "user", "Pencil"), "wrong password");
    assert_string_equal(speak("n,,", "user", "x"), "wrong password");
    assert_string_equal(speak("n,a=root,", "user", "pencil"), "it wants to act for somebody else");
}

static void no_proof_makes_a_user_of_somebody_who_is_none(void **state)
{
    (void)state;
    struct scram_client client = {MBEDTLS_MD_SHA256, 32, .password = "pencil"};
    char reply[128];
    begin(SCRAM_SHA_256, "W22ZaJ0SNY7soEsUEjb6gQ==", "pencil");
    exchange.is_user = false;
    scram_client_start(&client, "n,,", "user", "abc");
    assert_null(scram_first(&exchange, slice_of(client.first)));
    scram_client_answer(&client, scram_challenge(&exchange));
    assert_string_equal(finish(client.final, reply), "no such user");
    assert_string_equal(reply, "");
}

static void the_nonce_of_the_server_is_another_each_time(void **state)
{
    (void)state;
    char before[512];
    begin(SCRAM_SHA_256, "W22ZaJ0SNY7soEsUEjb6gQ==", "pencil");
    assert_null(scram_first(&exchange, SLICE("n,,n=user,r=abc")));
    struct slice message = scram_challenge(&exchange);
    assert_true(slice_starts(message, "r=abc") && message.len > 5 + 24);
    assert_true(slice_copy(before, sizeof(before), message));
    assert_null(scram_first(&exchange, SLICE("n,,n=user,r=abc")));
    assert_false(slice_is(scram_challenge(&exchange), before));
}

// ---- malformed messages

static void a_malformed_first_message_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *message, *wrong;
    } cases[] = {
        {"", "it has no GS2 header"},
        {"n", "it has no GS2 header"},
        {"n,", "it has no GS2 header"},
        {"n,,", "user name and nonce are expected"},
        {"n=user,r=abc", "it has no GS2 header"},
        {"x,,n=user,r=abc", "its GS2 header is malformed"},
        {"N,,n=user,r=abc", "its GS2 header is malformed"},
        {"n,b=user,n=user,r=abc", "its GS2 header is malformed"},
        {"p=tls-unique,,n=user,r=abc", "it asks for channel binding, which is not offered"},
        {"p=,,n=user,r=abc", "it asks for channel binding, which is not offered"},
        {"n,a=,n=user,r=abc", "its authorization identity is malformed"},
        {"n,a=x=2D,n=user,r=abc", "its authorization identity is malformed"},
        {"n,,m=must,n=user,r=abc", "it has a mandatory extension"},
        {"n,,n=user,r=abc,m=must", "it has a mandatory extension"},
        {"n,,r=abc,n=user", "user name and nonce are expected"},
        {"n,,n=user", "user name and nonce are expected"},
        {"n,,n=user,x=1,r=abc", "user name and nonce are expected"},
        {"n,,n=,r=abc", "its user name is malformed"},
        {"n,,n=a=b,r=abc", "its user name is malformed"},
        {"n,,n=a=2c,r=abc", "its user name is malformed"},
        {"n,,n=a=,r=abc", "its user name is malformed"},
        {"n,,n=a\nb,r=abc", "its user name is malformed"},
        {"n,,n=\xff,r=abc", "its user name is malformed"},
        {"n,,n=user,r=", "its nonce is malformed"},
        {"n,,n=user,r=a b", "its nonce is malformed"},
        {"n,,n=user,r=a\x80", "its nonce is malformed"},
        {"n,,n=user,r=abc,", "an attribute is malformed"},
        {"n,,n=user,r=abc,1=x", "an attribute is malformed"},
        {"n,,n=user,r=abc,x", "an attribute is malformed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(SCRAM_SHA_256, "W22ZaJ0SNY7soEsUEjb6gQ==", "pencil");
        const char *wrong = scram_first(&exchange, slice_of(cases[i].message));
        if (!wrong || strcmp(wrong, cases[i].wrong) != 0)
            fail_msg("'%s': %s", cases[i].message, wrong ? wrong : "accepted");
    }
    assert_null(scram_first(&exchange, SLICE("n,,n=user,r=abc,x=optional,Y=too")));
    assert_non_null(scram_first(&exchange, (struct slice){"n,,n=us\0r,r=abc", 15}));
}

static void a_long_message_is_refused_and_the_longest_fits(void **state)
{
    (void)state;
    char message[SCRAM_FIRST_MAX + 2], reply[128];
    struct buffer b = buffer_over(message, sizeof(message));
    buffer_puts(&b, "n,,n=user,r=");
    for (int i = 0; i < SCRAM_NONCE_MAX; i++)
        buffer_putc(&b, 'n');
    begin(SCRAM_SHA_256, "W22ZaJ0SNY7soEsUEjb6gQ==", "pencil");
    exchange.keys.salt_len = SCRAM_SALT_MAX;
    exchange.keys.iterations = UINT32_MAX;
    struct buffer longer = b;
    while (b.len < SCRAM_FIRST_MAX - 2)
        buffer_puts(&b, b.len % 4 == 0 ? ",x=1" : "1");
    assert_null(scram_first(&exchange, buffer_slice(&b)));
    struct slice challenge = scram_challenge(&exchange);
    assert_true(slice_ends(challenge, ",i=4294967295"));
    assert_true(exchange.said_len < sizeof(exchange.said));
    buffer_puts(&longer, "n");
    assert_string_equal(scram_first(&exchange, buffer_slice(&longer)), "its nonce is malformed");
    memset(message, 'x', sizeof(message));
    assert_string_equal(scram_first(&exchange, (struct slice){message, SCRAM_FIRST_MAX + 1}),
                        "it is too long");
    char final[SCRAM_MESSAGE_MAX + 1];
    memset(final, 'x', sizeof(final));
    struct buffer nothing = buffer_over(reply, sizeof(reply));
    assert_string_equal(scram_final(&exchange, (struct slice){final, sizeof(final)}, &nothing),
                        "its proof is malformed");
}

static void a_malformed_last_message_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *format, *wrong; // %s: the nonce
    } cases[] = {
        {"", "its proof is malformed"},
        {"c=biws,r=%s", "its proof is malformed"},
        {"c=biws,r=%s,p=", "its proof is malformed"},
        {"c=biws,r=%s,p=AAAA", "its proof is malformed"},
        {"c=biws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "its proof is malformed"},
        {"c=biws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,x=1",
         "its proof is malformed"},
        {"p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "channel binding and nonce are expected"},
        {"r=%s,c=biws,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "channel binding and nonce are expected"},
        {"c=eSws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "its channel binding is not that of its first message"},
        {"c=biwsbiws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "its channel binding is not that of its first message"},
        {"c=biw,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "its channel binding is not that of its first message"},
        {"c=biws,r=abc,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "its nonce is not the one that was agreed on"},
        {"c=biws,r=%sx,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "its nonce is not the one that was agreed on"},
        {"c=biws,r=%s,m=1,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         "it has a mandatory extension"},
        {"c=biws,r=%s,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "wrong password"},
        {"c=biws,r=%s,x=1,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "wrong password"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char nonce[128], message[512], reply[128];
        begin(SCRAM_SHA_256, "W22ZaJ0SNY7soEsUEjb6gQ==", "pencil");
        assert_null(scram_first(&exchange, SLICE("n,,n=user,r=abc")));
        scram_challenge(&exchange);
        assert_true(slice_copy(nonce, sizeof(nonce), exchange.nonce));
        const char *behind = strstr(cases[i].format, "%s");
        if (behind)
            snprintf(message, sizeof(message), "%.*s%s%s", (int)(behind - cases[i].format),
                     cases[i].format, nonce, behind + 2);
        else
            snprintf(message, sizeof(message), "%s", cases[i].format);
        const char *wrong = finish(message, reply);
        if (!wrong || strcmp(wrong, cases[i].wrong) != 0)
            fail_msg("'%s': %s", cases[i].format, wrong ? wrong : "accepted");
        assert_string_equal(reply, "");
    }
}

// ---- keys as text

static void keys_are_read_as_they_are_written(void **state)
{
    (void)state;
    struct scram_keys keys = {0}, again;
    char text[512];
    for (unsigned mechanism = 0; mechanism < SCRAM_MECHANISMS; mechanism++) {
        assert_true(scram_keys_derive(&keys, (enum scram_mechanism)mechanism, 4096, SLICE("x")));
        struct buffer b = buffer_over(text, sizeof(text));
        scram_keys_put(&keys, &b);
        assert_true(buffer_ok(&b) && scram_keys_read(&again, buffer_slice(&b)));
        assert_memory_equal(&again, &keys, sizeof(keys));
    }
}

// As Python's hashlib and hmac compute them; the form is PostgreSQL's, too.
static void the_keys_of_the_rfcs_example_are_known(void **state)
{
    (void)state;
    char text[512];
    struct buffer b = buffer_over(text, sizeof(text));
    begin(SCRAM_SHA_256, "W22ZaJ0SNY7soEsUEjb6gQ==", "pencil");
    scram_keys_put(&exchange.keys, &b);
    assert_string_equal(text, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                              "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                              "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

static void malformed_keys_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256$4096",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:",
        "SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-512$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$-1:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        " ",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scram_keys keys;
        if (scram_keys_read(&keys, slice_of(cases[i])))
            fail_msg("'%s' was taken", cases[i]);
    }
}

// ---- SASLprep

static void what_saslprep_leaves_alone_may_be_used(void **state)
{
    (void)state;
    static const char *const good[] = {"user",
                                       "Pass word~!",
                                       "a,b=c",
                                       "J\xc3\xbcrgen",
                                       "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd",
                                       "\xe5\xaf\x86\xe7\xa0\x81"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (saslprep_refuses(slice_of(good[i])))
            fail_msg("'%s': %s", good[i], saslprep_refuses(slice_of(good[i])));
}

static void what_it_maps_normalizes_or_forbids_may_not(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", // empty
        "a\tb",
        "\x7f",             // control characters
        "I\xc2\xadX",       // SOFT HYPHEN, mapped to nothing (RFC 4013 section 3)
        "\xc2\xaa",         // FEMININE ORDINAL INDICATOR, normalized to "a"
        "\xe2\x85\xa8",     // ROMAN NUMERAL NINE, normalized to "IX"
        "\xd8\xa7\x31",     // ARABIC LETTER ALEF: from right to left
        "u\xcc\x88",        // COMBINING DIAERESIS, composed
        "\xc2\xa0",         // NO-BREAK SPACE, mapped to a blank
        "\xe1\x84\x80",     // a jamo
        "\xf0\x9f\x98\x80", // unassigned in Unicode 3.2
        "\xc3",
        "\xff", // no UTF-8
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!saslprep_refuses(slice_of(bad[i])))
            fail_msg("number %u was taken", (unsigned)i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_7677_is_spoken),
        cmocka_unit_test(the_example_of_rfc_5802_is_spoken),
        cmocka_unit_test(whoever_knows_the_password_passes),
        cmocka_unit_test(nobody_else_does),
        cmocka_unit_test(no_proof_makes_a_user_of_somebody_who_is_none),
        cmocka_unit_test(the_nonce_of_the_server_is_another_each_time),
        cmocka_unit_test(a_malformed_first_message_is_refused),
        cmocka_unit_test(a_long_message_is_refused_and_the_longest_fits),
        cmocka_unit_test(a_malformed_last_message_is_refused),
        cmocka_unit_test(keys_are_read_as_they_are_written),
        cmocka_unit_test(the_keys_of_the_rfcs_example_are_known),
        cmocka_unit_test(malformed_keys_are_refused),
        cmocka_unit_test(what_saslprep_leaves_alone_may_be_used),
        cmocka_unit_test(what_it_maps_normalizes_or_forbids_may_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
