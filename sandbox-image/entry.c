/*
 * The first program of a box: /cofferdam/entry [--own-kernel] <seconds> <stdin-file|-> -- <argv...>
 *
 * Refuses to go on where the box is not walled as it should be. Where the box has a channel, relays 127.0.0.1:3128 to it.
 * Then closes calls to the kernel that the engine leaves open, and runs argv in the current folder with the file (or nothing, for `-`) as its standard input, for at most that many
 * seconds. Its exit code is argv's own, or 128 and the signal that ended it; 124 at the deadline, 125 where it refuses, 126
 * where argv or the file cannot be opened, 127 where it is not found. At the deadline every process of the box is asked to
 * end, and killed five seconds later. The engine ends all others when this one ends.
 *
 * --own-kernel: the runtime has a kernel of its own, which knows nothing of the engine's seccomp filter.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { late = 124, refused = 125, not_run = 126, not_found = 127 };
enum { port = 3128, grace_ms = 5000 };
static const char channel[] = "/cofferdam/channel/s";

static long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The first bytes of a small file; false where it cannot be read. */
static bool read_file(const char *path, char *into, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  size_t had = 0;
  for (ssize_t got; had < size - 1 && (got = read(file, into + had, size - 1 - had)) > 0;) had += (size_t)got;
  into[had] = 0;
  close(file);
  return had > 0;
}

/* ---- Walls ---- */

static int wrong(const char *what) {
  fprintf(stderr, "cofferdam: the walls of the box are not as they should be: %s\n", what);
  return refused;
}

/* Zero where the kernel says of this process what the box's spec says. */
static int check_walls(bool own_kernel) {
  static char status[8192];
  if (getuid() == 0 || geteuid() == 0) return wrong("it runs as root");
  if (!read_file("/proc/self/status", status, sizeof status)) return wrong("/proc/self/status cannot be read");
  static const char *const needed[][2] = {
      {"\nCapInh:\t0000000000000000\n", "it could inherit capabilities"},
      {"\nCapPrm:\t0000000000000000\n", "it is permitted capabilities"},
      {"\nCapEff:\t0000000000000000\n", "it has capabilities (CapEff is not 0)"},
      {"\nCapBnd:\t0000000000000000\n", "it could gain capabilities (CapBnd is not 0)"},
      {"\nNoNewPrivs:\t1\n", "it could gain privileges (NoNewPrivs is not 1)"},
      {"\nSeccomp:\t2\n", "its system calls are not filtered (Seccomp is not 2)"},
  };
  for (size_t i = 0; i < sizeof needed / sizeof *needed - (own_kernel ? 1 : 0); i++)
    if (strstr(status, needed[i][0]) == NULL) return wrong(needed[i][1]);
  return 0;
}

#if defined __x86_64__
enum { own_machine = AUDIT_ARCH_X86_64 };
#elif defined __aarch64__
enum { own_machine = AUDIT_ARCH_AARCH64 };
#endif

#define ANSWER(number) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (number))
#define DENY(call, number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), ANSWER(number)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))

/*
 * What the engine's own filter leaves open and no agent needs, closed for the command and all that it starts: rings that
 * make calls past a filter, reading and stopping other processes, keys, and kinds of sockets that this box has no use for.
 * Programs for other machines than this one's would have other numbers for them, so they get none.
 */
static bool close_calls(void) {
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

/* ---- Relay: what connects to 127.0.0.1:3128 reaches the channel ---- */

struct link;
struct side {
  struct link *link;
  int fd;
  unsigned watched;  /* what epoll is asked for; 0: it does not know the side */
  bool ended;        /* it will send no more */
  bool deaf;         /* it takes no more: what is for it is dropped */
  bool told;         /* it was told that no more comes */
  char *rest;        /* what is for it and it did not take yet */
  size_t rest_size, rest_at;
};
struct link {
  struct side in, out; /* the program of the box, the channel */
  long long until;     /* while the channel is not there: how long it is tried, ms */
  struct link *next;   /* of those whose channel is not there yet, or that are to be freed */
  bool dead;
};

static int poll_fd, listener;
static bool listening;
static struct link *waiting, *dead;

static void watch(struct side *side, unsigned events) {
  if (side->watched == events) return;
  struct epoll_event event = {.events = events, .data.ptr = side};
  /* A side of which nothing is wanted is taken out: its hang-up would be told again and again. */
  int how = events == 0 ? EPOLL_CTL_DEL : side->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(poll_fd, how, side->fd, &event) == 0) side->watched = events;
}

