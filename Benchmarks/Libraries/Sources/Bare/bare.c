#include "bare.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { HEADER = 16, MAX_FRAMES = 16 };

static pthread_t beside;
static clockid_t beside_clock;
static atomic_int beside_state; /* 0 none, 1 runs, 2 has done its work and waits */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t let_go = PTHREAD_COND_INITIALIZER;
static int may_go;

static uint64_t read_clock(clockid_t id) {
    struct timespec time;
    if (clock_gettime(id, &time)) return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

struct bare_clocks bare_now(int other) {
    struct bare_clocks now = {read_clock(CLOCK_PROCESS_CPUTIME_ID), read_clock(CLOCK_MONOTONIC)};
    clockid_t id;
    if (other && !clock_getcpuclockid(other, &id)) now.cpu_ns += read_clock(id);
    if (atomic_load(&beside_state)) now.cpu_ns -= read_clock(beside_clock);
    return now;
}

static void check(int result, const char *call) {
    if (result != -1) return;
    fprintf(stderr, "%s: %s\n", call, zmq_strerror(zmq_errno()));
    exit(1);
}

void *bare_context(void) { return zmq_ctx_new(); }

void *bare_bind(void *context, int kind, const char *endpoint, char *bound, size_t size) {
    void *socket = zmq_socket(context, kind);
    check(zmq_bind(socket, endpoint), "zmq_bind");
    check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size), "zmq_getsockopt");
    return socket;
}

void *bare_connect(void *context, int kind, const char *endpoint) {
    void *socket = zmq_socket(context, kind);
    check(zmq_connect(socket, endpoint), "zmq_connect");
    return socket;
}

static void wait_for_input(void *socket) {
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    check(zmq_poll(&item, 1, -1), "zmq_poll");
}

/* Receives a frame that is there; false when there is none. */
static int receive(zmq_msg_t *frame, void *socket) {
    if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) >= 0) return 1;
    if (zmq_errno() != EAGAIN) check(-1, "zmq_msg_recv");
    return 0;
}

void bare_pull(void *socket, long unmeasured, long count, struct bare_clocks *begin, struct bare_clocks *end) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    for (long received = 0; received < count;) {
        if (!receive(&frame, socket)) {
            wait_for_input(socket);
            continue;
        }
        if (++received == unmeasured) *begin = bare_now(0);
    }
    *end = bare_now(0);
    zmq_msg_close(&frame);
}

void bare_push(void *context, const char *endpoint, size_t size, long count) {
    void *socket = bare_connect(context, ZMQ_PUSH, endpoint);
    char *bytes = calloc(1, size);
    for (long sent = 0; sent < count; sent++) check(zmq_send(socket, bytes, size, 0), "zmq_send");
    free(bytes);
}

/* Receives a whole message that is there; the number of its frames, 0 when there is none. */
static int receive_all(zmq_msg_t *frames, void *socket) {
    zmq_msg_init(&frames[0]);
    if (!receive(&frames[0], socket)) return 0;
    int count = 1;
    while (zmq_msg_more(&frames[count - 1]) && count < MAX_FRAMES) {
        zmq_msg_init(&frames[count]);
        check(zmq_msg_recv(&frames[count], socket, 0), "zmq_msg_recv");
        count++;
    }
    return count;
}

void bare_echo(void *router, long count) {
    zmq_msg_t frames[MAX_FRAMES];
    for (long echoed = 0; echoed < count;) {
        int received = receive_all(frames, router);
        if (!received) {
            wait_for_input(router);
            continue;
        }
        for (int i = 0; i < received; i++)
            check(zmq_msg_send(&frames[i], router, i + 1 < received ? ZMQ_SNDMORE : 0), "zmq_msg_send");
        echoed++;
    }
}

void bare_ping(void *context, const char *endpoint, size_t size, long count, uint64_t *nanoseconds) {
    void *socket = bare_connect(context, ZMQ_DEALER, endpoint);
    char *bytes = calloc(1, size);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    for (long i = 0; i < count; i++) {
        uint64_t start = read_clock(CLOCK_MONOTONIC);
        check(zmq_send(socket, bytes, size, 0), "zmq_send");
        check(zmq_msg_recv(&frame, socket, 0), "zmq_msg_recv");
        nanoseconds[i] = read_clock(CLOCK_MONOTONIC) - start;
    }
    zmq_msg_close(&frame);
    free(bytes);
    zmq_close(socket);
}

