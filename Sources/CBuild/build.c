#include "build.h"

#ifndef ZMQ_GATEWAY_COMMIT
#define ZMQ_GATEWAY_COMMIT "unknown"
#endif

const char *cbuild_commit(void) { return ZMQ_GATEWAY_COMMIT; }
