// Operations by way of the guest's agent: passwords, keys, freezing and trimming of file systems.
#include "hv/qemu/guest/guest_ops.h"

#include "hv/qemu/guest/guest_agent.h"
#include "text/base64.h"

#define COMMAND_SIZE (4 * CONFIG_REMOTE_STRING_MAX)

// The command that is being given; it is made anew whenever its task goes on.
static char text[COMMAND_SIZE];
static struct buffer out;

static struct json_writer begin_command(const char *name)
{
    out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w, NULL);
    json_puts(&w, "execute", name);
    json_open_object(&w, "arguments");
    return w;
}

static struct slice end_command(struct json_writer *w)
{
    json_close_object(w);
    json_close_object(w);
    return buffer_slice(&out);
}

// A command whose text did not fit is not sent.
static bool give(struct hypervisor_op *op, struct slice command)
{
    if (!buffer_ok(&out)) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                  "the command to the guest agent is too long: limit is %d", COMMAND_SIZE);
        return true;
    }
    return guest_agent_ask(op, HYPERVISOR_STATE(op, struct guest_agent_op), command,
                           AGENT_WAIT_SET);
}

// ---- virDomainSetUserPassword

enum co_status guest_set_password(struct hypervisor_op *op)
{
    static char encoded[CONFIG_REMOTE_STRING_MAX / 3 * 4 + 8];
    struct buffer password = buffer_over(encoded, sizeof(encoded));
    base64_put(&password, op->password.password.at, op->password.password.len);
    struct json_writer w = begin_command("guest-set-user-password");
    json_put_bool(&w, "crypted", op->flags & VIR_DOMAIN_PASSWORD_ENCRYPTED);
    json_put_string(&w, "username", op->password.user);
    json_put_string(&w, "password", buffer_slice(&password));
    return give(op, end_command(&w)) ? CO_DONE : CO_WAITING;
}

// ---- virDomainAuthorizedSSHKeysGet, virDomainAuthorizedSSHKeysSet

enum co_status guest_ssh_keys(struct hypervisor_op *op)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    struct json_writer w = begin_command("guest-ssh-get-authorized-keys");
    json_put_string(&w, "username", op->ssh_keys.user);
    if (!give(op, end_command(&w)))
        return CO_WAITING;
    if (error_is_set(op->err))
        return CO_DONE;
    const struct json_value *keys = json_get(s->agent.result, "keys");
    if (!keys || keys->kind != JSON_ARRAY) {
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                  "qemu agent didn't return an array of keys");
        return CO_DONE;
    }
    for (const struct json_value *key = keys->child; key; key = key->next)
        if (key->kind == JSON_STRING)
            op->ssh_keys.put(op->ssh_keys.to, json_string(key));
    return CO_DONE;
}

enum co_status guest_set_ssh_keys(struct hypervisor_op *op)
{
    struct slice key;
    bool remove = op->flags & VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE;
    struct json_writer w = begin_command(remove ? "guest-ssh-remove-authorized-keys"
                                                : "guest-ssh-add-authorized-keys");
    json_put_string(&w, "username", op->ssh_keys.user);
    json_open_array(&w, "keys");
    for (uint32_t i = 0; op->ssh_keys.key(op->ssh_keys.from, i, &key); i++)
        json_put_string(&w, NULL, key);
    json_close_array(&w);
    if (!remove)
        json_put_bool(&w, "reset", !(op->flags & VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND));
    return give(op, end_command(&w)) ? CO_DONE : CO_WAITING;
}

// ---- virDomainFSFreeze, virDomainFSThaw, virDomainFSTrim

static enum co_status count_filesystems(struct hypervisor_op *op, struct slice command)
{
    struct guest_agent_op *s = HYPERVISOR_STATE(op, struct guest_agent_op);
    int64_t count;
    if (!give(op, command))
        return CO_WAITING;
    if (error_is_set(op->err))
        return CO_DONE;
    if (!json_i64(s->agent.result, &count) || count < 0 || count > INT32_MAX)
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "malformed return value");
    op->freeze.filesystems = error_is_set(op->err) ? 0 : (int32_t)count;
    return CO_DONE;
}

enum co_status guest_fs_freeze(struct hypervisor_op *op)
{
    struct slice mountpoint;
    struct json_writer w = begin_command(op->freeze.mountpoint ? "guest-fsfreeze-freeze-list"
                                                               : "guest-fsfreeze-freeze");
    if (op->freeze.mountpoint) {
        json_open_array(&w, "mountpoints");
        for (uint32_t i = 0; op->freeze.mountpoint(op->freeze.from, i, &mountpoint); i++)
            json_put_string(&w, NULL, mountpoint);
        json_close_array(&w);
    }
    return count_filesystems(op, end_command(&w));
}

static bool refuse_mountpoints(struct hypervisor_op *op, const char *what)
{
    if (op->freeze.mountpoint)
        error_set(op->err, VIR_FROM_QEMU, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s", what);
    return op->freeze.mountpoint;
}

enum co_status guest_fs_thaw(struct hypervisor_op *op)
{
    if (refuse_mountpoints(op, "specifying mountpoints is not supported"))
        return CO_DONE;
    struct json_writer w = begin_command("guest-fsfreeze-thaw");
    return count_filesystems(op, end_command(&w));
}

enum co_status guest_fs_trim(struct hypervisor_op *op)
{
    if (refuse_mountpoints(op, "Specifying mount point is not supported for now"))
        return CO_DONE;
    struct json_writer w = begin_command("guest-fstrim");
    json_put_u64(&w, "minimum", op->freeze.minimum);
    return give(op, end_command(&w)) ? CO_DONE : CO_WAITING;
}
