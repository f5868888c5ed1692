/*
 * The first program of a box: /cofferdam/entry [--own-kernel] <seconds> <stdin-file|-> -- <argv...>
 *
 * Refuses to go on where the box is not walled as it should be. Where the box has a channel, relays 127.0.0.1:3128 to it.
 * Then closes calls to the kernel that the engine leaves open, and runs argv in the current folder for at most that many
 * seconds, with the file as its standard input, or with nothing for `-`. Its exit code is argv's own, or 128 and the signal
 * that ended it; 124 at the deadline, 125 where it refuses, 126 where argv or the file cannot be opened, 127 where argv is
 * not found. At the deadline every process of the box is asked to end, and killed five seconds later. The engine ends all
 * others when this one ends.
 *
 * --own-kernel: the runtime has a kernel of its own, which knows nothing of the engine's seccomp filter.
 */
#define _GNU_SOURCE
#include "entry.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { late = 124, refused = 125, not_run = 126, not_found = 127 };
enum { grace_ms = 5000 };

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

  if (!check_walls(own_kernel)) return refused;
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
  if (access(CHANNEL_FOLDER, F_OK) == 0 && (!open_listener() || (relay_pid = start_relay()) < 0)) {
    refuse("nothing can listen at 127.0.0.1:3128");
    return refused;
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
