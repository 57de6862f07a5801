// SASLprep (RFC 4013): which names and passwords may be used.
//
// SASLprep maps and normalizes (Unicode's form KC) before it compares, which takes tables larger
// than this daemon's authentication. So only what it certainly leaves as it is may be used: the
// printable characters of ASCII, and those letters of Latin, Greek, Cyrillic, Japanese, Chinese and
// Korean that have no other form. Whatever SASLprep maps, decomposes, forbids or does not know is
// refused, and a client that does the whole of it comes to the same bytes as one that does nothing.
#ifndef AUTH_SASLPREP_H
#define AUTH_SASLPREP_H

#include "core/slice.h"

// NULL when it may be used, else the reason why not.
const char *saslprep_refuses(struct slice s);

#endif
