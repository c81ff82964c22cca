#include "shim.h"
#include <gnutls/gnutls.h>
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct cgnutls_identity {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    gnutls_datum_t ticket_key;
    int asks;
    long long end;
};

struct cgnutls_session {
    gnutls_session_t raw;
    /* A client's own; a server's are those of its identity. */
    gnutls_certificate_credentials_t credentials;
    /* Whose certificate a client wants to see; NULL: anyone's. */
    char *host;
    int descriptor;
    /* Whether the socket had nothing more: GnuTLS says that it has to wait after messages that are not for the application, too. */
    int is_dry;
    /* The handshake is complete. */
    int is_open;
    /* The client has ended its half without saying so, as many do. */
    int has_ended;
    int error;
};

/* TLS 1.2 and 1.3, with keys that are used once and ciphers that authenticate; the rest of each list is GnuTLS's own, without SHA-1. */
static const char *const priorities =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:"
    "+CHACHA20-POLY1305:-MAC-ALL:+AEAD:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:%SERVER_PRECEDENCE";

static ssize_t pull(gnutls_transport_ptr_t owner, void *room, size_t count) {
    cgnutls_session *session = owner;
    ssize_t received = recv(session->descriptor, room, count, 0);
    session->is_dry = received <= 0;
    /* GnuTLS would take the end for that of the session, and send nothing more. A client that has only ended its half still reads. */
    if (received == 0 && session->is_open) {
        session->has_ended = 1;
        errno = EAGAIN;
        return -1;
    }
    return received;
}

static int wait_for(gnutls_transport_ptr_t owner, unsigned int milliseconds) {
    struct pollfd descriptor = {((cgnutls_session *)owner)->descriptor, POLLIN, 0};
    return poll(&descriptor, 1, milliseconds == GNUTLS_INDEFINITE_TIMEOUT ? -1 : (int)milliseconds);
}

/* Sending is GnuTLS's own. */
static void carry_over(cgnutls_session *session, int descriptor) {
    session->descriptor = descriptor;
    gnutls_transport_set_int2(session->raw, descriptor, descriptor);
    gnutls_transport_set_ptr2(session->raw, session, (gnutls_transport_ptr_t)(long)descriptor);
    gnutls_transport_set_pull_function(session->raw, pull);
    gnutls_transport_set_pull_timeout_function(session->raw, wait_for);
}

static int is_good(gnutls_session_t session, unsigned int *status) {
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    return gnutls_certificate_verify_peers(session, &purpose, 1, status) >= 0 && *status == 0;
}

