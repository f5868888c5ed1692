/* What the parts of the first program of a box know of each other. */
#ifndef ENTRY_H
#define ENTRY_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Where programs of the box find the gateway, and the socket that leads to it. */
enum { port = 3128 };
#define CHANNEL_FOLDER "/cofferdam/channel"
#define CHANNEL_SOCKET CHANNEL_FOLDER "/s"

/* ---- walls.c ---- */

/* Says what is wrong with the walls; false, so that it can be returned. */
bool refuse(const char *what);
/* Whether the kernel says of this process what the box's spec says; what it does not, it tells. */
bool check_walls(bool own_kernel);
/*
 * What the engine's own filter leaves open and no agent needs, closed for the command and all that it starts: rings that
 * make calls past a filter, reading and stopping other processes, keys, and kinds of sockets that this box has no use for.
 * Programs for other machines than this one's would have other numbers for them, so they get none.
 */
bool close_calls(void);

/* ---- relay.c: what connects to 127.0.0.1:3128 reaches the channel ---- */

/* Listens before anything else runs, so that the first request of the command finds it; false where it cannot. */
bool open_listener(void);
pid_t start_relay(void);

/* ---- limits.c ---- */

/* Whether the box has as many processes as it may. */
bool is_full(void);
void tell_processes(void);
/* Why a command may have failed. */
void tell_limits(void);

static inline long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The first bytes of a small file; false where it cannot be read. */
static inline bool read_file(const char *path, char *into, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  size_t had = 0;
  for (ssize_t got; had < size - 1 && (got = read(file, into + had, size - 1 - had)) > 0;) had += (size_t)got;
  into[had] = 0;
  close(file);
  return had > 0;
}

#endif
