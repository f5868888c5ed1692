#define _GNU_SOURCE
#include "entry.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

bool refuse(const char *what) {
  fprintf(stderr, "cofferdam: the walls of the box are not as they should be: %s\n", what);
  return false;
}

bool check_walls(bool own_kernel) {
  static char status[8192];
  if (getuid() == 0 || geteuid() == 0) return refuse("it runs as root");
  if (!read_file("/proc/self/status", status, sizeof status)) return refuse("/proc/self/status cannot be read");
  static const char *const needed[][2] = {
      {"\nCapInh:\t0000000000000000\n", "it could inherit capabilities"},
      {"\nCapPrm:\t0000000000000000\n", "it is permitted capabilities"},
      {"\nCapEff:\t0000000000000000\n", "it has capabilities (CapEff is not 0)"},
      {"\nCapBnd:\t0000000000000000\n", "it could gain capabilities (CapBnd is not 0)"},
      {"\nNoNewPrivs:\t1\n", "it could gain privileges (NoNewPrivs is not 1)"},
      {"\nSeccomp:\t2\n", "its system calls are not filtered (Seccomp is not 2)"},
  };
  for (size_t i = 0; i < sizeof needed / sizeof *needed - (own_kernel ? 1 : 0); i++)
    if (strstr(status, needed[i][0]) == NULL) return refuse(needed[i][1]);
  return true;
}

#if defined __x86_64__
enum { own_machine = AUDIT_ARCH_X86_64 };
#elif defined __aarch64__
enum { own_machine = AUDIT_ARCH_AARCH64 };
#endif

#define ANSWER(number) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (number))
#define DENY(call, number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), ANSWER(number)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))

bool close_calls(void) {
  struct sock_filter filter[] = {
      LOAD(arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own_machine, 1, 0),
      ANSWER(ENOSYS),
      LOAD(nr),
#if defined __x86_64__
      /* The x32 numbers. */
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x40000000, 0, 1),
      ANSWER(ENOSYS),
#endif
      DENY(SYS_io_uring_setup, ENOSYS),
      DENY(SYS_io_uring_enter, ENOSYS),
      DENY(SYS_io_uring_register, ENOSYS),
      DENY(SYS_userfaultfd, EPERM),
      DENY(SYS_bpf, EPERM),
      DENY(SYS_perf_event_open, EPERM),
      DENY(SYS_ptrace, EPERM),
      DENY(SYS_process_vm_readv, EPERM),
      DENY(SYS_process_vm_writev, EPERM),
      DENY(SYS_pidfd_getfd, EPERM),
      DENY(SYS_add_key, EPERM),
      DENY(SYS_request_key, EPERM),
      DENY(SYS_keyctl, EPERM),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      LOAD(args[0]),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0),
      ANSWER(EAFNOSUPPORT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
