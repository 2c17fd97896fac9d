/* An interpreter with a larger instruction set: byte code of a Forth-like machine
 * with superinstructions, which runs a matrix product, a string search and a
 * recursive function. */
#include "program.h"

enum Op {
    LIT8, LIT16, LOCAL0, LOCAL1, LOCAL2, LOCAL3, SET0, SET1, SET2, SET3, INC0, INC1, INC2, INC3,
    ADD, SUB, MUL, AND, OR, XOR, SHL, SHR, LT, EQ, NOT, DUP, DROP, SWAP, OVER,
    FETCH, STORE, FETCH8, STORE8, ADDFETCH, LITADD, JUMP, JZ, LOOP0, LOOP1, LOOP2, CALL, RET, HALT,
};

enum { A = 0, B = 1024, C = 2048, TEXT = 12288, MEMORY = 1 << 14 };

#define W(x) (uint8_t)((x) & 255), (uint8_t)((x) >> 8)

/* c[i][j] = Σ a[i][k] b[k][j], 16 × 16 words. Locals: i, j, k, sum. */
static const uint8_t product[] = {
    /*  0 */ LIT8, 0, SET0,
    /*  3 */ LIT8, 0, SET1,
    /*  6 */ LIT8, 0, SET2, LIT8, 0, SET3,
    /* 12 */ LOCAL0, LIT8, 4, SHL, LOCAL2, ADD, LIT8, 2, SHL, FETCH,
    /* 22 */ LOCAL2, LIT8, 4, SHL, LOCAL1, ADD, LIT8, 2, SHL, LIT16, W(B), ADDFETCH,
    /* 35 */ MUL, LOCAL3, ADD, SET3,
    /* 39 */ LOOP2, 16, W(12),
    /* 43 */ LOCAL3, LOCAL0, LIT8, 4, SHL, LOCAL1, ADD, LIT8, 2, SHL, LIT16, W(C), ADD, STORE,
    /* 58 */ LOOP1, 16, W(6),
    /* 62 */ LOOP0, 16, W(3),
    /* 66 */ HALT,
};

/* Counts the places where a byte of the text is the one 16 before. Locals: place,
 * -, -, count. */
static const uint8_t search[] = {
    /*  0 */ LIT8, 0, SET0, LIT8, 0, SET3,
    /*  6 */ LOCAL0, LIT16, W(TEXT), ADD, DUP, FETCH8, SWAP, LITADD, 240, FETCH8, EQ, JZ, W(22),
    /* 21 */ INC3,
    /* 22 */ LOOP0, 255, W(6),
    /* 26 */ LOCAL3, LIT8, 0, STORE, HALT,
};

/* Fibonacci by recursion: local 0 is the argument, the result is on the stack. */
static const uint8_t recursion[] = {
    /*  0 */ LIT8, 13, CALL, W(6), HALT,
    /*  6 */ SET0, LOCAL0, LIT8, 2, LT, JZ, W(16), LOCAL0, RET,
    /* 16 */ LOCAL0, LITADD, 255, CALL, W(6), LOCAL0, LITADD, 254, CALL, W(6), ADD, RET,
};

static uint8_t memory[MEMORY];

static uint32_t read16(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }

static uint32_t fetch(uint32_t at) {
    uint32_t word;
    memcpy(&word, memory + (at & (MEMORY - 4)), 4);
    return word;
}

__attribute__((noinline)) static uint32_t run(const uint8_t *code) {
    uint32_t stack[64], frames[160], locals[4] = {0};
    uint32_t *top = stack, *frame = frames;
    const uint8_t *at = code;
    *top = 0;
    for (;;) {
        switch ((enum Op)*at++) {
        case LIT8: *++top = *at++; break;
        case LIT16: *++top = read16(at), at += 2; break;
        case LOCAL0: *++top = locals[0]; break;
        case LOCAL1: *++top = locals[1]; break;
        case LOCAL2: *++top = locals[2]; break;
        case LOCAL3: *++top = locals[3]; break;
        case SET0: locals[0] = *top--; break;
        case SET1: locals[1] = *top--; break;
        case SET2: locals[2] = *top--; break;
        case SET3: locals[3] = *top--; break;
        case INC0: locals[0]++; break;
        case INC1: locals[1]++; break;
        case INC2: locals[2]++; break;
        case INC3: locals[3]++; break;
        case ADD: top--, *top += top[1]; break;
        case SUB: top--, *top -= top[1]; break;
        case MUL: top--, *top *= top[1]; break;
        case AND: top--, *top &= top[1]; break;
        case OR: top--, *top |= top[1]; break;
        case XOR: top--, *top ^= top[1]; break;
        case SHL: top--, *top <<= top[1] & 31; break;
        case SHR: top--, *top >>= top[1] & 31; break;
        case LT: top--, *top = (int32_t)*top < (int32_t)top[1]; break;
        case EQ: top--, *top = *top == top[1]; break;
        case NOT: *top = !*top; break;
        case DUP: top++, *top = top[-1]; break;
        case DROP: top--; break;
        case SWAP: { uint32_t value = *top; *top = top[-1]; top[-1] = value; break; }
        case OVER: top++, *top = top[-2]; break;
        case FETCH: *top = fetch(*top); break;
        case STORE: memcpy(memory + (*top & (MEMORY - 4)), top - 1, 4), top -= 2; break;
        case FETCH8: *top = memory[*top & (MEMORY - 1)]; break;
        case STORE8: memory[*top & (MEMORY - 1)] = (uint8_t)top[-1], top -= 2; break;
        case ADDFETCH: top--, *top = fetch(*top + top[1]); break;
        case LITADD: *top += (uint32_t)(int8_t)*at++; break;
        case JUMP: at = code + read16(at); break;
        case JZ: at = *top-- ? at + 2 : code + read16(at); break;
        case LOOP0: at = ++locals[0] < *at ? code + read16(at + 1) : at + 3; break;
        case LOOP1: at = ++locals[1] < *at ? code + read16(at + 1) : at + 3; break;
        case LOOP2: at = ++locals[2] < *at ? code + read16(at + 1) : at + 3; break;
        case CALL:
            *frame++ = (uint32_t)(at + 2 - code);
            *frame++ = locals[0];
            at = code + read16(at);
            break;
        case RET:
            locals[0] = *--frame;
            at = code + *--frame;
            break;
        case HALT: return *top;
        }
    }
}

static uint64_t compute(uint32_t size) {
    uint32_t random = 29;
    for (int i = 0; i < MEMORY; i++)
        memory[i] = (uint8_t)(next_random(&random) & 31);
    uint64_t checksum = 0;
    for (uint32_t round = 0; round < size * 5; round++) {
        memory[TEXT + round % 256] = (uint8_t)(round & 31);
        run(search);
        run(product);
        checksum = mix(checksum, run(recursion) ^ fetch(C + 4 * (round % 256)) ^ memory[0]);
        memcpy(memory + A, memory + C + 4 * (round % 64), 64);
    }
    return checksum;
}
