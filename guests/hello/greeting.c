/* A line of text by the C library, of some 3 KB: what is compared with the same
 * program as native code.
 */

#include <stdio.h>

int main(void) {
    return puts("Hello from a small guest!") < 0;
}
