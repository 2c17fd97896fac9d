// C++ exceptions: destructors on the way, rethrowing, locals that survive, and
// at last an exception that nothing catches.
//
// No C++ runtime with exceptions comes with the sysroot. The part of it that
// `catch (...)` needs stands below: it knows no types.

#include <stdio.h>
#include <stdlib.h>

namespace {

int guards;

struct Guard {
    ~Guard() { ++guards; }
};

struct Error {
    int code;
    ~Error() { ++guards; }
};

__attribute__((noinline)) int descend(int depth) {
    Guard guard;
    if (depth == 0)
        throw Error{42};
    return descend(depth - 1) + 1;
}

__attribute__((noinline)) int rethrow(int depth) {
    try {
        return descend(depth);
    } catch (...) {
        Guard guard;
        throw;
    }
}

} // namespace

int main() {
    int caught = 0;
    double sum = 0.5;
    for (int i = 0; i < 300; i++) {
        try {
            sum += 1.0;
            rethrow(i % 50);
        } catch (...) {
            caught++;
            sum *= 1.0001;
        }
    }
    printf("caught %d, destroyed %d, sum %.3f\n", caught, guards, sum);
    fflush(stdout);
    descend(3);
}

asm(".tagtype __cpp_exception i32\n"
    ".globl __cpp_exception\n"
    "__cpp_exception:\n");

extern "C" {

// Before each exception object.
struct alignas(16) Header {
    void *(*destroy)(void *);
};

// Exceptions being handled, innermost last, and whether that one was thrown
// again, so that it outlives its handler.
static void *handled[8];
static int depth;
static bool rethrown;

// What the personality function fills in; never asked for a type.
struct {
    int landing_pad;
    void *lsda;
    int selector;
} __wasm_lpad_context;
void *_ZTVN10__cxxabiv117__class_type_infoE[8];

int _Unwind_CallPersonality(void *) {
    __wasm_lpad_context.selector = 1;
    return 0;
}

int __gxx_personality_wasm0() { return 0; }

void *__cxa_allocate_exception(size_t size) noexcept {
    return static_cast<Header *>(malloc(sizeof(Header) + size)) + 1;
}

void __cxa_free_exception(void *object) noexcept { free(static_cast<Header *>(object) - 1); }

[[noreturn]] void __cxa_throw(void *object, void *, void *(*destroy)(void *)) {
    (static_cast<Header *>(object) - 1)->destroy = destroy;
    __builtin_wasm_throw(0, object);
}

[[noreturn]] void __cxa_rethrow() {
    rethrown = true;
    __builtin_wasm_throw(0, handled[depth - 1]);
}

void *__cxa_begin_catch(void *object) noexcept { return handled[depth++] = object; }

void __cxa_end_catch() {
    void *object = handled[--depth];
    if (rethrown) {
        rethrown = false;
        return;
    }
    (static_cast<Header *>(object) - 1)->destroy(object);
    __cxa_free_exception(object);
}

} // extern "C"

namespace std {
[[noreturn]] void terminate() noexcept { abort(); }
} // namespace std
