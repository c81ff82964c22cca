#pragma once
#include <arpa/inet.h>
#include <limits.h>
#include <microhttpd.h>
#include <signal.h>
#include <string.h>
#include <stdio.h>

/* Swift imports no variadic function, and MHD's closed enums badly: both stay on this side. */

struct cmhd_settings {
    unsigned int timeout_seconds;
    size_t connection_memory;
    /* Asks for the strict parser of libmicrohttpd 1.0, which earlier ones do not know: then the start fails. */
    int is_strict;
};

/* MHD_OPTION_CLIENT_DISCIPLINE_LVL, which the header of earlier releases does not have, and the level at which every
 * deviation that could hide a request is refused. */
#define CMHD_OPTION_DISCIPLINE ((enum MHD_OPTION)38)
#define CMHD_DISCIPLINE 2

/* Leaves the target as the client wrote it: it is decoded once, by the router. */
static inline size_t cmhd_leave_escaped(void *owner, struct MHD_Connection *connection, char *text) {
    (void)owner, (void)connection;
    size_t length = 0;
    while (text[length]) length++;
    return length;
}

/* The daemon accepts nothing itself: it is handed its connections, which are counted by who accepts them. Where the parser is
 * lenient, STRICT_FOR_CLIENT stays 0: it would close without an answer where the head's validation can give a reason. */
static inline struct MHD_Daemon *cmhd_start(
    struct cmhd_settings settings, MHD_AccessHandlerCallback handle,
    void *(*target)(void *owner, const char *uri, struct MHD_Connection *connection),
    MHD_RequestCompletedCallback completed, MHD_NotifyConnectionCallback notify, MHD_LogCallback log, void *owner) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle,
        owner, MHD_OPTION_EXTERNAL_LOGGER, log, owner, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)INT_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, settings.timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings.connection_memory,
        settings.is_strict ? CMHD_OPTION_DISCIPLINE : MHD_OPTION_STRICT_FOR_CLIENT,
        settings.is_strict ? CMHD_DISCIPLINE : 0, MHD_OPTION_UNESCAPE_CALLBACK, cmhd_leave_escaped, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, target, owner, MHD_OPTION_NOTIFY_COMPLETED, completed, owner,
        MHD_OPTION_NOTIFY_CONNECTION, notify, owner, MHD_OPTION_END);
}

/* Hands a connection over, which is MHD's to close from here on; 0 when it closed it at once. 1.0 takes it in its next run. Not
 * from inside `cmhd_run`. */
static inline int cmhd_add(struct MHD_Daemon *daemon, int descriptor, const void *address, socklen_t length) {
    return MHD_add_connection(daemon, descriptor, (const struct sockaddr *)address, length) == MHD_YES;
}

static inline int cmhd_epoll_descriptor(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

/* Milliseconds until the daemon wants to run again; -1 for never. */
static inline long long cmhd_wait(struct MHD_Daemon *daemon) {
    MHD_UNSIGNED_LONG_LONG milliseconds;
    if (MHD_get_timeout(daemon, &milliseconds) != MHD_YES) return -1;
    return milliseconds > 86400000 ? 86400000 : (long long)milliseconds;
}

static inline void cmhd_run(struct MHD_Daemon *daemon) { (void)MHD_run(daemon); }

static inline int cmhd_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* What NOTIFY_CONNECTION stored when the connection was opened. */
static inline void *cmhd_owner(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Only after MHD has announced the connection, and before it says that it is closed. */
static inline void cmhd_give_up(struct MHD_Connection *connection) {
    (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 1u);
}

/* In each run MHD looks first, for their timeouts, at all connections that have one of their own: it brings them as far as they
 * come without reading. A connection with one of its own, a second longer, is among these. */
static inline void cmhd_go_first(struct MHD_Connection *connection, int first) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_TIMEOUT);
    if (!info) return;
    unsigned int seconds = info->connection_timeout;
    (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, first ? seconds + 1 : seconds - 1);
}

static inline size_t cmhd_head_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

static inline int cmhd_headers(struct MHD_Connection *connection, MHD_KeyValueIteratorN each, void *owner) {
    return MHD_get_connection_values_n(connection, MHD_HEADER_KIND, each, owner);
}

/* A response over bytes that stay where they are until the request is completed. */
static inline struct MHD_Response *cmhd_bytes(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_PERSISTENT);
}

/* A response of unknown length. MHD reads into a block of its own only without chunks, for HTTP/1.0: chunks are written into the
 * connection's memory. The block stays as long as the stream. */
static inline struct MHD_Response *cmhd_stream(MHD_ContentReaderCallback read, void *owner, int is_chunked) {
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, is_chunked ? 128 : 1024, read, owner, NULL);
}

/* What HEAD gets of a stream. Without the option MHD 0.9.75 would send the last chunk of a body that HEAD has not. */
static inline struct MHD_Response *cmhd_stream_head(MHD_ContentReaderCallback read, void *owner) {
    struct MHD_Response *response = cmhd_stream(read, owner, 1);
    if (response) (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}

static inline ssize_t cmhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t cmhd_broken_stream(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

/* Both are strings; Swift has them as signed and as unsigned bytes. */
static inline int cmhd_add_header(struct MHD_Response *response, const void *name, const void *value) {
    return MHD_add_response_header(response, (const char *)name, (const char *)value) == MHD_YES;
}

/* Adds header lines, each ended by CR LF and without other controls. MHD copies a header in three pieces and searches it six
 * times, which shows at four headers an answer: so it is given the first name, and for its value all the rest. The line ends
 * between them, which it would refuse, come into its copy afterwards. */
void cmhd_add_lines(struct MHD_Response *response, const char *lines, size_t count);

/* Queues the response and gives it up. */
int cmhd_queue(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response);

/* Whether MHD refuses a request by itself with its own answer, has got another answer queued for it, or is to close at once. */
enum { CMHD_LET_REFUSE, CMHD_ANSWERED, CMHD_CLOSE };

/* Called when MHD is about to refuse a request by itself; `owner` is what NOTIFY_CONNECTION stored. */
typedef int (*cmhd_refusing)(void *owner, unsigned int status);

/* Called once or more, with the same function, before the first daemon starts. */
void cmhd_stand_in_front(cmhd_refusing callback);

/* MHD writes with MSG_NOSIGNAL but for sendfile: a closed client must never end the process. */
static inline void cmhd_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }
