/* What libzmq does by itself: each loop is one thread that takes what is there, and polls when there is nothing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What the clocks say. */
struct bare_clocks {
    uint64_t cpu_ns;  /* of this process, and of the one that is named by `other`, without the thread that plays the peer */
    uint64_t wall_ns;
};

/* `other` is the process id of the other side, whose processor time counts too; 0 for none. */
struct bare_clocks bare_now(int other);

void *bare_context(void);
/* Binds a socket of libzmq's kind to the endpoint, and writes where that is. NULL when it cannot. */
void *bare_bind(void *context, int kind, const char *endpoint, char *bound, size_t size);
void *bare_connect(void *context, int kind, const char *endpoint);

/* Receives `count` messages; writes the clocks when the first `unmeasured` of them have come, and at the end. */
void bare_pull(void *socket, long unmeasured, long count, struct bare_clocks *begin, struct bare_clocks *end);
/* Its socket stays open, for the end of one may cost what is still on its way. */
void bare_push(void *context, const char *endpoint, size_t size, long count);
/* Sends `count` messages back to whom they came from. */
void bare_echo(void *router, long count);
/* Sends a message and waits for it, `count` times; writes how long each took. */
void bare_ping(void *context, const char *endpoint, size_t size, long count, uint64_t *nanoseconds);

/* The same on a thread, for peers of this process; its processor time does not count. bare_join waits for its end. */
void bare_push_beside(void *context, const char *endpoint, size_t size, long count);
void bare_ping_beside(void *context, const char *endpoint, size_t size, long count, uint64_t *nanoseconds);
void bare_join(void);

/* Answers calls of `add`, for ever. */
void bare_serve(void *router);
/* Calls `add`, so many calls at a time. */
void bare_call(void *dealer, int at_a_time, long unmeasured, long count, int other, struct bare_clocks *begin, struct bare_clocks *end);
