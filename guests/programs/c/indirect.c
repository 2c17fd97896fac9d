/* Calls: functions through pointers, as callbacks and as a table of actions. */
#include "program.h"

typedef struct State State;
typedef void Action(State *state, uint32_t operand);

struct State {
    uint32_t registers[4];
    uint32_t at;
};

static void add(State *state, uint32_t operand) { state->registers[0] += operand; }
static void rotate(State *state, uint32_t operand) {
    uint32_t value = state->registers[0] + operand;
    state->registers[0] = value << 7 | value >> 25;
}
static void multiply(State *state, uint32_t operand) { state->registers[1] *= operand | 1; }
static void exchange(State *state, uint32_t operand) {
    uint32_t value = state->registers[operand & 3];
    state->registers[operand & 3] = state->registers[0];
    state->registers[0] = value;
}
static void accumulate(State *state, uint32_t operand) {
    state->registers[2] += state->registers[0] ^ operand;
}
static void count(State *state, uint32_t operand) { state->registers[3] += operand & 1; }

static Action *const actions[] = {add, rotate, multiply, exchange, accumulate, count, add, rotate};

typedef int Compare(const void *, const void *);

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int by_low_bits(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a & 0xffff, y = *(const uint32_t *)b & 0xffff;
    return (x > y) - (x < y);
}

static uint64_t compute(uint32_t size) {
    static uint32_t operands[1000], values[1000];
    static uint8_t choices[1000];
    uint32_t random = 19;
    for (int i = 0; i < 1000; i++) {
        operands[i] = next_random(&random);
        choices[i] = (uint8_t)(next_random(&random) >> 29);
    }
    State state = {{1, 3, 5, 7}, 0};
    Compare *compares[] = {ascending, by_low_bits};
    uint64_t checksum = 0;
    for (uint32_t round = 0; round < size * 5; round++) {
        for (int pass = 0; pass < 20; pass++)
            for (int i = 0; i < 1000; i++)
                actions[choices[i]](&state, operands[i]);
        for (int i = 0; i < 1000; i++)
            values[i] = operands[i] ^ state.registers[0] * (uint32_t)i;
        qsort(values, 1000, sizeof *values, compares[round & 1]);
        checksum = mix(checksum, values[500] ^ state.registers[2]);
    }
    return checksum;
}
