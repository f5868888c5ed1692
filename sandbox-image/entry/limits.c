#define _GNU_SOURCE
#include "entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool is_full(void) {
  char now[64], most[64];
  return read_group("pids", "pids.current", now, sizeof now) && read_group("pids", "pids.max", most, sizeof most) &&
         atoll(most) > 0 && atoll(now) >= atoll(most) - 1;
}

void tell_processes(void) {
  char most[64];
  if (read_group("pids", "pids.max", most, sizeof most))
    fprintf(stderr, "\ncofferdam: the limit of %lld processes was reached\n", atoll(most));
}

void tell_limits(void) {
  char text[4096];
  if ((read_group("memory", "memory.events", text, sizeof text) ||
       read_group("memory", "memory.oom_control", text, sizeof text)) &&
      number_after(text, "oom_kill") > 0)
    fputs("\ncofferdam: the limit of memory was reached\n", stderr);
  if (read_group("pids", "pids.events", text, sizeof text) && number_after(text, "max") > 0) tell_processes();
}
