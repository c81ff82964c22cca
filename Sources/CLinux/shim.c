#define _GNU_SOURCE
#include "shim.h"
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

static _Thread_local const void *current;

const void *clinux_current(void) { return current; }
void clinux_set_current(const void *owner) { current = owner; }
void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
void clinux_give_way(void) { (void)setpriority(PRIO_PROCESS, 0, 10); }

void clinux_give_back_zeros(const void *start, size_t count) {
    static const char zeros[64];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *first = (char *)(((size_t)start + page - 1) / page * page);
    char *end = (char *)(((size_t)start + count) / page * page);
    for (const char *place = first; place < end; place += sizeof zeros)
        if (memcmp(place, zeros, sizeof zeros) != 0) return;
    if (first < end) madvise(first, (size_t)(end - first), MADV_DONTNEED);
}

/* glibc's tcp_info ends before the counters that Linux has had since 4.1; the kernel's own header cannot stand beside glibc's. */
struct tcp_info_of_linux {
    unsigned char flags[8]; /* State, state of congestion, retransmissions and probes in a row that nothing answered, and more. */
    unsigned int counters[24];
    unsigned long long pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    unsigned int segments_out, segments_in, not_sent;
};

struct clinux_progress clinux_progress_of(int descriptor) {
    struct clinux_progress progress = {0, 0, 0, 0};
    struct tcp_info_of_linux info = {0};
    socklen_t length = sizeof info;
    int unsent = 0;
    int is_tcp = getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
    if (ioctl(descriptor, SIOCOUTQ, &unsent) != 0) unsent = 0;
    if (!is_tcp) {
        progress.unsent = progress.held = unsent > 0 ? 1 : 0;
        return progress;
    }
    progress.taken = info.bytes_acked;
    progress.unsent = (unsigned int)unsent;
    progress.held = info.not_sent;
    progress.unanswered = (unsigned int)info.flags[2] + info.flags[3];
    return progress;
}

unsigned int clinux_unread(int descriptor) {
    int unread = 0;
    return ioctl(descriptor, FIONREAD, &unread) == 0 && unread > 0 ? (unsigned int)unread : 0;
}

int clinux_accept(int listener, struct clinux_peer *peer) {
    peer->length = sizeof peer->address;
    int accepted = accept4(listener, (struct sockaddr *)&peer->address, &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    /* A longer name is cut off, and its whole length told. */
    if (peer->address.sin6_family == AF_UNIX) peer->length = sizeof peer->address.sin6_family;
    return accepted;
}
