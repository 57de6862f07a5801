// The part of the port that describes the host: processors, memory, NUMA cells, firmware tables.
// Included by port/port.h; the same conventions hold.
//
// Everything is read anew by each call, so what is plugged in or out is seen. A host without NUMA
// has no cells: port_cells() says -ENOENT, and cell -1 ("the whole host") is all there is.
#ifndef PORT_HOST_H
#define PORT_HOST_H

#include "core/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// For tests: describe the host whose /proc, /sys, /dev and /etc lie below this directory. NULL:
// this one.
void port_host_root(const char *path);

int port_hostname(char *to, size_t size);
int port_machine(char *to, size_t size); // "x86_64", "aarch64", as uname(2) says

// ---- processors ---------------------------------------------------------------------------------

// Bit 0 of byte 0 is processor 0. Processors from CONFIG_HOST_CPUS on are not seen.
struct port_cpuset {
    uint8_t bits[(CONFIG_HOST_CPUS + 7) / 8];
};

bool port_cpuset_has(const struct port_cpuset *set, unsigned cpu);
void port_cpuset_add(struct port_cpuset *set, unsigned cpu);
unsigned port_cpuset_count(const struct port_cpuset *set);
unsigned port_cpuset_end(const struct port_cpuset *set); // the highest member + 1; 0 when empty

int port_cpus_present(struct port_cpuset *set);
int port_cpus_online(struct port_cpuset *set);

struct port_cpu {
    unsigned socket, die, core;  // ids as the firmware gave them, 0 where it gave none
    struct port_cpuset siblings; // the threads of its core, itself among them
};

int port_cpu_describe(unsigned cpu, struct port_cpu *to);
unsigned port_cpu_mhz(void); // 0 when unknown
// What the system calls the kind of its processors ("ARMv7 Processor rev 4 (v7l)"); -ENOENT when it
// does not say.
int port_cpu_name(char *to, size_t size);

struct port_cpu_times {
    uint64_t kernel_ns, user_ns, idle_ns, iowait_ns; // since the start of the system
    uint64_t stolen_ns;                              // what a virtual machine's host gave to others
};

int port_cpu_times(int cpu, struct port_cpu_times *to); // -1: all together; -ENOENT: no such one

enum port_cache_kind { PORT_CACHE_BOTH, PORT_CACHE_CODE, PORT_CACHE_DATA };

struct port_cache {
    unsigned id, level;
    enum port_cache_kind kind;
    uint64_t size; // bytes
    struct port_cpuset cpus;
};

#define PORT_CACHES_MAX 16 // of one processor
// A processor's n-th cache; -ENOENT for one that is not there or not described whole.
int port_cpu_cache(unsigned cpu, unsigned nth, struct port_cache *to);

// The cpuid instruction: eax, ebx, ecx, edx of a leaf. False on another kind of processor.
bool port_x86_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4]);
int port_x86_msr(uint32_t index, uint64_t *value);
uint32_t port_x86_microcode(void);            // 0 when unknown
unsigned port_x86_physical_bits(void);        // of an address; 0 when unknown
int port_x86_tsc(uint64_t *hz, bool *scales); // as KVM tells it; asked once, then remembered
// The main identification register and the kernel's AT_HWCAP bits. -ENOENT on another processor.
int port_arm_identity(uint64_t *midr, uint64_t *capabilities);

// ---- memory and NUMA cells ----------------------------------------------------------------------

struct port_cellset {
    uint8_t bits[(CONFIG_HOST_CELLS + 7) / 8];
};

bool port_cellset_has(const struct port_cellset *set, unsigned cell);
unsigned port_cellset_end(const struct port_cellset *set); // the highest cell + 1
int port_cells(struct port_cellset *set);
int port_cell_cpus(int cell, struct port_cpuset *set); // those that are offline too
// How far the cells are from this one, in the order of their numbers (10: itself). Returns how
// many.
int port_cell_distances(unsigned cell, unsigned *to, size_t max);

struct port_memory {
    uint64_t total, free;     // KiB
    uint64_t buffers, cached; // KiB, of the whole host only
};

int port_memory(int cell, struct port_memory *to);

struct port_pages {
    unsigned size;        // KiB
    uint64_t total, free; // how many
};

#define PORT_PAGES_MAX 8 // sizes that a processor has
// The pools of pages, by rising size: the system's own pages (without those in the others) and the
// huge ones. Returns how many there are.
int port_pages(int cell, struct port_pages pages[PORT_PAGES_MAX]);
// Sets the number of huge pages of a size (KiB); the kernel may reserve fewer, see port_pages().
// May block.
int port_pages_reserve(int cell, unsigned size, uint64_t count);

// ---- firmware and virtualization ----------------------------------------------------------------

int port_host_uuid(char to[37]);  // the firmware's, as text; -ENOENT when it has none
int port_machine_id(char to[37]); // systemd's machine-id(5), 32 hexadecimal digits; -ENOENT
// The SMBIOS structure table, of a longer one its first `size` bytes. Returns how many.
ptrdiff_t port_smbios(void *to, size_t size);
bool port_has_iommu(void);
bool port_has_cgroups(void); // control groups that limit processes are mounted

#endif