static void listen_on(bool on) {
  if (listening == on) return;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener, &event);
  listening = on;
}

static void end_link(struct link *link) {
  if (link->dead) return;
  link->dead = true;
  struct side *sides[] = {&link->in, &link->out};
  for (int i = 0; i < 2; i++) {
    if (sides[i]->fd >= 0) close(sides[i]->fd);
    free(sides[i]->rest);
    sides[i]->rest = NULL;
  }
  /* Events of this round may still name it. */
  link->next = dead;
  dead = link;
  listen_on(true);
}

/* Hands on; false where the link is over. */
static bool give(struct side *to, const char *data, size_t size) {
  while (size > 0 && !to->deaf) {
    ssize_t sent = send(to->fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      to->rest = malloc(size);
      if (to->rest == NULL) return false;
      memcpy(to->rest, data, size);
      to->rest_size = size;
      to->rest_at = 0;
      return true;
    }
    if (sent < 0) {
      /* One that has said all it had and is gone: let the other read that to its end. */
      if (!to->ended) return false;
      to->deaf = true;
      return true;
    }
    data += sent;
    size -= (size_t)sent;
  }
  return true;
}

/* Takes up where `give` had to stop; false where the link is over. */
static bool flush(struct side *to) {
  if (to->rest == NULL) return true;
  char *rest = to->rest;
  to->rest = NULL;
  bool alive = give(to, rest + to->rest_at, to->rest_size - to->rest_at);
  free(rest);
  return alive;
}

/* Reads from one side and hands on to the other, for a while; false where the link is over. */
static bool pass(struct side *from, struct side *to) {
  static char buffer[128 * 1024];
  for (int turn = 0; turn < 8 && to->rest == NULL; turn++) {
    ssize_t got = recv(from->fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    /* The channel's end that closes with something unread is a reset here; what it said before was read by now. */
    bool reset = got < 0 && errno == ECONNRESET && from == &from->link->out;
    if (got < 0 && !reset) return false;
    if (got <= 0) {
      from->ended = true;
      return true;
    }
    if (!give(to, buffer, (size_t)got)) return false;
    if ((size_t)got < sizeof buffer / 2) return true;
  }
  return true;
}

/* Tells each side the other's end, and asks for what is to be known next. */
static void settle(struct link *link) {
  struct side *sides[] = {&link->in, &link->out};
  for (int i = 0; i < 2; i++) {
    struct side *to = sides[i], *from = sides[1 - i];
    if (from->ended && to->rest == NULL && !to->told) {
      to->told = true;
      shutdown(to->fd, SHUT_WR);
    }
  }
  if (link->in.told && link->out.told) {
    end_link(link);
    return;
  }
  for (int i = 0; i < 2; i++) {
    struct side *side = sides[i], *other = sides[1 - i];
    unsigned events = (!side->ended && other->rest == NULL ? EPOLLIN : 0u) | (side->rest != NULL ? EPOLLOUT : 0u);
    watch(side, events);
  }
}

static void serve(struct side *side, unsigned events) {
  struct link *link = side->link;
  if (link->dead) return;
  struct side *other = side == &link->in ? &link->out : &link->in;
  bool alive = true;
  if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) alive = flush(side);
  if (alive && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && (side->watched & EPOLLIN)) alive = pass(side, other);
  if (alive) settle(link);
  else end_link(link);
}