static struct {
    void *context;
    char endpoint[256];
    size_t size;
    long count;
    uint64_t *nanoseconds; /* NULL: push */
} work;

static void *run_beside(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock); /* until the clock is known */
    pthread_mutex_unlock(&lock);
    if (work.nanoseconds) {
        bare_ping(work.context, work.endpoint, work.size, work.count, work.nanoseconds);
    } else {
        bare_push(work.context, work.endpoint, work.size, work.count);
    }
    /* Its clock goes with it, so it stays until it is joined. */
    pthread_mutex_lock(&lock);
    while (!may_go) pthread_cond_wait(&let_go, &lock);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void start_beside(void *context, const char *endpoint, size_t size, long count, uint64_t *nanoseconds) {
    work.context = context;
    snprintf(work.endpoint, sizeof work.endpoint, "%s", endpoint);
    work.size = size;
    work.count = count;
    work.nanoseconds = nanoseconds;
    pthread_mutex_lock(&lock);
    pthread_create(&beside, NULL, run_beside, NULL);
    pthread_getcpuclockid(beside, &beside_clock);
    atomic_store(&beside_state, 1);
    pthread_mutex_unlock(&lock);
}

void bare_push_beside(void *context, const char *endpoint, size_t size, long count) {
    start_beside(context, endpoint, size, count, NULL);
}

void bare_ping_beside(void *context, const char *endpoint, size_t size, long count, uint64_t *nanoseconds) {
    start_beside(context, endpoint, size, count, nanoseconds);
}

void bare_join(void) {
    if (!atomic_load(&beside_state)) return;
    pthread_mutex_lock(&lock);
    may_go = 1;
    pthread_cond_signal(&let_go);
    pthread_mutex_unlock(&lock);
    pthread_join(beside, NULL);
    atomic_store(&beside_state, 0);
}

void bare_serve(void *router) {
    zmq_msg_t frames[MAX_FRAMES];
    for (;;) {
        int count = receive_all(frames, router);
        if (!count) {
            wait_for_input(router);
            continue;
        }
        if (count >= 5 && zmq_msg_size(&frames[count - 4]) == HEADER && zmq_msg_size(&frames[count - 2]) == 3) {
            const unsigned char *arguments = zmq_msg_data(&frames[count - 2]);
            unsigned char reply[HEADER + 1] = {0}, sum = arguments[1] + arguments[2];
            memcpy(reply, zmq_msg_data(&frames[count - 4]), HEADER);
            for (int i = 0; i < count - 4; i++) check(zmq_msg_send(&frames[i], router, ZMQ_SNDMORE), "zmq_msg_send");
            check(zmq_send(router, reply, sizeof reply, ZMQ_SNDMORE), "zmq_send");
            check(zmq_send(router, &sum, 1, 0), "zmq_send");
        }
        for (int i = 0; i < count; i++) zmq_msg_close(&frames[i]);
    }
}

static void call_add(void *dealer, uint32_t number) {
    unsigned char header[HEADER] = {0};
    memcpy(header + 4, &number, sizeof number);
    check(zmq_send(dealer, header, HEADER, ZMQ_SNDMORE), "zmq_send");
    check(zmq_send(dealer, "add", 3, ZMQ_SNDMORE), "zmq_send");
    check(zmq_send(dealer, "\x92\x01\x02", 3, ZMQ_SNDMORE), "zmq_send");
    check(zmq_send(dealer, "\x80", 1, 0), "zmq_send");
}

void bare_call(
    void *dealer, int at_a_time, long unmeasured, long count, int other, struct bare_clocks *begin,
    struct bare_clocks *end) {
    long sent = 0;
    zmq_msg_t frames[MAX_FRAMES];
    while (sent < at_a_time && sent < count) call_add(dealer, (uint32_t)sent++);
    for (long answered = 0; answered < count;) {
        int received = receive_all(frames, dealer);
        if (!received) {
            wait_for_input(dealer);
            continue;
        }
        if (received != 2 || *(unsigned char *)zmq_msg_data(&frames[1]) != 3) check(-1, "a reply");
        for (int i = 0; i < received; i++) zmq_msg_close(&frames[i]);
        if (++answered == unmeasured) *begin = bare_now(other);
        if (sent < count) call_add(dealer, (uint32_t)sent++);
    }
    *end = bare_now(other);
}
