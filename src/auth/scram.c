// SCRAM's exchange: two messages of the client, taken apart as RFC 5802 section 7 has them, and the
// answers.
#include "auth/scram.h"

#include "text/base64.h"
#include "text/utf8.h"

#include <mbedtls/constant_time.h>

#include <string.h>

#define NONCE_BYTES 18 // of ours; 24 characters of base64

// ---- attributes

// Takes "NAME=VALUE" off the front of `rest`.
static bool take(struct slice *rest, char name, struct slice *value)
{
    struct slice part;
    if (rest->len < 2 || rest->at[0] != name || rest->at[1] != '=' ||
        !slice_split(rest, ',', &part))
        return false;
    *value = slice_from(part, 2);
    return true;
}

// What may follow is ignored unless it says that it must not be: "m".
static const char *pass_extensions(struct slice rest)
{
    struct slice part;
    while (slice_split(&rest, ',', &part)) {
        char letter = part.len ? (char)(part.at[0] | 0x20) : '\0';
        if (part.len < 3 || part.at[1] != '=' || letter < 'a' || letter > 'z')
            return "an attribute is malformed";
        if (part.at[0] == 'm')
            return "it has a mandatory extension";
    }
    return NULL;
}

static bool is_nonce(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] < 0x21 || s.at[i] > 0x7E || s.at[i] == ',')
            return false;
    return s.len > 0;
}

// saslname: UTF-8 in which "=2C" is a comma and "=3D" an equals sign. Nobody's name has control
// characters, and they have no place in a log.
static bool decode_name(struct slice s, char to[IDENTITY_USER_MAX])
{
    size_t len = 0;
    bool clean = s.len > 0 && utf8_valid(s);
    while (clean && s.len) {
        char c = s.at[0];
        size_t taken = 1;
        if (c == '=') {
            taken = 3;
            c = slice_starts(s, "=2C") ? ',' : '=';
            clean = c == ',' || slice_starts(s, "=3D");
        }
        if (len + 1 >= IDENTITY_USER_MAX || (unsigned char)c < 0x20 || c == 0x7F)
            clean = false;
        else
            to[len++] = c;
        s = slice_from(s, taken);
    }
    to[len] = '\0';
    return clean;
}

// ---- client-first-message

// gs2-header: the flag of channel binding and whom the client wants to be.
static const char *take_header(struct slice *rest, struct slice *authzid)
{
    struct slice flag, identity;
    if (!slice_split(rest, ',', &flag) || !slice_split(rest, ',', &identity) || !rest->at)
        return "it has no GS2 header";
    if (slice_starts(flag, "p="))
        return "it asks for channel binding, which is not offered";
    if (!slice_is(flag, "n") && !slice_is(flag, "y"))
        return "its GS2 header is malformed";
    *authzid = SLICE_NONE;
    if (identity.len == 0)
        return NULL;
    if (!slice_starts(identity, "a="))
        return "its GS2 header is malformed";
    *authzid = slice_from(identity, 2);
    return NULL;
}

static const char *take_user(struct scram_exchange *exchange, struct slice name,
                             struct slice authzid)
{
    char identity[IDENTITY_USER_MAX];
    if (!decode_name(name, exchange->name))
        return "its user name is malformed";
    if (!authzid.at)
        return NULL;
    if (!decode_name(authzid, identity))
        return "its authorization identity is malformed";
    return strcmp(identity, exchange->name) == 0 ? NULL : "it wants to act for somebody else";
}

const char *scram_first(struct scram_exchange *exchange, struct slice message)
{
    struct slice rest = message, authzid, name, nonce;
    if (message.len > SCRAM_FIRST_MAX)
        return "it is too long";
    const char *wrong = take_header(&rest, &authzid);
    if (wrong)
        return wrong;
    exchange->header_len = message.len - rest.len;
    if (slice_starts(rest, "m="))
        return "it has a mandatory extension";
    if (!take(&rest, 'n', &name) || !take(&rest, 'r', &nonce))
        return "user name and nonce are expected";
    if (!is_nonce(nonce) || nonce.len > SCRAM_NONCE_MAX)
        return "its nonce is malformed";
    wrong = take_user(exchange, name, authzid);
    if (!wrong)
        wrong = pass_extensions(rest);
    if (wrong)
        return wrong;
    memcpy(exchange->said, message.at, message.len);
    exchange->said_len = message.len;
    exchange->nonce = (struct slice){exchange->said + (nonce.at - message.at), nonce.len};
    return NULL;
}