/* Connects to the channel. It may be away while the control plane starts anew: then it is tried for ten seconds. */
static void reach(struct link *link) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, channel, sizeof channel);
  int fd = link->out.fd >= 0 ? link->out.fd : socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  link->out.fd = fd;
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
    settle(link);
    return;
  }
  bool later = fd < 0 ? errno == EMFILE || errno == ENFILE || errno == ENOMEM
                      : errno == EAGAIN || errno == ENOENT || errno == ECONNREFUSED || errno == EINTR;
  if (!later || now_ms() >= link->until) {
    end_link(link);
    return;
  }
  link->next = waiting;
  waiting = link;
}

static void take_new(void) {
  for (int count = 0; count < 64; count++) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      /* Out of places: until a link ends, or a moment has passed. */
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) listen_on(false);
      return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL) {
      close(fd);
      return;
    }
    link->in = (struct side){.link = link, .fd = fd};
    link->out = (struct side){.link = link, .fd = -1};
    link->until = now_ms() + 10000;
    reach(link);
  }
}

static void relay(void) {
  prctl(PR_SET_NAME, "relay");
  /* It goes on until all is over: asked to end are the others. */
  signal(SIGTERM, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  listen_on(true);
  for (;;) {
    struct epoll_event events[128];
    bool idle = waiting == NULL && listening;
    int count = epoll_wait(poll_fd, events, 128, idle ? -1 : 20);
    if (count < 0 && errno != EINTR) _exit(1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) take_new();
      else serve(events[i].data.ptr, events[i].events);
    }
    if (count == 0) listen_on(true);
    struct link *again = waiting;
    waiting = NULL;
    while (again != NULL) {
      struct link *link = again;
      again = link->next;
      reach(link);
    }
    while (dead != NULL) {
      struct link *link = dead;
      dead = link->next;
      free(link);
    }
  }
}

/* Listens before anything else runs, so that the first request of the command finds it; false where it cannot. */
static bool open_listener(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
         bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 4096) == 0;
}

static pid_t start_relay(void) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  relay();
  _exit(1);
}

/* ---- Limits ---- */

/* The number behind a word at the start of a line; -1 where it is not there. */
static long long number_after(const char *text, const char *word) {
  size_t length = strlen(word);
  for (const char *line = text; line != NULL && *line != 0; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, word, length) == 0 && line[length] == ' ') return atoll(line + length + 1);
  }
  return -1;
}

/* A file of this box's control group, of either version. */
static bool read_group(const char *controller, const char *name, char *into, size_t size) {
  char path[128];
  snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s", controller, name);
  if (read_file(path, into, size)) return true;
  snprintf(path, sizeof path, "/sys/fs/cgroup/%s", name);
  return read_file(path, into, size);
}

static bool is_full(void) {
  char now[64], most[64];
  return read_group("pids", "pids.current", now, sizeof now) && read_group("pids", "pids.max", most, sizeof most) &&
         atoll(most) > 0 && atoll(now) >= atoll(most) - 1;
}

static void tell_processes(void) {
  char most[64];
  if (read_group("pids", "pids.max", most, sizeof most))
    fprintf(stderr, "\ncofferdam: the limit of %lld processes was reached\n", atoll(most));
}

/* Why a command may have failed. */
static void tell_limits(void) {
  char text[4096];
  if ((read_group("memory", "memory.events", text, sizeof text) ||
       read_group("memory", "memory.oom_control", text, sizeof text)) &&
      number_after(text, "oom_kill") > 0)
    fputs("\ncofferdam: the limit of memory was reached\n", stderr);
  if (read_group("pids", "pids.events", text, sizeof text) && number_after(text, "max") > 0) tell_processes();
}

/* ---- Command ---- */

static const int handled[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};

