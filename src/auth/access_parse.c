// Access rules: the parser of their file.
//
//     allow|deny  WHO... : PERMISSION... [: OBJECT...]
//
// A rule goes on in lines that begin with a blank. '#' begins a comment, double quotes take blanks,
// colons and '#' into a word.
#include "auth/access_rules.h"
#include "core/uuid.h"
#include "port/port.h"

#include <stdio.h>
#include <string.h>

#define WORD_SIZE (IDENTITY_DNAME_MAX + 64)

enum token { TOKEN_WORD, TOKEN_COLON, TOKEN_END };

struct parser {
    struct slice rest; // not yet read
    uint32_t line;
    const char *file;
    struct error *err;
    struct access_rules *rules;
    struct access_rule *rule; // that is being read
    char word[WORD_SIZE];     // the last one, without its quotes; at `value` after a first '='
    char *value;              // NULL: there was no '='
};

// ---- errors

static bool fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct parser *p, const char *format, ...)
{
    char reason[ERROR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    return error_set(p->err, VIR_FROM_ACCESS, VIR_ERR_CONF_SYNTAX, "%s:%u: %s", p->file, p->line,
                     reason);
}

// ---- words

static bool at_end(const struct parser *p)
{
    return p->rest.len == 0;
}

static char peek(const struct parser *p)
{
    return at_end(p) ? '\0' : p->rest.at[0];
}

static char take(struct parser *p)
{
    char c = peek(p);
    p->rest = slice_from(p->rest, 1);
    p->line += c == '\n';
    return c;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

// Passes over blanks, comments, and ends of lines behind which the rule goes on. False at the
// rule's end.
static bool pass_blanks(struct parser *p)
{
    for (;;) {
        while (is_blank(peek(p)))
            take(p);
        if (peek(p) == '#')
            while (!at_end(p) && peek(p) != '\n')
                take(p);
        if (at_end(p))
            return false;
        if (peek(p) != '\n')
            return true;
        if (p->rest.len < 2 || !is_blank(p->rest.at[1]))
            return false;
        take(p);
    }
}

// The first '=' ends the word's first half with a NUL.
static bool put_in_word(struct parser *p, size_t *len, char c, bool quoted)
{
    bool splits = c == '=' && !quoted && !p->value;
    if ((unsigned char)c < ' ' && c != '\t')
        return fail(p, "there is a control character (%u)", (unsigned)(unsigned char)c);
    if (*len + 1 >= sizeof(p->word))
        return fail(p, "a word is longer than %d bytes", WORD_SIZE - 1);
    p->word[(*len)++] = splits ? '\0' : c;
    if (splits)
        p->value = p->word + *len;
    return true;
}

static bool take_word(struct parser *p)
{
    size_t len = 0;
    bool quoted = false;
    p->value = NULL;
    while (!at_end(p) && peek(p) != '\n' &&
           (quoted || !(is_blank(peek(p)) || peek(p) == ':' || peek(p) == '#'))) {
        char c = take(p);
        if (c == '"')
            quoted = !quoted;
        else if (!put_in_word(p, &len, c, quoted))
            return false;
    }
    p->word[len] = '\0';
    return !quoted || fail(p, "a quote is not closed");
}

// False with the error set.
static bool next_token(struct parser *p, enum token *token)
{
    *token = TOKEN_END;
    if (!pass_blanks(p))
        return true;
    *token = peek(p) == ':' ? TOKEN_COLON : TOKEN_WORD;
    if (*token == TOKEN_WORD)
        return take_word(p);
    take(p);
    return true;
}

// ---- terms

static bool add_text(struct parser *p, const void *text, size_t len, uint32_t *at)
{
    struct access_rules *rules = p->rules;
    if (rules->text_length + len > sizeof(rules->text))
        return fail(p, "the rules are longer than %d bytes, CONFIG_ACCESS_TEXT",
                    CONFIG_ACCESS_TEXT);
    memcpy(rules->text + rules->text_length, text, len);
    *at = rules->text_length;
    rules->text_length += (uint32_t)len;
    return true;
}

static bool add_pattern(struct parser *p, const char *pattern, uint32_t *at)
{
    return add_text(p, pattern, strlen(pattern) + 1, at);
}

static bool add_term(struct parser *p, const struct access_term *term)
{
    if (p->rules->term_count == CONFIG_ACCESS_TERMS)
        return fail(p, "too many conditions and objects: limit is %d, CONFIG_ACCESS_TERMS",
                    CONFIG_ACCESS_TERMS);
    p->rules->terms[p->rules->term_count++] = *term;
    return true;
}

// ---- who

static bool read_user(struct parser *p, struct access_term *term)
{
    uint32_t gid;
    return port_user_lookup(p->value, &term->value, &gid) == 0 ||
           fail(p, "there is no user '%s' in /etc/passwd; one that is elsewhere goes by number",
                p->value);
}

static bool read_group(struct parser *p, struct access_term *term)
{
    return port_group_lookup(p->value, &term->value) == 0 ||
           fail(p, "there is no group '%s' in /etc/group; one that is elsewhere goes by number",
                p->value);
}

static bool read_pattern(struct parser *p, struct access_term *term)
{
    return add_pattern(p, p->value, &term->value);
}

static bool read_transport(struct parser *p, struct access_term *term)
{
    static const char *const names[] = {"unix", "tcp", "tls", "cable"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(p->value, names[i]) == 0)
            return add_pattern(p, names[i], &term->value);
    return fail(p, "there is no transport '%s': unix, tcp, tls, cable", p->value);
}

static bool read_mode(struct parser *p, struct access_term *term)
{
    term->value = strcmp(p->value, "read-only") == 0;
    return term->value || strcmp(p->value, "read-write") == 0 ||
           fail(p, "there is no mode '%s': read-only, read-write", p->value);
}

static const struct {
    const char *name;
    bool (*read)(struct parser *p, struct access_term *term);
} who_kinds[WHO_KINDS] = {
    [WHO_USER] = {"user", read_user},
    [WHO_GROUP] = {"group", read_group},
    [WHO_SASL] = {"sasl", read_pattern},
    [WHO_DN] = {"dn", read_pattern},
    [WHO_TRANSPORT] = {"transport", read_transport},
    [WHO_READ_ONLY] = {"mode", read_mode},
};

static bool read_who(struct parser *p)
{
    struct access_term term = {0};
    if (!p->value)
        return strcmp(p->word, "anybody") == 0 ||
               fail(p,
                    "'%s' is nobody: it must be anybody, user=, group=, sasl=, dn=, transport= "
                    "or mode=",
                    p->word);
    for (int i = 0; i < WHO_KINDS; i++) {
        if (strcmp(p->word, who_kinds[i].name) != 0)
            continue;
        term.kind = (uint8_t)i;
        p->rule->who_count++;
        if (!p->value[0])
            return fail(p, "there is nothing behind %s=", p->word);
        return who_kinds[i].read(p, &term) && add_term(p, &term);
    }
    return fail(p, "'%s=' is no condition: there are user=, group=, sasl=, dn=, transport=, mode=",
                p->word);
}

// ---- permissions

static bool in_view(const char *object, const char *permission)
{
    (void)object;
    return strcmp(permission, "getattr") == 0 || strcmp(permission, "read") == 0 ||
           slice_starts(slice_of(permission), "search_");
}

// What changes a guest's state and goes into and out of it, but neither its definition nor any
// file of the host: "hibernate" and "core_dump" are not in it, because they write where the client
// says.
static bool in_operate(const char *object, const char *permission)
{
    static const char *const operate[] = {
        "start",         "stop",        "reset",      "suspend",    "init_control",
        "pm_control",    "send_signal", "send_input", "inject_nmi", "open_device",
        "open_graphics", "screenshot",  "set_time",   "fs_trim",    "fs_freeze"};
    if (strcmp(object, "domain") != 0)
        return false;
    for (size_t i = 0; i < sizeof(operate) / sizeof(operate[0]); i++)
        if (strcmp(permission, operate[i]) == 0)
            return true;
    return false;
}

static bool in_all(const char *object, const char *permission)
{
    (void)object;
    (void)permission;
    return true;
}

typedef bool set_fn(const char *object, const char *permission);

static set_fn *set_of(const char *name)
{
    static const struct {
        const char *name;
        set_fn *has;
    } sets[] = {{"all", in_all}, {"view", in_view}, {"operate", in_operate}};
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        if (strcmp(name, sets[i].name) == 0)
            return sets[i].has;
    return NULL;
}

// Whether the word, a set or OBJECT.PERMISSION with wildcards, is about this one.
static bool names_permission(struct parser *p, set_fn *set, uint8_t index)
{
    const char *object = contract_names + contract_permissions[index].object;
    const char *permission = contract_names + contract_permissions[index].permission;
    char name[128];
    if (set)
        return set(object, permission);
    snprintf(name, sizeof(name), "%s.%s", object, permission);
    return slice_matches(slice_of(name), p->word);
}

static bool read_permission(struct parser *p)
{
    set_fn *set = set_of(p->word);
    bool found = false;
    if (p->value)
        return fail(p, "'%s=' is no permission", p->word);
    for (uint8_t i = 1; (set || strchr(p->word, '.')) && i < contract_permission_count; i++) {
        if (!names_permission(p, set, i))
            continue;
        p->rule->permissions[i / 8] |= (uint8_t)(1u << i % 8);
        found = true;
    }
    return found || fail(p, "there is no permission '%s'", p->word);
}

// ---- objects

// The name of a volume or a port stands behind that of its pool or network: POOL/VOLUME.
static bool read_nested(struct parser *p, struct access_term *term)
{
    char *slash = strchr(p->value, '/');
    if (!slash || slash == p->value || !slash[1])
        return fail(p, "%s=%s must be %s", p->word, p->value,
                    term->object == ACCESS_STORAGE_VOL ? "POOL/VOLUME" : "NETWORK/UUID");
    *slash = '\0';
    return add_pattern(p, p->value, &term->parent) && add_pattern(p, slash + 1, &term->value);
}

static bool read_uuid(struct parser *p, struct access_term *term)
{
    uint8_t uuid[16];
    term->kind = WHICH_UUID;
    return uuid_parse(slice_of(p->value), uuid) ? add_text(p, uuid, 16, &term->value)
                                                : fail(p, "'%s' is no uuid", p->value);
}

static bool read_object(struct parser *p)
{
    struct access_term term = {.kind = WHICH_NAME};
    if (!p->value || !p->value[0])
        return fail(p, "'%s' is no object: KIND=NAME or uuid=UUID", p->word);
    p->rule->which_count++;
    if (strcmp(p->word, "uuid") == 0)
        return read_uuid(p, &term) && add_term(p, &term);
    enum access_kind kind = access_kind_of(slice_of(p->word));
    if (kind == ACCESS_KINDS || kind == ACCESS_CONNECT)
        return fail(p, "there is no kind of object '%s'", p->word);
    term.object = (uint8_t)kind;
    if (kind == ACCESS_STORAGE_VOL || kind == ACCESS_NETWORK_PORT)
        return read_nested(p, &term) && add_term(p, &term);
    return add_pattern(p, p->value, &term.value) && add_term(p, &term);
}

// ---- rules

// Reads one part of a rule up to the colon or the end behind it.
static bool read_part(struct parser *p, bool (*read)(struct parser *p), const char *what,
                      enum token *token)
{
    int count = 0;
    for (;; count++) {
        if (!next_token(p, token))
            return false;
        if (*token != TOKEN_WORD)
            break;
        if (!read(p))
            return false;
    }
    return count > 0 || fail(p, "the rule does not say %s", what);
}

static bool begin_rule(struct parser *p)
{
    struct access_rules *rules = p->rules;
    if (rules->rule_count == CONFIG_ACCESS_RULES)
        return fail(p, "too many rules: limit is %d, CONFIG_ACCESS_RULES", CONFIG_ACCESS_RULES);
    p->rule = &rules->rules[rules->rule_count++];
    *p->rule = (struct access_rule){.line = p->line, .who = (uint16_t)rules->term_count};
    p->rule->allow = !p->value && strcmp(p->word, "allow") == 0;
    return p->rule->allow || (!p->value && strcmp(p->word, "deny") == 0) ||
           fail(p, "a rule begins with allow or deny, not with '%s'", p->word);
}

static bool read_rule(struct parser *p)
{
    enum token token = TOKEN_WORD;
    if (!begin_rule(p) || !read_part(p, read_who, "who may", &token))
        return false;
    if (token != TOKEN_COLON)
        return fail(p, "the rule does not say what: allow|deny WHO... : PERMISSION...");
    if (!read_part(p, read_permission, "what", &token))
        return false;
    p->rule->which = (uint16_t)p->rules->term_count;
    if (token == TOKEN_COLON && !read_part(p, read_object, "on which objects", &token))
        return false;
    return token == TOKEN_END || fail(p, "there is a colon too many");
}

bool access_rules_read(struct access_rules *rules, struct slice text, const char *file,
                       struct error *err)
{
    struct parser p = {.rest = text, .line = 1, .file = file, .err = err, .rules = rules};
    rules->rule_count = rules->term_count = 0;
    rules->text_length = 1;
    for (;;) {
        enum token token;
        if (!next_token(&p, &token))
            return false;
        if (token == TOKEN_COLON)
            return fail(&p, "a rule begins with allow or deny");
        if (token == TOKEN_WORD && !read_rule(&p))
            return false;
        if (at_end(&p))
            return true;
        take(&p); // the end of the line
    }
}
