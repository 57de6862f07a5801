// Slices: a pointer and a length into bytes that somebody else owns.
//
// Everything that arrives (an RPC string, an XML attribute, a QMP value) is handed on as a slice of
// the buffer it came in, so nothing is copied and nothing has to be freed. A slice is not
// NUL-terminated. `at == NULL` means "absent", which is not the same as empty.
#ifndef CORE_SLICE_H
#define CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *at;
    size_t len;
};

// printf: "%.*s" with SLICE_ARG(s). Of an absent slice nothing is printed: a precision of 0 keeps
// every printf from looking at the pointer.
#define SLICE_ARG(s) (int)(s).len, (s).at

// A slice of a string literal.
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
#define SLICE_NONE     ((struct slice){NULL, 0})

// A slice of a NUL-terminated string; NULL gives the absent slice.
struct slice slice_of(const char *string);
static inline bool slice_present(struct slice s)
{
    return s.at != NULL;
}
// Equal bytes; absent equals only absent.
bool slice_equal(struct slice a, struct slice b);
// Equal to a NUL-terminated string. An absent slice equals nothing.
bool slice_is(struct slice s, const char *string);
bool slice_starts(struct slice s, const char *prefix);
bool slice_ends(struct slice s, const char *suffix);
// The position of the first byte `c`, or -1.
ptrdiff_t slice_find(struct slice s, char c);
bool slice_contains(struct slice s, const char *needle);
struct slice slice_from(struct slice s, size_t start);
// Whether all of it fits a pattern in which '*' stands for any characters and '?' for one of them
// (UTF-8), as GLib's g_pattern_match_simple() has it. Nothing takes their meaning away.
bool slice_matches(struct slice s, const char *pattern);
// Without leading and trailing white space (blank, tab, CR, LF).
struct slice slice_trim(struct slice s);
// Takes the part before the first `separator` off the front of *rest; false when *rest is used up.
bool slice_split(struct slice *rest, char separator, struct slice *part);
// Copies at most size-1 bytes and a NUL; false when it did not fit (nothing is then written but a
// NUL) or when it holds a NUL.
bool slice_copy(char *to, size_t size, struct slice s);

// Whole-slice numbers: no sign for unsigned, no blanks, nothing left over, no overflow.
// Base 0 is what the prefix says, as in C and so in libvirt's parsers: 0x 16, 0 8, else 10.
bool slice_u64(struct slice s, int base, uint64_t *value);
bool slice_i64(struct slice s, int base, int64_t *value);
bool slice_u32(struct slice s, int base, uint32_t *value);

#endif
