// Users: the file's successor is written beside it and takes its place.
#include "auth/users_change.h"

#include "core/assert.h"
#include "port/port.h"

#include <mbedtls/platform_util.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char new_file[PORT_PATH_MAX];
static char new_text[CONFIG_SASL_USERS_MAX + 1];

static bool fail(const char *what, int result, struct error *err)
{
    return error_set(err, VIR_FROM_AUTH, VIR_ERR_SYSTEM_ERROR, "%s '%s': %s", what, new_file,
                     strerror(-result));
}

// ---- one at a time

// The successor itself is the lock. Whoever had opened it before it was renamed holds the lock of
// what is the file by now, and must leave it alone.
static bool is_still_there(int fd)
{
    struct port_stat opened, named;
    return port_fstat(fd, &opened) == 0 && port_lstat(new_file, &named) == 0 &&
           opened.device == named.device && opened.inode == named.inode;
}

static int begin(struct error *err)
{
    if (!users_file() ||
        snprintf(new_file, sizeof(new_file), "%s.new", users_file()) >= (int)sizeof(new_file)) {
        error_set(err, VIR_FROM_AUTH, VIR_ERR_INTERNAL_ERROR, "a path is too long");
        return -1;
    }
    int fd = port_open(new_file, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_NOFOLLOW, 0600);
    if (fd < 0) {
        fail("cannot open", fd, err);
        return -1;
    }
    if (port_file_lock(fd) < 0 || !is_still_there(fd)) {
        port_close(fd);
        error_set(err, VIR_FROM_AUTH, VIR_ERR_OPERATION_FAILED,
                  "somebody else is changing '%s'; try again", users_file());
        return -1;
    }
    return fd;
}

static int write_all(int fd, struct slice text)
{
    uint64_t at = 0;
    int result = port_truncate(fd, 0);
    while (result == 0 && text.len) {
        ptrdiff_t put = port_pwrite(fd, text.at, text.len, at);
        if (put < 0)
            return (int)put;
        at += (uint64_t)put;
        text = slice_from(text, (size_t)put);
    }
    return result == 0 ? port_sync(fd) : result;
}

static int sync_directory(void)
{
    char directory[PORT_PATH_MAX];
    snprintf(directory, sizeof(directory), "%s", new_file);
    char *slash = strrchr(directory, '/');
    if (!slash)
        return port_sync_directory(".");
    slash[slash == directory] = '\0';
    return port_sync_directory(directory);
}

// Ends the change: with the new text in place, or (NULL) without a trace.
static bool end(int fd, const struct buffer *text, struct error *err)
{
    struct port_stat old;
    bool good = text != NULL;
    if (good && !buffer_ok(text))
        good = error_set(err, VIR_FROM_AUTH, VIR_ERR_OPERATION_FAILED,
                         "'%s' becomes too long: limit is %u, CONFIG_SASL_USERS_MAX", users_file(),
                         (unsigned)CONFIG_SASL_USERS_MAX);
    int result = good ? write_all(fd, buffer_slice(text)) : 0;
    if (good && result == 0 && port_stat(users_file(), &old) == 0 &&
        (old.uid != port_uid() || old.gid != port_gid()))
        result = port_chown(new_file, old.uid, old.gid);
    if (good && result == 0)
        result = port_rename(new_file, users_file());
    if (!good || result < 0)
        port_unlink(new_file);
    else
        result = sync_directory();
    port_close(fd);
    mbedtls_platform_zeroize(new_text, sizeof(new_text));
    return good && (result == 0 || fail("cannot write", result, err));
}

// ---- the text

static const char first_lines[] =
    "# Users that may log in with a password; see nanovirtd-passwd(8), which writes this file.\n"
    "# NAME:SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY\n";

static void put_line(struct buffer *b, const char *name, const struct scram_keys *keys)
{
    buffer_printf(b, "%s:", name);
    scram_keys_put(keys, b);
    buffer_putc(b, '\n');
}

// Copies the file without the lines of `name`, of one mechanism or (SCRAM_MECHANISMS) of all.
// Returns whether there were any. With `everybody_else`, their line of that mechanism is left out,
// too, and its keys put there.
static bool copy_without(struct buffer *b, struct slice text, const char *name,
                         enum scram_mechanism mechanism, struct scram_keys *everybody_else)
{
    struct user user;
    const char *wrong;
    bool found = false;
    struct slice line = text;
    while (users_next(&text, &user, &wrong)) {
        line.len = text.at ? (size_t)(text.at - line.at) : line.len;
        bool same = slice_present(user.name) &&
                    (mechanism == SCRAM_MECHANISMS || user.keys.mechanism == mechanism);
        if (same && slice_is(user.name, name))
            found = true;
        else if (same && everybody_else && slice_is(user.name, USERS_EVERYBODY_ELSE))
            *everybody_else = user.keys;
        else
            buffer_put(b, line);
        line = text;
    }
    if (b->len && b->at[b->len - 1] != '\n')
        buffer_putc(b, '\n');
    return found;
}

static bool read_old(struct slice *text, struct error *err)
{
    struct error reason = {0};
    if (users_read(text, &reason))
        return true;
    if (reason.code != VIR_ERR_AUTH_UNAVAILABLE) {
        *err = reason;
        return false;
    }
    *text = (struct slice){first_lines, sizeof(first_lines) - 1};
    return true;
}

// The line for everybody else looks like those of users: it follows the one written last. Its keys
// are of a password that nobody has, and stay.
static bool put_everybody_else(struct buffer *b, const struct scram_keys *like,
                               struct scram_keys *keys)
{
    char password[32];
    port_random(password, sizeof(password));
    if (keys->salt_len == 0 &&
        !scram_keys_derive(keys, like->mechanism, 1, (struct slice){password, sizeof(password)}))
        return false;
    keys->iterations = like->iterations;
    keys->salt_len = like->salt_len;
    put_line(b, USERS_EVERYBODY_ELSE, keys);
    return true;
}

static bool put_with(struct buffer *b, struct slice old, const char *name,
                     const struct scram_keys *keys, struct error *err)
{
    struct scram_keys everybody_else = {0};
    copy_without(b, old, name, keys->mechanism, &everybody_else);
    if (!put_everybody_else(b, keys, &everybody_else))
        return error_set(err, VIR_FROM_AUTH, VIR_ERR_INTERNAL_ERROR, "no keys can be derived");
    put_line(b, name, keys);
    return true;
}

static bool put_without(struct buffer *b, struct slice old, const char *name, struct error *err)
{
    return copy_without(b, old, name, SCRAM_MECHANISMS, NULL) ||
           error_set(err, VIR_FROM_AUTH, VIR_ERR_AUTH_FAILED, "there is no user '%s'", name);
}

// Sets the user's keys, or deletes the user when there are none.
static bool change(const char *name, const struct scram_keys *keys, struct error *err)
{
    struct slice old;
    int fd = begin(err);
    if (fd < 0)
        return false;
    struct buffer b = buffer_over(new_text, sizeof(new_text));
    bool good = read_old(&old, err) &&
                (keys ? put_with(&b, old, name, keys, err) : put_without(&b, old, name, err));
    users_forget();
    return end(fd, good ? &b : NULL, err);
}

bool users_set(const char *name, const struct scram_keys *keys, struct error *err)
{
    assert(keys);
    return change(name, keys, err);
}

bool users_delete(const char *name, struct error *err)
{
    return change(name, NULL, err);
}