/* Called with the certificate of a client, when it has shown one. */
static int verify(gnutls_session_t session) {
    unsigned int status = 0, count = 0;
    if (!gnutls_certificate_get_peers(session, &count) || count == 0) return 0;
    return is_good(session, &status) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static void tell(char *reason, size_t length, const char *what, int code) {
    snprintf(reason, length, "%s: %s", what, gnutls_strerror(code));
}

/* When the first certificate of a PEM text ends. */
static long long end_of(const gnutls_datum_t *pem) {
    gnutls_x509_crt_t certificate;
    long long end = 0;
    if (gnutls_x509_crt_init(&certificate) < 0) return 0;
    if (gnutls_x509_crt_import(certificate, pem, GNUTLS_X509_FMT_PEM) >= 0)
        end = (long long)gnutls_x509_crt_get_expiration_time(certificate);
    gnutls_x509_crt_deinit(certificate);
    return end;
}

cgnutls_identity *cgnutls_identity_make(
    const void *certificate, size_t certificate_length, const void *key, size_t key_length, const void *authorities,
    size_t authorities_length, int asks, char *reason, size_t reason_length) {
    const gnutls_datum_t chain = {(unsigned char *)certificate, (unsigned int)certificate_length};
    const gnutls_datum_t secret = {(unsigned char *)key, (unsigned int)key_length};
    const gnutls_datum_t trusted = {(unsigned char *)authorities, (unsigned int)authorities_length};
    cgnutls_identity *identity = calloc(1, sizeof *identity);
    int code = GNUTLS_E_MEMORY_ERROR;
    const char *what = "memory";
    if (!identity) goto failed;
    if ((code = gnutls_certificate_allocate_credentials(&identity->credentials)) < 0) goto failed;
    what = "certificate and key";
    code = gnutls_certificate_set_x509_key_mem2(identity->credentials, &chain, &secret, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0) goto failed;
    if (asks != CGNUTLS_ASKS_NONE) {
        what = "client-ca";
        code = gnutls_certificate_set_x509_trust_mem(identity->credentials, &trusted, GNUTLS_X509_FMT_PEM);
        if (code == 0) code = GNUTLS_E_NO_CERTIFICATE_FOUND;
        if (code < 0) goto failed;
        gnutls_certificate_set_verify_function(identity->credentials, verify);
    }
    what = "ciphers";
    if ((code = gnutls_priority_init(&identity->priority, priorities, NULL)) < 0) goto failed;
    what = "session tickets";
    if ((code = gnutls_session_ticket_key_generate(&identity->ticket_key)) < 0) goto failed;
    identity->asks = asks;
    identity->end = end_of(&chain);
    return identity;
failed:
    tell(reason, reason_length, what, code);
    cgnutls_identity_free(identity);
    return NULL;
}

void cgnutls_identity_free(cgnutls_identity *identity) {
    if (!identity) return;
    if (identity->credentials) gnutls_certificate_free_credentials(identity->credentials);
    if (identity->priority) gnutls_priority_deinit(identity->priority);
    if (identity->ticket_key.data) {
        gnutls_memset(identity->ticket_key.data, 0, identity->ticket_key.size);
        gnutls_free(identity->ticket_key.data);
    }
    free(identity);
}

long long cgnutls_identity_end(const cgnutls_identity *identity) { return identity->end; }

cgnutls_session *cgnutls_open(const cgnutls_identity *identity, int descriptor) {
    static const gnutls_datum_t protocol = {(unsigned char *)"http/1.1", 8};
    cgnutls_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    if (gnutls_init(&session->raw, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
        free(session);
        return NULL;
    }
    if (gnutls_priority_set(session->raw, identity->priority) < 0
        || gnutls_credentials_set(session->raw, GNUTLS_CRD_CERTIFICATE, identity->credentials) < 0
        /* A client that names protocols, and not this one, is told so: it would speak another one. */
        || gnutls_alpn_set_protocols(session->raw, &protocol, 1, GNUTLS_ALPN_MANDATORY) < 0
        || gnutls_session_ticket_enable_server(session->raw, &identity->ticket_key) < 0) {
        cgnutls_close(session);
        return NULL;
    }
    switch (identity->asks) {
    case CGNUTLS_ASKS: gnutls_certificate_server_set_request(session->raw, GNUTLS_CERT_REQUEST); break;
    case CGNUTLS_REQUIRES: gnutls_certificate_server_set_request(session->raw, GNUTLS_CERT_REQUIRE); break;
    default: break;
    }
    carry_over(session, descriptor);
    return session;
}

/* Has the client see to it that the certificate is that of the host. */
static int trust(cgnutls_session *session, const char *host, const char *authorities) {
    unsigned char address[16];
    int count = authorities
        ? gnutls_certificate_set_x509_trust_file(session->credentials, authorities, GNUTLS_X509_FMT_PEM)
        : gnutls_certificate_set_x509_system_trust(session->credentials);
    if (count <= 0 || !(session->host = strdup(host))) return -1;
    gnutls_session_set_verify_cert(session->raw, session->host, 0);
    /* An address is no name that a server could be asked for (RFC 6066, 3). */
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) return 0;
    return gnutls_server_name_set(session->raw, GNUTLS_NAME_DNS, host, strlen(host));
}

cgnutls_session *cgnutls_ask(int descriptor, const char *host, const char *authorities) {
    cgnutls_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    if (gnutls_init(&session->raw, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) < 0) {
        free(session);
        return NULL;
    }
    if (gnutls_set_default_priority(session->raw) < 0
        || gnutls_certificate_allocate_credentials(&session->credentials) < 0
        || gnutls_credentials_set(session->raw, GNUTLS_CRD_CERTIFICATE, session->credentials) < 0
        || (host && trust(session, host, authorities) < 0)) {
        cgnutls_close(session);
        return NULL;
    }
    carry_over(session, descriptor);
    return session;
}

void cgnutls_close(cgnutls_session *session) {
    if (!session) return;
    gnutls_deinit(session->raw);
    if (session->credentials) gnutls_certificate_free_credentials(session->credentials);
    free(session->host);
    free(session);
}

static int is_wait(int code) { return code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED; }

static int broken(cgnutls_session *session, int code) {
    session->error = code;
    return CGNUTLS_BROKEN;
}

int cgnutls_handshake(cgnutls_session *session) {
    unsigned int status = 0, count = 0;
    int code;
    /* A warning or two may come before the end; more are no handshake. */
    for (int warnings = 0; warnings < 4; warnings++) {
        code = gnutls_handshake(session->raw);
        if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED) return CGNUTLS_WAIT;
        if (code >= 0 || gnutls_error_is_fatal(code)) break;
    }
    /* The certificate of a session that goes on was looked at when that began, and may have ended since, or its authority be trusted no
     * more. */
    if (code >= 0 && gnutls_session_is_resumed(session->raw) && gnutls_certificate_get_peers(session->raw, &count)
        && count > 0 && !is_good(session->raw, &status))
        code = GNUTLS_E_CERTIFICATE_ERROR;
    if (code >= 0) {
        session->is_open = 1;
        return 0;
    }
    (void)gnutls_alert_send_appropriate(session->raw, code);
    return broken(session, code);
}

