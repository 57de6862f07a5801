// Linux: a filter of system calls (seccomp(2)), for the daemon and every program it starts.
//
// Emulators inherit the filter and call almost anything, so it names what nobody here ever calls
// and an intruder would: whatever changes the system itself, other processes or name spaces. QEMU
// adds its own, stricter one. A refused call gets EPERM.
//
// The program is a search tree over the calls' numbers: seven comparisons at most, and kernels from
// 5.11 on remember which calls it always lets pass.
#include "port/linux/linux.h"

#include <assert.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

// Calls of other word sizes have other numbers: only the native ones are let pass.
#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define NATIVE AUDIT_ARCH_I386
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define NATIVE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#else
#define NATIVE 0
#endif
#define X32_BIT 0x40000000u // x86_64's calls with 32-bit pointers

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |     \
     CLONE_NEWCGROUP)

// clang-format off
static const uint16_t refused[] = {
    // the kernel itself
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_reboot, SYS_syslog, SYS_acct,
    SYS_swapon, SYS_swapoff, SYS_quotactl, SYS_bpf, SYS_perf_event_open, SYS_lookup_dcookie,
#ifdef SYS_kexec_load
    SYS_kexec_load,
#endif
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_ioperm
    SYS_ioperm,
#endif
#ifdef SYS_iopl
    SYS_iopl,
#endif
#ifdef SYS_modify_ldt
    SYS_modify_ldt,
#endif
    // its clock and its names
    SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_sethostname,
    SYS_setdomainname,
    // what others see of the file system
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_by_handle_at, SYS_setns,
    SYS_unshare,
#ifdef SYS_open_tree
    SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick,
#endif
#ifdef SYS_mount_setattr
    SYS_mount_setattr,
#endif
    // other processes, and the keys of all
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_add_key, SYS_request_key, SYS_keyctl,
#ifndef __SANITIZE_ADDRESS__ // whose leak checker traces its own process
    SYS_ptrace,
#endif
    SYS_vhangup,
};
// clang-format on

#define REFUSED_COUNT (sizeof(refused) / sizeof(refused[0]))
#define PROGRAM_MAX   (16 + 6 * REFUSED_COUNT)
#define FLAGS_AT      (offsetof(struct seccomp_data, args)) // the low half, on little-endian systems

struct program {
    struct sock_filter at[PROGRAM_MAX];
    unsigned short len;
};

static void emit(struct program *program, uint16_t code, uint32_t k, size_t when, size_t when_not)
{
    assert(program->len < PROGRAM_MAX && when < 256 && when_not < 256);
    program->at[program->len++] = (struct sock_filter){code, (uint8_t)when, (uint8_t)when_not, k};
}

static void load(struct program *program, size_t offset)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void give(struct program *program, uint32_t verdict)
{
    emit(program, BPF_RET | BPF_K, verdict, 0, 0);
}

// Refuses when the comparison holds, and goes on otherwise.
static void refuse_if(struct program *program, uint16_t comparison, uint32_t with, uint32_t error)
{
    emit(program, BPF_JMP | comparison | BPF_K, with, 0, 1);
    give(program, SECCOMP_RET_ERRNO | error);
}

// A search tree over sorted numbers; every path through it ends in a verdict.
static void search(struct program *program, const uint16_t *numbers, size_t count)
{
    if (count == 1) {
        refuse_if(program, BPF_JEQ, numbers[0], EPERM);
        give(program, SECCOMP_RET_ALLOW);
        return;
    }
    size_t half = count / 2;
    unsigned short branch = program->len;
    emit(program, BPF_JMP | BPF_JGE | BPF_K, numbers[half], 0, 0);
    search(program, numbers, half);
    size_t left = (size_t)(program->len - branch - 1);
    assert(left < 256);
    program->at[branch].jt = (uint8_t)left;
    search(program, numbers + half, count - half);
}

static void sort(uint16_t *numbers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint16_t number = numbers[i];
        size_t at = i;
        for (; at > 0 && numbers[at - 1] > number; at--)
            numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

// Threads and children are made with clone, name spaces are not. The flags of clone3 are out of a
// filter's sight: told that there is none, C libraries use clone.
static void refuse_namespaces(struct program *program)
{
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
    load(program, FLAGS_AT);
    refuse_if(program, BPF_JSET, NAMESPACES, EPERM);
    give(program, SECCOMP_RET_ALLOW);
#ifdef SYS_clone3
    refuse_if(program, BPF_JEQ, SYS_clone3, ENOSYS);
#endif
}

bool port_filter_calls(void)
{
    if (NATIVE == 0)
        return false;
    struct program program = {.len = 0};
    uint16_t sorted[REFUSED_COUNT];
    for (size_t i = 0; i < REFUSED_COUNT; i++)
        sorted[i] = refused[i];
    sort(sorted, REFUSED_COUNT);
    load(&program, offsetof(struct seccomp_data, arch));
    emit(&program, BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0);
    give(&program, SECCOMP_RET_ERRNO | EPERM);
    load(&program, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    refuse_if(&program, BPF_JGE, X32_BIT, EPERM);
#endif
    refuse_namespaces(&program);
    search(&program, sorted, REFUSED_COUNT);
    const struct sock_fprog filter = {.len = program.len, .filter = program.at};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}
