/* noclock PROGRAM ARGUMENT...: runs a program that cannot move the machine's clock.
 *
 * The right to set the clock is dropped for good, and the kernel answers each of
 * the calls that would set it with success and does nothing. So daemons that give
 * up when they may not steer (ntpd-rs, OpenNTPD) live on, and no path through
 * fork, exec, chroot, another libc or a bug leads back to the clock.
 *
 * noclock --state: prints the kernel's frequency, tick and status, to be compared
 * before and after.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>
#include <linux/capability.h>

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv)
#define THIS_ARCH AUDIT_ARCH_RISCV64
#else
#error "add this machine's audit architecture"
#endif

/* Above this, x86_64 takes calls by the x32 numbering: all refused. */
#define X32_BIT 0x40000000

#define PRETEND(nr)                                        \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),       \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0)

static int fail(const char *what)
{
    fprintf(stderr, "noclock: %s: %s\n", what, strerror(errno));
    return 125;
}

static int drop_right(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct sets[2];
    const unsigned mask = 1u << CAP_SYS_TIME;

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
    if (prctl(PR_CAPBSET_READ, CAP_SYS_TIME) == 1 && prctl(PR_CAPBSET_DROP, CAP_SYS_TIME) != 0)
        return -1;
    if (syscall(SYS_capget, &head, sets) != 0) return -1;
    sets[0].effective &= ~mask;
    sets[0].permitted &= ~mask;
    sets[0].inheritable &= ~mask;
    return (int)syscall(SYS_capset, &head, sets);
}

static int blunt_calls(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        PRETEND(SYS_clock_settime),
        PRETEND(SYS_settimeofday),
        PRETEND(SYS_adjtimex),
        PRETEND(SYS_clock_adjtime),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int print_state(void)
{
    struct timex now;

    memset(&now, 0, sizeof now);
    if (adjtimex(&now) < 0) return fail("adjtimex");
    printf("freq=%ld tick=%ld status=%d\n", now.freq, now.tick, now.status);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--state") == 0) return print_state();
    if (argc < 2) {
        fputs("usage: noclock PROGRAM ARGUMENT... | noclock --state\n", stderr);
        return 125;
    }
    if (drop_right() != 0) return fail("cannot drop the right to set the clock");
    if (blunt_calls() != 0) return fail("cannot blunt the calls that set the clock");
    execvp(argv[1], argv + 1);
    fail(argv[1]);
    return 127;
}