ssize_t cgnutls_receive(cgnutls_session *session, void *room, size_t count) {
    /* Alerts that only warn, new keys and tickets bring nothing; of so many in a row nothing good comes. */
    for (int messages = 0; messages < 16; messages++) {
        session->is_dry = 0;
        ssize_t received = gnutls_record_recv(session->raw, room, count);
        if (received >= 0) return received;
        if (is_wait((int)received)) {
            /* What is cut off shows: a request says how long it is. */
            if (session->has_ended) return 0;
            if (session->is_dry) return CGNUTLS_WAIT;
            continue;
        }
        /* Nothing is negotiated twice. */
        if (received == GNUTLS_E_REHANDSHAKE || gnutls_error_is_fatal((int)received))
            return broken(session, (int)received);
    }
    return broken(session, GNUTLS_E_WARNING_ALERT_RECEIVED);
}

ssize_t cgnutls_send(cgnutls_session *session, const void *bytes, size_t count) {
    ssize_t sent = gnutls_record_send(session->raw, bytes, count);
    if (sent >= 0) return sent;
    return is_wait((int)sent) ? CGNUTLS_WAIT : broken(session, (int)sent);
}

int cgnutls_flush(cgnutls_session *session) {
    ssize_t sent = gnutls_record_send(session->raw, NULL, 0);
    if (sent >= 0) return 0;
    return is_wait((int)sent) ? CGNUTLS_WAIT : broken(session, (int)sent);
}

size_t cgnutls_record(const cgnutls_session *session) { return gnutls_record_get_max_size(session->raw); }

int cgnutls_bye(cgnutls_session *session) {
    int code = gnutls_bye(session->raw, GNUTLS_SHUT_WR);
    if (code >= 0) return 0;
    return is_wait(code) ? CGNUTLS_WAIT : broken(session, code);
}

void cgnutls_reason(cgnutls_session *session, char *reason, size_t reason_length) {
    unsigned int status = 0;
    gnutls_datum_t text = {NULL, 0};
    if (session->error == GNUTLS_E_CERTIFICATE_ERROR && !is_good(session->raw, &status) && status != 0
        && gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) >= 0) {
        snprintf(reason, reason_length, "the client's certificate: %s", (const char *)text.data);
        gnutls_free(text.data);
    } else if (session->error == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR
        && gnutls_certificate_verification_status_print(
               gnutls_session_get_verify_cert_status(session->raw), GNUTLS_CRT_X509, &text, 0) >= 0) {
        snprintf(reason, reason_length, "%s", (const char *)text.data);
        gnutls_free(text.data);
    } else if (session->error == GNUTLS_E_FATAL_ALERT_RECEIVED || session->error == GNUTLS_E_WARNING_ALERT_RECEIVED) {
        const char *name = gnutls_alert_get_name(gnutls_alert_get(session->raw));
        const char *other = session->credentials ? "server" : "client";
        snprintf(reason, reason_length, "the %s says: %s", other, name ? name : "an alert without a name");
    } else {
        snprintf(reason, reason_length, "%s", gnutls_strerror(session->error));
    }
}

/* The text in a value of DER, moved to its beginning; its length, or 0 when it is none of ASCII or UTF-8. */
static size_t text_in(char *value, size_t length) {
    const unsigned char *der = (const unsigned char *)value;
    size_t head = 2, count;
    if (length < 2 || (der[0] != 0x0C && der[0] != 0x13 && der[0] != 0x16)) return 0;
    count = der[1];
    if (count == 0x81 && length > 2) {
        count = der[2];
        head = 3;
    }
    if (count > 0xFF || head + count != length) return 0;
    memmove(value, value + head, count);
    return count;
}

/* Writes the first name of that kind; its length, or 0 when there is none, or none that there is room for. */
static size_t name_of(gnutls_x509_crt_t certificate, int kind, char *name, size_t room) {
    size_t length = room;
    if (kind == CGNUTLS_COMMON_NAME) {
        /* Raw, for else it comes with backslashes, as a part of a distinguished name. */
        int code = gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 1, name, &length);
        return code < 0 ? 0 : text_in(name, length);
    }
    int wanted = kind == CGNUTLS_DNS ? GNUTLS_SAN_DNSNAME : kind == CGNUTLS_EMAIL ? GNUTLS_SAN_RFC822NAME : GNUTLS_SAN_URI;
    for (unsigned int index = 0; index < 64; index++) {
        length = room;
        int type = gnutls_x509_crt_get_subject_alt_name(certificate, index, name, &length, NULL);
        if (type == wanted) return length;
        /* One that is too long may be of that kind: then the next would not be the first. */
        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || type == GNUTLS_E_SHORT_MEMORY_BUFFER) return 0;
    }
    return 0;
}

int cgnutls_client(cgnutls_session *session, int kind, char *name, size_t *length, long long *end) {
    unsigned int count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session->raw, &count);
    gnutls_x509_crt_t certificate;
    if (!chain || count == 0 || gnutls_x509_crt_init(&certificate) < 0) return 0;
    int is_read = gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) >= 0;
    if (is_read) {
        *length = name_of(certificate, kind, name, *length);
        *end = (long long)gnutls_x509_crt_get_expiration_time(certificate);
    }
    gnutls_x509_crt_deinit(certificate);
    return is_read;
}
