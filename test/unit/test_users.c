// The file of users: who is found in it, what those see who are not, and how it is changed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/users_change.h"
#include "port/port.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

// "pencil", with the salts of the RFCs' examples.
#define USER_256                                                                                   \
    "user:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                                            \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="                                                 \
    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n"
#define USER_1                                                                                     \
    "user:SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:"                         \
    "D+CSWLOshSulAsxiupA+qs2/fTE=\n"

static char path[128];
static struct error err;

static void write_text(const char *text, size_t len, uint32_t mode)
{
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE, 0600);
    assert_true(fd >= 0);
    assert_int_equal(port_pwrite(fd, text, len, 0), (ptrdiff_t)len);
    port_close(fd);
    assert_int_equal(port_chmod(path, mode), 0);
    error_clear(&err);
}

static void write_file(const char *text)
{
    write_text(text, strlen(text), 0600);
}

static bool find(enum scram_mechanism mechanism, const char *name, struct scram_keys *keys)
{
    bool is_user = false;
    error_clear(&err);
    assert_true(users_find(mechanism, name, keys, &is_user, &err));
    return is_user;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/nv-users-%d", (int)getpid());
    users_set_file(path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    port_unlink(path);
    return 0;
}

static void a_user_is_found_by_mechanism_and_whole_name(void **state)
{
    (void)state;
    struct scram_keys keys;
    write_file("# x\n\n" USER_1 USER_256);
    assert_true(find(SCRAM_SHA_256, "user", &keys));
    assert_int_equal(keys.iterations, 4096);
    assert_int_equal(keys.salt_len, 16);
    assert_true(find(SCRAM_SHA_1, "user", &keys));
    assert_int_equal(keys.salt_len, 12);
    assert_false(find(SCRAM_SHA_256, "use", &keys));
    assert_false(find(SCRAM_SHA_256, "users", &keys));
    assert_false(find(SCRAM_SHA_256, "# x", &keys));
    assert_false(find(SCRAM_SHA_256, "", &keys));
    assert_true(users_have(SCRAM_SHA_1));
    write_file(USER_256);
    assert_false(users_have(SCRAM_SHA_1));
}

static void a_line_that_is_wrong_is_told_and_takes_nobody_else_away(void **state)
{
    (void)state;
    struct scram_keys keys;
    write_file("user\n" USER_256 "other:SCRAM-SHA-256$x\n");
    assert_true(find(SCRAM_SHA_256, "user", &keys));
    assert_false(find(SCRAM_SHA_256, "other", &keys));
    error_clear(&err);
    assert_false(users_check(&err));
    assert_non_null(strstr(err.message, ":1: it does not begin with a name and a colon"));
}

static void who_is_nobody_has_a_salt_of_his_own_and_keeps_it(void **state)
{
    (void)state;
    struct scram_keys keys, again, other;
    write_file("*:SCRAM-SHA-256$10000:W22ZaJ0SNY7soEsUEjb6gQ==$"
               "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
               ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n" USER_256);
    assert_false(find(SCRAM_SHA_256, "mallory", &keys));
    assert_false(find(SCRAM_SHA_256, "mallory", &again));
    assert_false(find(SCRAM_SHA_256, "trudy", &other));
    assert_int_equal(keys.iterations, 10000);
    assert_int_equal(keys.salt_len, 16);
    assert_memory_equal(keys.salt, again.salt, keys.salt_len);
    assert_memory_not_equal(keys.salt, other.salt, keys.salt_len);
    assert_false(find(SCRAM_SHA_256, "*", &keys));
    assert_true(find(SCRAM_SHA_256, "user", &keys));
    assert_int_equal(keys.iterations, 4096);
}

static void without_a_line_for_them_a_secret_is_made_up(void **state)
{
    (void)state;
    struct scram_keys keys, again, other;
    write_file(USER_256);
    assert_false(find(SCRAM_SHA_256, "mallory", &keys));
    assert_false(find(SCRAM_SHA_256, "mallory", &again));
    assert_false(find(SCRAM_SHA_256, "trudy", &other));
    assert_int_equal(keys.iterations, CONFIG_SASL_ITERATIONS);
    assert_memory_equal(keys.salt, again.salt, keys.salt_len);
    assert_memory_not_equal(keys.salt, other.salt, keys.salt_len);
}

static void a_file_that_can_not_be_used_is_told(void **state)
{
    (void)state;
    static char text[CONFIG_SASL_USERS_MAX + 1];
    struct scram_keys keys;
    bool is_user;
    memset(text, '\n', sizeof(text));
    write_text(text, CONFIG_SASL_USERS_MAX, 0600);
    assert_true(users_check(&err));
    write_text(text, sizeof(text), 0600);
    assert_false(users_find(SCRAM_SHA_256, "user", &keys, &is_user, &err));
    assert_non_null(strstr(err.message, "CONFIG_SASL_USERS_MAX"));
    write_text(USER_256, sizeof(USER_256) - 1, 0604);
    assert_false(users_find(SCRAM_SHA_256, "user", &keys, &is_user, &err));
    assert_non_null(strstr(err.message, "may be used by others than its owner"));
    port_unlink(path);
    error_clear(&err);
    assert_false(users_find(SCRAM_SHA_256, "user", &keys, &is_user, &err));
    assert_int_equal(err.code, VIR_ERR_AUTH_UNAVAILABLE);
    assert_false(is_user);
}

static void new_keys_take_the_place_of_the_old(void **state)
{
    (void)state;
    struct scram_keys keys, found;
    write_file("# mine\n" USER_256 USER_1);
    assert_true(scram_keys_derive(&keys, SCRAM_SHA_256, 4096, SLICE("pen")));
    assert_true(users_set("user", &keys, &err));
    assert_true(find(SCRAM_SHA_256, "user", &found));
    assert_memory_equal(&found, &keys, sizeof(keys));
    assert_true(find(SCRAM_SHA_1, "user", &found));
    assert_true(users_set("other", &keys, &err));
    assert_true(users_delete("user", &err));
    assert_false(find(SCRAM_SHA_256, "user", &found));
    assert_false(find(SCRAM_SHA_1, "user", &found));
    assert_true(find(SCRAM_SHA_256, "other", &found));
    error_clear(&err);
    assert_false(users_delete("user", &err));
    assert_non_null(strstr(err.message, "there is no user 'user'"));
}

static void a_file_that_would_become_too_long_stays_as_it_was(void **state)
{
    (void)state;
    static char text[CONFIG_SASL_USERS_MAX - 100];
    struct scram_keys keys;
    struct slice read;
    memset(text, '\n', sizeof(text));
    write_text(text, sizeof(text), 0600);
    assert_true(scram_keys_derive(&keys, SCRAM_SHA_256, 4096, SLICE("pen")));
    assert_false(users_set("user", &keys, &err));
    assert_non_null(strstr(err.message, "CONFIG_SASL_USERS_MAX"));
    error_clear(&err);
    assert_true(users_read(&read, &err));
    assert_int_equal(read.len, sizeof(text));
    users_forget();
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM(a_user_is_found_by_mechanism_and_whole_name),
        CLAIM(a_line_that_is_wrong_is_told_and_takes_nobody_else_away),
        CLAIM(who_is_nobody_has_a_salt_of_his_own_and_keeps_it),
        CLAIM(without_a_line_for_them_a_secret_is_made_up),
        CLAIM(a_file_that_can_not_be_used_is_told),
        CLAIM(new_keys_take_the_place_of_the_old),
        CLAIM(a_file_that_would_become_too_long_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
