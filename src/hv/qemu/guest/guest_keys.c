// Operation: keys, from a client's numbering to QEMU's.
#include "hv/qemu/guest/guest_keymap.h"
#include "hv/qemu/guest/guest_ops.h"

#define KEYS_MAX 16 // VIR_DOMAIN_SEND_KEY_MAX_KEYS

static const char *const set_names[] = {
    [VIR_KEYCODE_SET_LINUX] = "linux",   [VIR_KEYCODE_SET_XT] = "xt",
    [VIR_KEYCODE_SET_ATSET1] = "atset1", [VIR_KEYCODE_SET_ATSET2] = "atset2",
    [VIR_KEYCODE_SET_ATSET3] = "atset3", [VIR_KEYCODE_SET_OSX] = "os_x",
    [VIR_KEYCODE_SET_XT_KBD] = "xt_kbd", [VIR_KEYCODE_SET_USB] = "usb",
    [VIR_KEYCODE_SET_WIN32] = "win32",   [VIR_KEYCODE_SET_QNUM] = "qnum",
};

// Codes of set 1 with an 0xe0 in front carry it as the bit `extended` in one byte or so: 0x80 in
// QEMU's numbers (qnum, which VNC's clients use too), 0x100 in those of Linux's raw keyboards.
static uint32_t packed(uint16_t set1, uint32_t extended)
{
    return set1 > 0x7f ? (extended | (set1 & 0x7fu)) : set1;
}

static uint32_t code_in(const struct guest_key *key, uint32_t set)
{
    switch (set) {
    case VIR_KEYCODE_SET_LINUX:
        return key->linux_code;
    case VIR_KEYCODE_SET_XT:
    case VIR_KEYCODE_SET_ATSET1:
        return key->set1;
    case VIR_KEYCODE_SET_ATSET2:
        return key->set2;
    case VIR_KEYCODE_SET_ATSET3:
        return key->set3;
    case VIR_KEYCODE_SET_OSX:
        return key->osx;
    case VIR_KEYCODE_SET_XT_KBD:
        return packed(key->set1, 0x100);
    case VIR_KEYCODE_SET_USB:
        return key->usb;
    case VIR_KEYCODE_SET_WIN32:
        return key->win32;
    default:
        return GUEST_KEY_NONE;
    }
}

static bool translate(uint32_t set, uint32_t code, uint32_t *qnum)
{
    if (code == GUEST_KEY_NONE)
        return false;
    for (size_t i = 0; i < guest_key_count; i++) {
        if (code_in(&guest_keys[i], set) == code) {
            *qnum = packed(guest_keys[i].set1, 0x80);
            return true;
        }
    }
    return false;
}

static bool translate_all(struct hypervisor_op *op)
{
    uint32_t set = op->send_key.codeset;
    if (set > VIR_KEYCODE_SET_QNUM)
        return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "Unsupported codeset: %u",
                         set);
    for (uint32_t i = 0; i < op->send_key.code_count; i++) {
        uint32_t code = op->send_key.codes[i];
        if (set != VIR_KEYCODE_SET_QNUM && !translate(set, code, &op->send_key.codes[i]))
            return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                             "cannot translate keycode %u of %s codeset to qnum keycode", code,
                             set_names[set]);
        if (op->send_key.codes[i] > 0xffff)
            return error_set(op->err, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                             "keycode %u is invalid: 0x%X", i, code);
    }
    return true;
}

static struct slice arguments(const struct hypervisor_op *op)
{
    static char text[64 * (KEYS_MAX + 1)];
    struct buffer out = buffer_over(text, sizeof(text));
    struct json_writer w = json_writer_to(&out);
    json_open_object(&w, NULL);
    json_open_array(&w, "keys");
    for (uint32_t i = 0; i < op->send_key.code_count && i < KEYS_MAX; i++) {
        json_open_object(&w, NULL);
        json_puts(&w, "type", "number");
        json_put_u64(&w, "data", op->send_key.codes[i]);
        json_close_object(&w);
    }
    json_close_array(&w);
    if (op->send_key.holdtime)
        json_put_u64(&w, "hold-time", op->send_key.holdtime);
    json_close_object(&w);
    return buffer_slice(&out);
}

struct keys {
    struct guest *guest;
    struct monitor_call call;
};

enum co_status guest_send_key(struct hypervisor_op *op)
{
    struct keys *s = HYPERVISOR_STATE(op, struct keys);
    CO_BEGIN(&op->co);
    s->guest = guest_need(op->domain, op->err);
    if (!s->guest || !translate_all(op))
        CO_RETURN(&op->co);
    CO_CALL(&op->co, monitor_command(&s->call, &s->guest->monitor, op->task, "send-key",
                                     arguments(op), op->err));
    CO_END(&op->co);
}
