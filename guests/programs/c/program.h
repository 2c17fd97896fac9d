/* What the programs in C have in common: `--size N`, and a checksum. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Does an amount of work in proportion to `size`; the checksum of it. */
static uint64_t compute(uint32_t size);

/* Adds a number to a checksum (FNV-1a, by words). */
static inline uint64_t mix(uint64_t checksum, uint64_t value) {
    return (checksum ^ value) * 0x100000001b3u;
}

/* Pseudo-random numbers (xorshift32). */
static inline uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

int main(int argc, char **argv) {
    uint32_t size = 100;
    if (argc == 3 && !strcmp(argv[1], "--size")) {
        size = (uint32_t)strtoul(argv[2], NULL, 10);
    } else if (argc != 1) {
        fputs("usage: PROGRAM [--size N]\n", stderr);
        return 2;
    }
    printf("%016llx\n", (unsigned long long)compute(size));
    return 0;
}

#endif
