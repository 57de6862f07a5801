// SCRAM: what a client may send in its two messages. A line feed parts them; in the second one
// "%" stands for the nonce that was agreed on.
#include "fuzz.h"

#include "auth/scram.h"
#include "text/utf8.h"

static struct scram_exchange exchange;

static void check_name(void)
{
    struct slice name = slice_of(exchange.name);
    FUZZ_CHECK(name.len > 0 && utf8_valid(name));
    for (size_t i = 0; i < name.len; i++)
        FUZZ_CHECK((unsigned char)name.at[i] >= 0x20 && name.at[i] != 0x7F);
}

static struct slice with_nonce(struct slice text)
{
    static char memory[4 * SCRAM_MESSAGE_MAX];
    struct buffer b = buffer_over(memory, sizeof(memory));
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '%')
            buffer_put(&b, exchange.nonce);
        else
            buffer_putc(&b, text.at[i]);
    }
    return buffer_slice(&b);
}

void fuzz_one(struct slice input)
{
    struct slice first = SLICE_NONE;
    char text[128];
    struct buffer reply = buffer_over(text, sizeof(text));
    memset(&exchange, 0, sizeof(exchange));
    slice_split(&input, '\n', &first);
    if (scram_first(&exchange, first))
        return;
    check_name();
    exchange.keys = (struct scram_keys){.iterations = UINT32_MAX, .salt_len = SCRAM_SALT_MAX};
    exchange.is_user = true;
    struct slice challenge = scram_challenge(&exchange);
    FUZZ_CHECK(exchange.said_len < sizeof(exchange.said) &&
               slice_ends(challenge, ",i=4294967295") && slice_contains(challenge, "r="));
    // Nobody guesses a proof.
    FUZZ_CHECK(scram_final(&exchange, with_nonce(input), &reply) != NULL && reply.len == 0);
}
