#pragma once
/* What `import Glibc` leaves out: epoll and eventfd, the clock and socket calls the reactor and the HTTP server need, and mallopt. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* What owns the calling thread, or NULL: Swift has no thread-local variables of its own. */
const void *clinux_current(void);
void clinux_set_current(const void *owner);

/* `errno` is a macro, and `pthread_setname_np` a GNU extension: Swift imports neither. */
static inline int clinux_errno(void) { return errno; }
void clinux_name_thread(const char *name);
/* The calling thread gives way to those of usual priority; a thread may always do that (setpriority(2), a thread is a process to it). */
void clinux_give_way(void);

/* Gives the whole pages among these bytes back to the system when all of them are zero, which they are again as soon as they are
 * touched. For memory that belongs to this process alone and that no other thread writes. */
void clinux_give_back_zeros(const void *start, size_t count);

/* How far a TCP connection has come, in bytes: what the peer has acknowledged, what it has not yet, and what of that waits here, since the
 * peer has no room; and how often in a row something was sent again, or was asked for room, and nothing answered: a peer that reads nothing answers all
 * the same. */
struct clinux_progress {
    unsigned long long taken;
    unsigned int unsent;
    unsigned int held;
    unsigned int unanswered;
};
/* Of a Unix socket only whether something waits is told: it is neither counted what the peer has taken, nor what waits. */
struct clinux_progress clinux_progress_of(int descriptor);

/* Bytes that wait to be read from a socket. */
unsigned int clinux_unread(int descriptor);

/* Where an accepted connection comes from: an IPv4 or an IPv6 address, or a Unix socket, whose name is left out. */
struct clinux_peer {
    struct sockaddr_in6 address;
    socklen_t length;
};
/* Accepts a connection that does not block and is not inherited; -1 with errno. `accept4` is a GNU extension. */
int clinux_accept(int listener, struct clinux_peer *peer);
