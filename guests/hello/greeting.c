/* A line of text by the C library: what is compared with the same program as native
 * code.
 */

#include <unistd.h>

static const char GREETING[] = "Hello from a small guest!\n";

int main(void) {
    ssize_t len = sizeof GREETING - 1;
    return write(STDOUT_FILENO, GREETING, len) != len;
}
