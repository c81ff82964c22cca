#pragma once

/* The commit that the program was built of; "unknown" where the build was not told. */
const char *cbuild_commit(void);
