// The part of the port that describes the host: processors, memory, NUMA cells, firmware tables.
// Included by port/port.h; the same conventions hold.
#ifndef PORT_HOST_H
#define PORT_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int port_hostname(char *to, size_t size);
int port_machine(char *to, size_t size); // "x86_64", "aarch64", as uname(2) says

#endif
