// tls_priority: which versions of TLS may be spoken.
#include "net/tls/priority.h"

static const struct tls_versions none, all = {true, true};
static const struct tls_versions only_12 = {.tls12 = true}, only_13 = {.tls13 = true};

// What each word takes away and adds. Those of the first group begin a string; versions below 1.2
// are never spoken, so taking them away changes nothing.
static const struct {
    const char *word;
    const struct tls_versions *removes, *adds;
} words[] = {
    {"NORMAL", &none, &all},
    {"PERFORMANCE", &none, &all},
    {"PFS", &none, &all},
    {"SECURE", &none, &all},
    {"SECURE128", &none, &all},
    {"@SYSTEM", &none, &all},
    {"@LIBVIRT,SYSTEM", &none, &all},
    {"-VERS-ALL", &all, &none},
    {"-VERS-TLS-ALL", &all, &none},
    {"+VERS-TLS1.2", &none, &only_12},
    {"+VERS-TLS1.3", &none, &only_13},
    {"-VERS-TLS1.2", &only_12, &none},
    {"-VERS-TLS1.3", &only_13, &none},
    {"-VERS-TLS1.1", &none, &none},
    {"-VERS-TLS1.0", &none, &none},
    {"-VERS-SSL3.0", &none, &none},
    {"!VERS-TLS1.2", &only_12, &none},
    {"!VERS-TLS1.3", &only_13, &none},
    {"!VERS-TLS1.1", &none, &none},
    {"!VERS-TLS1.0", &none, &none},
    {"!VERS-SSL3.0", &none, &none},
};

static bool apply(struct slice word, struct tls_versions *versions)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!slice_is(word, words[i].word))
            continue;
        versions->tls12 = (versions->tls12 && !words[i].removes->tls12) || words[i].adds->tls12;
        versions->tls13 = (versions->tls13 && !words[i].removes->tls13) || words[i].adds->tls13;
        return true;
    }
    return false;
}

bool tls_priority_read(struct slice priority, struct tls_versions *versions, struct error *err)
{
    struct slice rest = priority.len ? priority : SLICE("NORMAL"), word;
    *versions = none;
    while (slice_split(&rest, ':', &word))
        if (!apply(word, versions))
            return error_set(
                err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                "Failed to set TLS session priority to %.*s: '%.*s' means nothing to "
                "this daemon, which only lets versions be chosen (NORMAL:-VERS-TLS1.3)",
                SLICE_ARG(priority), SLICE_ARG(word));
    versions->tls13 = versions->tls13 && tls_library_has_13();
    if (versions->tls12 || versions->tls13)
        return true;
    return error_set(err, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Failed to set TLS session priority to %.*s: no version of TLS is left that "
                     "this daemon speaks",
                     SLICE_ARG(priority));
}
