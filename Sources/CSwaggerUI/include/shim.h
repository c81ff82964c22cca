#include <stddef.h>

/* Two files of Swagger UI 5.31.0, as gzip. Scripts/swagger-ui takes them out of the wheel swagger-ui-bundle-v2; LICENSE is theirs. */
const unsigned char *cswaggerui_script(size_t *count);
const unsigned char *cswaggerui_style(size_t *count);