// ---- server-first-message

struct slice scram_challenge_with(struct scram_exchange *exchange, struct slice nonce)
{
    const struct scram_keys *keys = &exchange->keys;
    struct buffer b = buffer_over(exchange->said + exchange->said_len,
                                  sizeof(exchange->said) - exchange->said_len);
    buffer_puts(&b, ",r=");
    buffer_put(&b, exchange->nonce);
    buffer_put(&b, nonce);
    exchange->nonce = slice_from(buffer_slice(&b), 3);
    buffer_puts(&b, ",s=");
    base64_put(&b, keys->salt, keys->salt_len);
    buffer_printf(&b, ",i=%u", (unsigned)keys->iterations);
    struct slice message = slice_from(buffer_slice(&b), 1);
    buffer_putc(&b, ',');
    exchange->said_len += b.len;
    return message;
}

struct slice scram_challenge(struct scram_exchange *exchange)
{
    uint8_t bytes[NONCE_BYTES];
    char text[2 * NONCE_BYTES];
    struct buffer nonce = buffer_over(text, sizeof(text));
    port_random(bytes, sizeof(bytes));
    base64_put(&nonce, bytes, sizeof(bytes));
    return scram_challenge_with(exchange, buffer_slice(&nonce));
}

// ---- client-final-message

static const char *check_final(const struct scram_exchange *exchange, struct slice without_proof)
{
    struct slice rest = without_proof, binding, nonce;
    char header[SCRAM_FIRST_MAX];
    if (!take(&rest, 'c', &binding) || !take(&rest, 'r', &nonce))
        return "channel binding and nonce are expected";
    ptrdiff_t len = base64_decode(header, sizeof(header), binding);
    if (len != (ptrdiff_t)exchange->header_len ||
        memcmp(header, exchange->said, exchange->header_len) != 0)
        return "its channel binding is not that of its first message";
    if (!slice_equal(nonce, exchange->nonce))
        return "its nonce is not the one that was agreed on";
    return pass_extensions(rest);
}

// ClientKey := ClientProof XOR ClientSignature; the proof is good when its hash is StoredKey.
static bool proof_is_good(const struct scram_keys *keys, const uint8_t *proof, size_t size,
                          struct slice auth_message)
{
    uint8_t key[SCRAM_KEY_MAX], hash[SCRAM_KEY_MAX];
    if (!scram_hmac(keys->mechanism, keys->stored_key, auth_message, key))
        return false;
    for (size_t i = 0; i < size; i++)
        key[i] ^= proof[i];
    return scram_hash(keys->mechanism, (struct slice){(const char *)key, size}, hash) &&
           mbedtls_ct_memcmp(hash, keys->stored_key, sizeof(hash)) == 0;
}

const char *scram_final(const struct scram_exchange *exchange, struct slice message,
                        struct buffer *reply)
{
    static char said[sizeof(exchange->said) + SCRAM_MESSAGE_MAX + 1];
    uint8_t proof[SCRAM_KEY_MAX] = {0}, signature[SCRAM_KEY_MAX];
    const struct scram_keys *keys = &exchange->keys;
    size_t size = scram_key_size(keys->mechanism), end = message.len;
    while (end && message.at[end - 1] != ',')
        end--;
    struct slice without_proof = {message.at, end ? end - 1 : 0};
    struct slice last = slice_from(message, end);
    if (message.len > SCRAM_MESSAGE_MAX || !slice_starts(last, "p=") ||
        base64_decode(proof, sizeof(proof), slice_from(last, 2)) != (ptrdiff_t)size)
        return "its proof is malformed";
    const char *wrong = check_final(exchange, without_proof);
    if (wrong)
        return wrong;
    struct buffer b = buffer_over(said, sizeof(said));
    buffer_put(&b, (struct slice){exchange->said + exchange->header_len,
                                  exchange->said_len - exchange->header_len});
    buffer_put(&b, without_proof);
    bool good = proof_is_good(keys, proof, size, buffer_slice(&b));
    if (!good || !exchange->is_user)
        return exchange->is_user ? "wrong password" : "no such user";
    if (!scram_hmac(keys->mechanism, keys->server_key, buffer_slice(&b), signature))
        return "its hash is not built into mbedTLS";
    buffer_puts(reply, "v=");
    base64_put(reply, signature, size);
    return buffer_ok(reply) ? NULL : "the reply is too long";
}
