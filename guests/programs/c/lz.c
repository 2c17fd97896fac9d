/* Bytes: a compressor of the LZ77 family, and its inverse. A token is a number of
 * literals, the literals, and a match: how long, and how far back. */
#include "program.h"

enum { LENGTH = 1 << 16, HASHES = 1 << 12, SHORTEST = 4, LONGEST = 255, FARTHEST = 65535 };

static uint32_t hash(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word * 2654435761u >> 20;
}

static size_t match(const uint8_t *a, const uint8_t *b, const uint8_t *end) {
    size_t length = 0;
    while (b + length < end && length < LONGEST && a[length] == b[length])
        length++;
    return length;
}

static uint8_t *put_token(uint8_t *out, const uint8_t *literals, size_t count, size_t length,
                          size_t distance) {
    *out++ = (uint8_t)count;
    memcpy(out, literals, count);
    out += count;
    *out++ = (uint8_t)length;
    *out++ = (uint8_t)distance;
    *out++ = (uint8_t)(distance >> 8);
    return out;
}

static size_t compress(const uint8_t *in, size_t size, uint8_t *out) {
    static uint32_t recent[HASHES];
    memset(recent, 0xff, sizeof recent);
    const uint8_t *end = in + size;
    uint8_t *begin = out;
    size_t at = 0, literals = 0;
    while (at < size) {
        size_t length = 0, candidate = 0;
        if (at + SHORTEST <= size) {
            uint32_t *slot = &recent[hash(in + at)];
            candidate = *slot;
            *slot = (uint32_t)at;
            if (candidate < at && at - candidate <= FARTHEST)
                length = match(in + candidate, in + at, end);
        }
        if (length >= SHORTEST) {
            out = put_token(out, in + at - literals, literals, length, at - candidate);
            at += length;
            literals = 0;
        } else {
            at++;
            if (++literals == 255) {
                out = put_token(out, in + at - literals, literals, 0, 0);
                literals = 0;
            }
        }
    }
    out = put_token(out, in + at - literals, literals, 0, 0);
    return (size_t)(out - begin);
}

static size_t decompress(const uint8_t *in, size_t size, uint8_t *out) {
    const uint8_t *end = in + size;
    uint8_t *begin = out;
    while (in < end) {
        size_t count = *in++;
        memcpy(out, in, count);
        out += count;
        in += count;
        size_t length = in[0], distance = in[1] | (size_t)in[2] << 8;
        in += 3;
        for (size_t i = 0; i < length; i++, out++)
            *out = *(out - distance);
    }
    return (size_t)(out - begin);
}

static uint64_t compute(uint32_t size) {
    static uint8_t text[LENGTH], packed[2 * LENGTH], unpacked[LENGTH];
    static const char *words[] = {"the ", "quick ", "brown ", "fox ", "jumps ", "over ", "lazy ",
                                  "dogs.\n"};
    uint32_t random = 7;
    size_t at = 0;
    while (at < LENGTH) {
        uint32_t number = next_random(&random);
        const char *word = words[number & 7];
        for (; *word && at < LENGTH; word++)
            text[at++] = (uint8_t)*word;
        if ((number & 0x700) == 0 && at < LENGTH)
            text[at++] = (uint8_t)(number >> 24);
    }
    uint64_t checksum = 0;
    for (uint32_t round = 0; round < size * 4; round++) {
        text[round % LENGTH] ^= 1;
        size_t length = compress(text, LENGTH, packed);
        if (decompress(packed, length, unpacked) != LENGTH || memcmp(text, unpacked, LENGTH))
            return 0;
        checksum = mix(checksum, length);
    }
    return checksum;
}
