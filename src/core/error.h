// Errors: libvirt's error code, the part of libvirt it came from, and a message.
//
// A function that can fail takes a `struct error *` and returns false (or NULL, or -1). It sets the
// error exactly once, where the failure is noticed. `code == 0` means no error. Codes and domains
// are libvirt's (https://libvirt.org/html/libvirt-virterror.html); they live in
// core/error_codes.h.
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include "core/error_codes.h"

#include <stdarg.h>
#include <stdbool.h>

#define ERROR_MESSAGE_MAX 512 // bytes with the NUL; a longer message is cut

struct error {
    int code;                        // enum error_code (VIR_ERR_*), 0 for none
    int domain;                      // enum error_domain (VIR_FROM_*)
    char message[ERROR_MESSAGE_MAX]; // libvirt's wording for the code, then ours
};

// Sets the error, unless one is set already: the first cause is the one that is told. The message
// gets the code's standard prefix, as virsh users know it: VIR_ERR_NO_DOMAIN becomes
// "Domain not found: ...". Always returns false.
bool error_set(struct error *err, int domain, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool error_vset(struct error *err, int domain, int code, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));
// As error_set(), without the code's prefix: how libvirt reports what is wrong with an argument of
// a public function (its virReportInvalidArg).
bool error_set_plain(struct error *err, int domain, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static inline bool error_is_set(const struct error *err)
{
    return err->code != 0;
}
void error_clear(struct error *err);

// The VIR_FROM_* of what a public function reports itself: "virNetworkCreate" is VIR_FROM_NETWORK.
int error_domain_of_api(const char *api);

#endif
