// Values of the contract's types as wire bytes: made up, or a given one changed in one place. It
// walks the descriptors and shares nothing with the interpreter of rpc/xdr.c.
#ifndef TEST_FUZZ_WIRE_H
#define TEST_FUZZ_WIRE_H

#include "fuzz.h"
#include "rpc/xdr.h"

// What the daemon is likely to know: these come often, so that calls are about something.
#define WIRE_NAME "other"
#define WIRE_UUID "c7a5fdbd-edaf-9455-926a-d65c16db1809"

// Both return the number of bytes; 0 when they do not fit into `size`.
size_t wire_make(const struct xdr_type *type, uint8_t *out, size_t size,
                 struct fuzz_random *random);
// Where `in` ends too early, the rest is made up.
size_t wire_change(const struct xdr_type *type, const uint8_t *in, size_t len, uint8_t *out,
                   size_t size, struct fuzz_random *random);

#endif
