// Access rules as they lie in memory: between the parser and the matcher.
#ifndef AUTH_ACCESS_RULES_H
#define AUTH_ACCESS_RULES_H

#include "auth/access.h"
#include "rpc/xdr.h"

// Conditions on who asks: at least one of each kind that a rule has must hold.
enum access_who_kind {
    WHO_USER,      // value: the uid
    WHO_GROUP,     // the gid
    WHO_SASL,      // where the pattern is, in the text
    WHO_DN,        // likewise
    WHO_TRANSPORT, // likewise
    WHO_READ_ONLY, // bool
    WHO_KINDS,
};

// The objects of a rule: one of them must be the one that is asked about.
enum access_which { WHICH_NAME, WHICH_UUID };

struct access_term {
    uint8_t kind;    // enum access_who_kind, or enum access_which
    uint8_t object;  // WHICH_NAME: enum access_kind
    uint32_t parent; // where the pattern of the pool's or the network's name is, 0: there is none
    uint32_t value;  // where the pattern or the uuid is in the text, or a number
};

struct access_rule {
    uint32_t line;
    bool allow;
    uint16_t who, who_count;     // in `terms`
    uint16_t which, which_count; // likewise; none: any object
    uint8_t permissions[XDR_PERMISSIONS_MAX / 8];
};

struct access_rules {
    uint32_t rule_count, term_count, text_length;
    struct access_rule rules[CONFIG_ACCESS_RULES];
    struct access_term terms[CONFIG_ACCESS_TERMS];
    char text[CONFIG_ACCESS_TEXT]; // patterns with their NULs and uuids; nothing lies at 0
};

// Reads a whole file of rules (auth/access_parse.c). Errors as access_parse().
bool access_rules_read(struct access_rules *rules, struct slice text, const char *file,
                       struct error *err);

#endif
