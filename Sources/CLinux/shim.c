#define _GNU_SOURCE
#include "shim.h"

static _Thread_local const void *current;

const void *clinux_current(void) { return current; }
void clinux_set_current(const void *owner) { current = owner; }
void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
