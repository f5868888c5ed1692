#define _GNU_SOURCE
#include "entry.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char channel[] = CHANNEL_SOCKET;

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

bool open_listener(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
         bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 4096) == 0;
}

pid_t start_relay(void) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  relay();
  _exit(1);
}
