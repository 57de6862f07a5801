// TLS of the benchmarks' clients: mbedTLS's, over a connected descriptor that blocks.
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls;

// Shakes hands with the certificate in `directory` (cacert.pem, clientcert.pem, clientkey.pem, as
// nanovirt-pki lays them) and takes libvirt's word of welcome. Ends the program when that fails.
struct tls *tls_connect(int fd, const char *directory);
size_t tls_read_some(struct tls *tls, void *to, size_t len); // 0 at the end
// When the peer sent what was read last, by the monotonic clock: the kernel notes it, so that the
// time that a reader waits for a processor does not count.
uint64_t tls_sent_ns(void);
size_t tls_write_some(struct tls *tls, const void *from, size_t len);
void tls_end(struct tls *tls); // the descriptor stays open

#endif