/* Runs the command; its pid, or -1 with what went wrong in errno. */
static pid_t run(char **argv, int stdin_file, const sigset_t *mask, bool own_kernel) {
  int said[2];
  if (pipe2(said, O_CLOEXEC) < 0) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    dup2(stdin_file, 0);
    sigprocmask(SIG_SETMASK, mask, NULL);
    /* A kernel of the box's own may know no filters, and keeps the calls of the box to itself. */
    if (close_calls() || own_kernel) execvp(argv[0], argv);
    int error = errno;
    if (write(said[1], &error, sizeof error) < 0) _exit(refused);
    _exit(not_run);
  }
  int error = errno;
  close(said[1]);
  if (pid > 0) {
    if (read(said[0], &error, sizeof error) == sizeof error) {
      waitpid(pid, NULL, 0);
      pid = -1;
    }
  }
  close(said[0]);
  errno = error;
  return pid;
}

/* To all but this one and the box's init. Never where this is not the first program of a box. */
static void signal_all(int number) {
  if (getpid() == 1 || getppid() == 1) kill(-1, number);
}

static int usage(void) {
  fputs("usage: /cofferdam/entry [--own-kernel] <seconds> <stdin-file|-> -- <argv...>\n", stderr);
  return refused;
}

int main(int argc, char **argv) {
  long long began = now_ms();
  char **args = argv + 1;
  bool own_kernel = argc > 1 && strcmp(*args, "--own-kernel") == 0;
  if (own_kernel) args++;
  if (argc - (args - argv) < 4 || strcmp(args[2], "--") != 0) return usage();
  char *end;
  long long seconds = strtoll(args[0], &end, 10);
  if (*end != 0 || seconds < 1 || seconds > 100000000) return usage();
  char **command = args + 3;

  int bad = check_walls(own_kernel);
  if (bad != 0) return bad;
  const char *stdin_path = strcmp(args[1], "-") == 0 ? "/dev/null" : args[1];
  int stdin_file = open(stdin_path, O_RDONLY | O_CLOEXEC);
  if (stdin_file < 0) {
    fprintf(stderr, "cofferdam: cannot read %s\n", stdin_path);
    return not_run;
  }

  sigset_t ours, before;
  sigemptyset(&ours);
  for (size_t i = 0; i < sizeof handled / sizeof *handled; i++) sigaddset(&ours, handled[i]);
  sigprocmask(SIG_BLOCK, &ours, &before);

  pid_t relay_pid = -1;
  int relays = 0;
  if (access("/cofferdam/channel", F_OK) == 0) {
    if (!open_listener() || (relay_pid = start_relay()) < 0) return wrong("nothing can listen at 127.0.0.1:3128");
  }
  pid_t pid = run(command, stdin_file, &before, own_kernel);
  if (pid < 0) {
    fprintf(stderr, "cofferdam: cannot run %s: %s\n", command[0], strerror(errno));
    return errno == ENOENT ? not_found : not_run;
  }
  close(stdin_file);

  long long deadline = began + seconds * 1000, killing = -1;
  bool is_late = false, is_ended = false, full = false;
  for (;;) {
    long long left = (killing >= 0 ? killing : deadline) - now_ms();
    if (left < 0) left = 0;
    struct timespec time = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    int got = sigtimedwait(&ours, NULL, &time);
    if (got == SIGCHLD) {
      int status;
      for (pid_t one; (one = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (one == pid) {
          int code = is_late ? late : is_ended ? 128 + SIGTERM : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
          /* They end with this one anyway; what they still print must not stand around our line. */
          if (full || code != 0) signal_all(SIGKILL);
          if (full) tell_processes();
          else if (code != 0 && !is_late && !is_ended) tell_limits();
          return code;
        }
        /* Somebody in the box ended the relay: another takes its place. */
        if (one == relay_pid) relay_pid = killing < 0 && relays++ < 1000 ? start_relay() : -1;
      }
      continue;
    }
    if (got > 0 || (got < 0 && errno == EAGAIN && killing < 0)) {
      if (killing >= 0) continue;
      is_late = got < 0;
      is_ended = got > 0;
      full = is_late && is_full();
      killing = now_ms() + grace_ms;
      signal_all(SIGTERM);
      signal_all(SIGCONT);
    } else if (got < 0 && errno == EAGAIN) {
      signal_all(SIGKILL);
      killing = now_ms() + 20;
    }
  }
}
