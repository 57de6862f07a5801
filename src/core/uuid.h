// UUIDs (RFC 4122): from text and to text.
#ifndef CORE_UUID_H
#define CORE_UUID_H

#include "core/slice.h"

#define UUID_TEXT_SIZE 37 // with the NUL

void uuid_format(const uint8_t uuid[16], char to[UUID_TEXT_SIZE]);
// As libvirt reads it: 32 hexadecimal digits, with hyphens and blanks anywhere between them. False
// leaves `uuid` with anything.
bool uuid_parse(struct slice text, uint8_t uuid[16]);

#endif
