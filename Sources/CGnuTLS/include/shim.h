#pragma once
#include <stddef.h>
#include <sys/types.h>

/* The part of GnuTLS that a server needs. Its own types and its many codes stay on this side. */

/* What a server shows: a certificate with its key, whom it asks for one, and what it seals session tickets with. It is only read once
 * it is made, so any number of threads may share it. */
typedef struct cgnutls_identity cgnutls_identity;

/* Whether a client is asked for a certificate: not at all, so that it may have none, or so that it has to have one. */
enum { CGNUTLS_ASKS_NONE, CGNUTLS_ASKS, CGNUTLS_REQUIRES };

/* All in PEM; `authorities` are those whose certificates clients may show. NULL, with the reason written, when they cannot be used. */
cgnutls_identity *cgnutls_identity_make(
    const void *certificate, size_t certificate_length, const void *key, size_t key_length, const void *authorities,
    size_t authorities_length, int asks, char *reason, size_t reason_length);
void cgnutls_identity_free(cgnutls_identity *identity);
/* When its certificate ends, in seconds since 1970. */
long long cgnutls_identity_end(const cgnutls_identity *identity);

/* One session of a server, over a socket that does not block. */
typedef struct cgnutls_session cgnutls_session;
/* The identity has to live as long as the session. NULL when there is no memory. */
cgnutls_session *cgnutls_open(const cgnutls_identity *identity, int descriptor);
/* The other side, over a socket that blocks, or waits for as long as it is told. With a host it takes the certificate of that host only, of
 * an authority in a file of PEM, or of those that the system trusts; without one whatever certificate it is shown. NULL when no authority can
 * be read, or there is no memory. */
cgnutls_session *cgnutls_ask(int descriptor, const char *host, const char *authorities);
void cgnutls_close(cgnutls_session *session);

/* Less than 0 in the place of a count: the socket has nothing, or no room; or the session is broken. */
enum { CGNUTLS_WAIT = -1, CGNUTLS_BROKEN = -2 };

/* 0 when the handshake is complete. When it breaks, the client is told why, as far as that can be done. */
int cgnutls_handshake(cgnutls_session *session);
/* 0 at the end of what the client sends. */
ssize_t cgnutls_receive(cgnutls_session *session, void *room, size_t count);
/* Takes bytes, at most `cgnutls_record`. When it says CGNUTLS_WAIT it has taken all of them, and `cgnutls_flush` goes on. */
ssize_t cgnutls_send(cgnutls_session *session, const void *bytes, size_t count);
/* 0 when all has left that was taken. */
int cgnutls_flush(cgnutls_session *session);
/* The most bytes that are sent at once. */
size_t cgnutls_record(const cgnutls_session *session);
/* Says that nothing more is sent; 0 when that has left. */
int cgnutls_bye(cgnutls_session *session);
/* Why the session is broken. */
void cgnutls_reason(cgnutls_session *session, char *reason, size_t reason_length);

/* What of a client's certificate names it. */
enum { CGNUTLS_COMMON_NAME, CGNUTLS_DNS, CGNUTLS_EMAIL, CGNUTLS_URI };
/* Whether the client has shown a certificate, which was found good: then what names it is written, without a NUL behind it, and of length
 * 0 when there is none; and when it ends. */
int cgnutls_client(cgnutls_session *session, int kind, char *name, size_t *length, long long *end);
