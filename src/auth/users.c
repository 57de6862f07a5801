// Users: the file is read, and a name is looked up in it.
#include "auth/users.h"

#include "core/paths.h"
#include "port/port.h"

#include <mbedtls/platform_util.h>

#include <errno.h>
#include <string.h>

#define FILE_NAME "passwd.scram"

static const char *file;
static char memory[CONFIG_SASL_USERS_MAX + 1];
static size_t memory_used;

void users_set_file(const char *path)
{
    file = path;
}

const char *users_file(void)
{
    if (!file)
        file = paths_join(paths()->config, FILE_NAME);
    return file;
}

// ---- lines

bool users_next(struct slice *rest, struct user *user, const char **wrong)
{
    struct slice line, name;
    *wrong = NULL;
    user->name = SLICE_NONE;
    if (rest->len == 0 || !slice_split(rest, '\n', &line))
        return false;
    line = slice_trim(line);
    if (line.len == 0 || slice_starts(line, "#"))
        return true;
    if (slice_find(line, ':') <= 0 || !slice_split(&line, ':', &name) ||
        name.len >= IDENTITY_USER_MAX)
        *wrong = "it does not begin with a name and a colon";
    else if (!scram_keys_read(&user->keys, line))
        *wrong = "the keys are malformed";
    else
        user->name = name;
    return true;
}

bool users_check(struct error *err)
{
    struct slice text;
    struct user user;
    const char *wrong = NULL;
    unsigned line = 0;
    if (!users_read(&text, err))
        return false;
    while (!wrong && users_next(&text, &user, &wrong))
        line++;
    users_forget();
    return !wrong || error_set(err, VIR_FROM_AUTH, VIR_ERR_CONFIG_UNSUPPORTED, "%s:%u: %s",
                               users_file(), line, wrong);
}

// ---- the file

static bool fail(const char *what, int result, struct error *err)
{
    if (result == -EFBIG)
        return error_set(err, VIR_FROM_AUTH, VIR_ERR_CONFIG_UNSUPPORTED,
                         "'%s' is too long: limit is %u, CONFIG_SASL_USERS_MAX", users_file(),
                         (unsigned)CONFIG_SASL_USERS_MAX);
    return error_set(err, VIR_FROM_AUTH,
                     result == -ENOENT ? VIR_ERR_AUTH_UNAVAILABLE : VIR_ERR_SYSTEM_ERROR,
                     "%s '%s': %s", what, users_file(), strerror(-result));
}

bool users_read(struct slice *text, struct error *err)
{
    struct port_stat stat;
    if (!users_file())
        return error_set(err, VIR_FROM_AUTH, VIR_ERR_INTERNAL_ERROR, "a path is too long");
    int result = port_stat(users_file(), &stat);
    if (result < 0)
        return fail("cannot read the users in", result, err);
    if (stat.mode & 077)
        return error_set(err, VIR_FROM_AUTH, VIR_ERR_CONFIG_UNSUPPORTED,
                         "'%s' may be used by others than its owner; chmod 600", users_file());
    ptrdiff_t len = port_file_read(users_file(), memory, sizeof(memory));
    if (len < 0)
        return fail("cannot read the users in", (int)len, err);
    memory_used = (size_t)len;
    *text = (struct slice){memory, memory_used};
    return true;
}

void users_forget(void)
{
    mbedtls_platform_zeroize(memory, memory_used);
    memory_used = 0;
}

// ---- looking somebody up

// Where the file has no line for everybody else: as good as one, until this process ends.
static void make_up(struct scram_keys *keys, enum scram_mechanism mechanism)
{
    static struct scram_keys made_up[SCRAM_MECHANISMS];
    struct scram_keys *own = &made_up[mechanism];
    if (own->iterations == 0) {
        port_random(own, sizeof(*own));
        own->mechanism = mechanism;
        own->iterations = CONFIG_SASL_ITERATIONS;
        own->salt_len = 16;
    }
    *keys = *own;
}

// A salt of this name's own. It takes the time that it takes, whoever was found.
static bool disguise(struct scram_keys *keys, const char *name)
{
    uint8_t salt[SCRAM_KEY_MAX];
    if (!scram_hmac(keys->mechanism, keys->server_key, slice_of(name), salt))
        return false;
    size_t size = scram_key_size(keys->mechanism);
    keys->salt_len = keys->salt_len < size ? keys->salt_len : size;
    memcpy(keys->salt, salt, keys->salt_len);
    return true;
}

bool users_find(enum scram_mechanism mechanism, const char *name, struct scram_keys *keys,
                bool *is_user, struct error *err)
{
    struct slice text;
    struct user user;
    struct scram_keys found = {0};
    const char *wrong;
    *is_user = false;
    if (!users_read(&text, err))
        return false;
    make_up(keys, mechanism);
    while (users_next(&text, &user, &wrong)) {
        if (!user.name.at || user.keys.mechanism != mechanism)
            continue;
        if (slice_is(user.name, USERS_EVERYBODY_ELSE)) {
            *keys = user.keys;
        } else if (slice_is(user.name, name)) {
            found = user.keys;
            *is_user = true;
        }
    }
    users_forget();
    if (!disguise(keys, name))
        return error_set(err, VIR_FROM_AUTH, VIR_ERR_INTERNAL_ERROR,
                         "mbedTLS was built without the hash of %s",
                         scram_mechanism_name(mechanism));
    if (*is_user)
        *keys = found;
    return true;
}

bool users_have(enum scram_mechanism mechanism)
{
    struct error err = {0};
    struct slice text;
    struct user user;
    const char *wrong;
    bool have = false;
    if (!users_read(&text, &err))
        return false;
    while (users_next(&text, &user, &wrong))
        have = have || (user.name.at && user.keys.mechanism == mechanism &&
                        !slice_is(user.name, USERS_EVERYBODY_ELSE));
    users_forget();
    return have;
}
