#include "shim.h"

/* Bytes in an array literal of Swift would take the compiler minutes. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char script[] = {
#embed "swagger-ui-bundle.js.gz"
};
static const unsigned char style[] = {
#embed "swagger-ui.css.gz"
};

const unsigned char *cswaggerui_script(size_t *count) {
  *count = sizeof script;
  return script;
}

const unsigned char *cswaggerui_style(size_t *count) {
  *count = sizeof style;
  return style;
}
