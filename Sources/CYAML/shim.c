// Every C module is headers only; a target needs one source file.
#include "shim.h"
