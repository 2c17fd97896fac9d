/* setjmp and longjmp, which clang makes of exceptions: a thousand jumps out of
 * calls of growing depth, with variables that must survive them.
 */

#include <setjmp.h>
#include <stdio.h>

static jmp_buf place;

static int descend(int depth) {
    if (depth == 0)
        longjmp(place, 7);
    return descend(depth - 1) + 1;
}

int main(void) {
    volatile int tries = 0;
    volatile double sum = 0.5;
    int total = 0;
    for (int depth = 0; depth < 1000; depth++) {
        int code = setjmp(place);
        if (code == 0) {
            tries++;
            sum += 1.0;
            descend(depth);
        } else {
            total += code;
        }
    }
    printf("%d tries, total %d, sum %.1f\n", tries, total, sum);
    return 0;
}
