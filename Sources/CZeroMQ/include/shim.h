#pragma once
#include <zmq.h>

/* An option since libzmq 4.3.0, though the header lists it among the drafts. */
static const int czmq_zap_enforce_domain = 93;
