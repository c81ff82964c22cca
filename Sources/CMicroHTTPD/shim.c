/* Two functions of libmicrohttpd that it calls itself where it offers no hook. A symbol of the program comes before the same one
 * of a library, so its own calls come here too. Where it was linked with -Bsymbolic-functions they do not, and it does what it
 * does alone: refuses without a problem document, and parses cookies. */
#define _GNU_SOURCE
#include "shim.h"
#include <dlfcn.h>
#include <stdatomic.h>
#include <strings.h>

typedef enum MHD_Result (*queue)(struct MHD_Connection *, unsigned int, struct MHD_Response *);
typedef enum MHD_Result (*lookup)(
    struct MHD_Connection *, enum MHD_ValueKind, const char *, size_t, const char **, size_t *);

static _Atomic(cmhd_refusing) refusing;
static _Atomic(queue) library_queue;
static _Atomic(lookup) library_lookup;

/* Before the first daemon starts: so no function of the library calls before its own is known. */
void cmhd_stand_in_front(cmhd_refusing callback) {
    atomic_store(&refusing, callback);
    atomic_store(&library_queue, (queue)dlsym(RTLD_NEXT, "MHD_queue_response"));
    atomic_store(&library_lookup, (lookup)dlsym(RTLD_NEXT, "MHD_lookup_connection_value_n"));
}

int cmhd_queue(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response) {
    int queued = atomic_load_explicit(&library_queue, memory_order_relaxed)(connection, status, response) == MHD_YES;
    MHD_destroy_response(response);
    return queued;
}

void cmhd_add_lines(struct MHD_Response *response, const char *lines, size_t count) {
    enum { CR = 1, LF = 2 };
    char text[count + 1];
    for (size_t i = 0; i < count; i++) text[i] = lines[i] == '\r' ? CR : lines[i] == '\n' ? LF : lines[i];
    text[count - 2] = 0; /* MHD ends the last line. */
    char *value = memchr(text, ':', count);
    *value = 0;
    value += 2;
    if (MHD_add_response_header(response, text, value) != MHD_YES) return;
    char *copy = (char *)MHD_get_response_header(response, text);
    size_t length = (size_t)(text + count - 2 - value);
    for (size_t i = 0; i < length; i++) copy[i] = copy[i] == CR ? '\r' : copy[i] == LF ? '\n' : copy[i];
}

/* The status for a refusal of the library's. 1.0 refuses transfer codings other than chunked with 400; HTTP has 501 for them
 * (RFC 9112, 6.1). Headers can be looked up only when the head is complete. */
static unsigned int status_for(struct MHD_Connection *connection, unsigned int status) {
    const char *coding;
    if (status != MHD_HTTP_BAD_REQUEST || cmhd_head_size(connection) == 0) return status;
    if (atomic_load_explicit(&library_lookup, memory_order_relaxed)(
            connection, MHD_HEADER_KIND, "Transfer-Encoding", 17, &coding, NULL) != MHD_YES) return status;
    return strcasecmp(coding, "chunked") == 0 ? status : MHD_HTTP_NOT_IMPLEMENTED;
}

/* Ours go through `cmhd_queue`: this one comes from the library, which refuses the request. */
enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response) {
    void *owner = cmhd_owner(connection);
    switch (owner ? atomic_load(&refusing)(owner, status_for(connection, status)) : CMHD_LET_REFUSE) {
    case CMHD_ANSWERED: return MHD_YES;
    case CMHD_CLOSE: return MHD_NO;
    case CMHD_LET_REFUSE: break;
    }
    return atomic_load(&library_queue)(connection, status, response);
}

/* Whether the head announces a body that is not empty. */
static int announces_body(lookup look_up, struct MHD_Connection *connection) {
    const char *length;
    size_t size;
    if (look_up(connection, MHD_HEADER_KIND, "Transfer-Encoding", 17, NULL, NULL) == MHD_YES) return 1;
    return look_up(connection, MHD_HEADER_KIND, "Content-Length", 14, &length, &size) == MHD_YES
        && strspn(length, "0") != size;
}

/* Cookies are not for us: parsed, they would need as much memory again. And a request without a body does not wait for
 * 100 Continue, whatever it expects: 0.9.75 would take the next request for its body. */
enum MHD_Result MHD_lookup_connection_value_n(
    struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *key, size_t key_size, const char **value,
    size_t *value_size) {
    lookup look_up = atomic_load_explicit(&library_lookup, memory_order_relaxed);
    if (kind == MHD_HEADER_KIND && key_size == 6) {
        if (memcmp(key, "Cookie", 6) == 0) return MHD_NO;
        if (memcmp(key, "Expect", 6) == 0) {
            enum MHD_Result expects = look_up(connection, kind, key, key_size, value, value_size);
            return expects == MHD_YES && !announces_body(look_up, connection) ? MHD_NO : expects;
        }
    }
    return look_up(connection, kind, key, key_size, value, value_size);
}
