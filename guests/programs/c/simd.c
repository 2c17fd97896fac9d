/* Vectors: four Mandelbrot points at once, a checksum of bytes, and a filter with
 * saturation. */
#include "program.h"
#include <wasm_simd128.h>

enum { SIDE = 64, ROUNDS = 200, BYTES = 1 << 14 };

static uint32_t mandelbrot(float shift) {
    v128_t total = wasm_i32x4_splat(0);
    for (int row = 0; row < SIDE; row++) {
        v128_t y = wasm_f32x4_splat((float)row / SIDE * 2 - 1);
        for (int column = 0; column < SIDE; column += 4) {
            v128_t x = wasm_f32x4_make((float)column, (float)column + 1, (float)column + 2,
                                       (float)column + 3);
            x = wasm_f32x4_add(wasm_f32x4_mul(x, wasm_f32x4_splat(3.0f / SIDE)),
                               wasm_f32x4_splat(shift - 2));
            v128_t re = wasm_f32x4_splat(0), im = re;
            for (int round = 0; round < ROUNDS; round++) {
                v128_t re2 = wasm_f32x4_mul(re, re), im2 = wasm_f32x4_mul(im, im);
                v128_t inside = wasm_f32x4_le(wasm_f32x4_add(re2, im2), wasm_f32x4_splat(4));
                if (!wasm_v128_any_true(inside))
                    break;
                total = wasm_i32x4_sub(total, inside);
                v128_t product = wasm_f32x4_mul(re, im);
                im = wasm_f32x4_add(wasm_f32x4_add(product, product), y);
                re = wasm_f32x4_add(wasm_f32x4_sub(re2, im2), x);
            }
        }
    }
    return (uint32_t)(wasm_i32x4_extract_lane(total, 0) + wasm_i32x4_extract_lane(total, 1) +
                      wasm_i32x4_extract_lane(total, 2) + wasm_i32x4_extract_lane(total, 3));
}

/* Each byte becomes the mean of itself and the next, brightened. */
static void filter(uint8_t *bytes) {
    for (int at = 0; at + 17 <= BYTES; at += 16) {
        v128_t here = wasm_v128_load(bytes + at), next = wasm_v128_load(bytes + at + 1);
        v128_t mean = wasm_u8x16_avgr(here, next);
        v128_t bright = wasm_u8x16_add_sat(mean, wasm_i8x16_splat(3));
        v128_t full = wasm_i8x16_eq(bright, wasm_i8x16_splat(-1));
        wasm_v128_store(bytes + at, wasm_v128_bitselect(here, bright, full));
    }
}

static uint32_t sum(const uint8_t *bytes) {
    v128_t total = wasm_i32x4_splat(0);
    for (int at = 0; at < BYTES; at += 16) {
        v128_t value = wasm_v128_load(bytes + at);
        v128_t turned = wasm_i8x16_shuffle(value, value, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15,
                                           14, 13, 12);
        v128_t pairs = wasm_i16x8_add(wasm_u16x8_extadd_pairwise_u8x16(value),
                                      wasm_u16x8_extmul_low_u8x16(value, turned));
        total = wasm_i32x4_add(total, wasm_i32x4_dot_i16x8(pairs, wasm_i16x8_splat(3)));
    }
    return (uint32_t)(wasm_i32x4_extract_lane(total, 0) ^ wasm_i32x4_extract_lane(total, 3));
}

static uint64_t compute(uint32_t size) {
    static uint8_t bytes[BYTES];
    uint32_t random = 23;
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)next_random(&random);
    uint64_t checksum = 0;
    for (uint32_t round = 0; round < size * 10; round++) {
        checksum = mix(checksum, mandelbrot((float)round * 1e-3f));
        for (int pass = 0; pass < 30; pass++) {
            filter(bytes);
            checksum = mix(checksum, sum(bytes));
        }
    }
    return checksum;
}
