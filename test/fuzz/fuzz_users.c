// The file of users: whoever is found in it is a line of it, and keys are written as they are read.
#include "fuzz.h"

#include "auth/users.h"

#include <stdio.h>

static char path[256];

void fuzz_start(void)
{
    snprintf(path, sizeof(path), "%s/users", fuzz_directory());
    users_set_file(path);
}

static void check_keys(const struct scram_keys *keys)
{
    char text[512];
    struct scram_keys again;
    struct buffer b = buffer_over(text, sizeof(text));
    scram_keys_put(keys, &b);
    FUZZ_CHECK(buffer_ok(&b) && scram_keys_read(&again, buffer_slice(&b)));
    FUZZ_CHECK(memcmp(&again, keys, sizeof(again)) == 0);
}

// The last line of a user counts, and nobody is found who has none.
static void check_found(const struct user *user)
{
    char name[IDENTITY_USER_MAX];
    struct scram_keys keys;
    struct error err = {0};
    bool is_user;
    if (!slice_copy(name, sizeof(name), user->name))
        return;
    FUZZ_CHECK(users_find(user->keys.mechanism, name, &keys, &is_user, &err));
    FUZZ_CHECK(is_user == (strcmp(name, USERS_EVERYBODY_ELSE) != 0));
    if (is_user)
        FUZZ_CHECK(memcmp(&keys, &user->keys, sizeof(keys)) == 0);
}

void fuzz_one(struct slice input)
{
    struct slice text;
    struct user user, last = {.name = SLICE_NONE};
    struct error err = {0};
    const char *wrong;
    fuzz_file_write(path, input);
    FUZZ_TOLD(users_check(&err), &err);
    error_clear(&err);
    if (input.len > CONFIG_SASL_USERS_MAX) {
        FUZZ_CHECK(!users_read(&text, &err));
        return;
    }
    for (text = input; users_next(&text, &user, &wrong);) {
        FUZZ_CHECK(!wrong || !user.name.at);
        if (!user.name.at)
            continue;
        check_keys(&user.keys);
        last = user;
    }
    if (last.name.at)
        check_found(&last);
}
