/* Preloaded into the processes that run tests, where test/all.sh can compile it; without it they run as well, and longer.
 *
 * Node.js starts a process by fork(), which gives the child a copy of all page tables, and then exec(). In a virtual machine that
 * costs 5 to 40 ms a start, by the memory that is in use, and tests start git ten thousand times and more. vfork() copies nothing:
 * the parent waits until the child's exec(), which runs on its memory until then. What libuv's child does in that time (signals,
 * file descriptors, the folder, `environ`) is harmless to the parent but for two things, which are put back here: `environ`, and
 * the frames of the callers, where the compiler lets what only the child needs lie over what only the parent needs.
 *
 * Only for tests, and only for their own process: what they start has no LD_PRELOAD any more (test/support/vfork.ts).
 */
#ifndef __x86_64__
#error "written for x86-64 alone"
#endif
#include <errno.h>

extern char **environ;

/* For each thread: the bytes of its stack above fork's own return address. The callers that the child returns to, libuv's, take 568
 * of them; not many more, because from a shallow call there may be no 8 KB up to the end of the stack. */
__attribute__((used, tls_model("initial-exec"))) __thread char vfork_frames[1024];

__attribute__((used, visibility("hidden"))) int vfork_failed(long error) {
  errno = (int)-error;
  return -1;
}

/* Nothing may be pushed between the system call and the parent's return: the child uses the same stack. */
__asm__(
    ".globl fork\n"
    ".type fork, @function\n"
    "fork:\n"
    "  mov vfork_frames@gottpoff(%rip), %r8\n"
    "  add %fs:0, %r8\n"
    "  mov environ@GOTPCREL(%rip), %r9\n"
    "  mov (%r9), %rdx\n"
    /* Keeps the frames. */
    "  cld\n"
    "  mov %rsp, %rsi\n"
    "  mov %r8, %rdi\n"
    "  mov $1024/8, %ecx\n"
    "  rep movsq\n"
    "  mov $58, %eax\n" /* vfork; it leaves r8, r9 and rdx as they are, in the parent too. */
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jz 1f\n"
    /* The parent: puts both back. */
    "  mov %rdx, (%r9)\n"
    "  mov %r8, %rsi\n"
    "  mov %rsp, %rdi\n"
    "  mov $1024/8, %ecx\n"
    "  rep movsq\n"
    "  js 2f\n"
    "1: ret\n"
    "2: mov %rax, %rdi\n"
    "  jmp vfork_failed\n"
    ".size fork, . - fork\n");
