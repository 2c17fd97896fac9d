/* The smallest useful WASI command: one call to fd_write and nothing else.
 *
 * Built without a C library, so that what is measured when it runs is the
 * start of the runtime and not the start of a libc.
 */

typedef unsigned int u32;

struct ciovec {
    const char *buf;
    u32 len;
};

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write")))
u32 fd_write(u32 fd, const struct ciovec *iovs, u32 iovs_len, u32 *written);

__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit")))
_Noreturn void proc_exit(u32 code);

static const char GREETING[] = "Hello from a small guest!\n";

__attribute__((export_name("_start")))
void start(void) {
    struct ciovec line = {GREETING, sizeof GREETING - 1};
    u32 written;
    if (fd_write(1, &line, 1, &written) != 0 || written != line.len) {
        proc_exit(1);
    }
}
