/* File I/O through the C library, one call after the other, inside the folder
 * given as the only argument: create, write, seek, overwrite, append, truncate,
 * read back, stat, rename, list, remove.
 *
 * Every step prints what it found, so that a wrong offset, size or errno shows
 * as a difference in the output. Exits with 1 at the first call that fails.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder;

static void check(int ok, const char *step);
static const char *inside(const char *name);
static void write_lines(void);
static void read_back(void);
static void overwrite_and_append(void);
static void cut_and_extend(void);
static void read_and_write_at(void);
static void rename_and_list(void);
static void expect_errors(void);
static void remove_all(void);

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: cfile FOLDER\n");
        return 2;
    }
    folder = argv[1];
    write_lines();
    read_back();
    overwrite_and_append();
    cut_and_extend();
    read_and_write_at();
    rename_and_list();
    expect_errors();
    remove_all();
    puts("done");
    return 0;
}

static void write_lines(void) {
    FILE *file = fopen(inside("lines.txt"), "wx");
    check(file != NULL, "fopen wx");
    for (int line = 0; line < 1000; line++) {
        check(fprintf(file, "line %04d\n", line) == 10, "fprintf");
    }
    printf("wrote up to %ld\n", ftell(file));
    check(fclose(file) == 0, "fclose");
}

static void read_back(void) {
    char line[32];
    FILE *file = fopen(inside("lines.txt"), "r");
    check(file != NULL, "fopen r");
    check(fseek(file, 10 * 500, SEEK_SET) == 0, "fseek set");
    check(fgets(line, sizeof line, file) != NULL, "fgets");
    printf("at 5000: %s", line);
    check(fseek(file, 10 * 99, SEEK_CUR) == 0, "fseek cur");
    check(fgets(line, sizeof line, file) != NULL, "fgets");
    printf("100 later: %s", line);
    check(fseek(file, -10, SEEK_END) == 0, "fseek end");
    check(fread(line, 1, sizeof line, file) == 10, "fread at the end");
    printf("last: %.10s", line);
    printf("end of file: %d\n", feof(file) != 0);
    rewind(file);
    int lines = 0;
    for (int c; (c = getc(file)) != EOF;) {
        lines += c == '\n';
    }
    printf("lines: %d\n", lines);
    check(fclose(file) == 0, "fclose");
}

static void overwrite_and_append(void) {
    FILE *file = fopen(inside("lines.txt"), "r+");
    check(file != NULL, "fopen r+");
    check(fseek(file, 20, SEEK_SET) == 0, "fseek");
    check(fwrite("LINE", 1, 4, file) == 4, "fwrite");
    check(fclose(file) == 0, "fclose");

    file = fopen(inside("lines.txt"), "a+");
    check(file != NULL, "fopen a+");
    /* What is appended goes to the end, wherever the position is. */
    check(fseek(file, 0, SEEK_SET) == 0, "fseek");
    check(fputs("the end\n", file) >= 0, "fputs");
    check(fflush(file) == 0, "fflush");
    printf("appended up to %ld\n", ftell(file));
    char line[32];
    check(fseek(file, 20, SEEK_SET) == 0, "fseek");
    check(fgets(line, sizeof line, file) != NULL, "fgets");
    printf("overwritten: %s", line);
    check(fclose(file) == 0, "fclose");
}

static void cut_and_extend(void) {
    struct stat status;
    int fd = open(inside("lines.txt"), O_RDWR);
    check(fd >= 0, "open");
    check(ftruncate(fd, 15) == 0, "ftruncate down");
    check(fstat(fd, &status) == 0, "fstat");
    printf("cut to %lld\n", (long long)status.st_size);
    check(ftruncate(fd, 20) == 0, "ftruncate up");
    char bytes[32];
    ssize_t count = read(fd, bytes, sizeof bytes);
    int zeros = 0;
    for (ssize_t i = 15; i < count; i++) {
        zeros += bytes[i] == 0;
    }
    printf("read %zd, %d zeros after the cut\n", count, zeros);
    check(close(fd) == 0, "close");
}

static void read_and_write_at(void) {
    int fd = open(inside("at.bin"), O_RDWR | O_CREAT | O_EXCL, 0644);
    check(fd >= 0, "open");
    check(pwrite(fd, "world", 5, 7) == 5, "pwrite");
    check(pwrite(fd, "hello, ", 7, 0) == 7, "pwrite");
    printf("position: %lld\n", (long long)lseek(fd, 0, SEEK_CUR));
    char bytes[16] = {0};
    check(pread(fd, bytes, 5, 7) == 5, "pread");
    printf("at 7: %s\n", bytes);
    printf("size: %lld\n", (long long)lseek(fd, 0, SEEK_END));
    check(fsync(fd) == 0, "fsync");
    check(close(fd) == 0, "close");
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void rename_and_list(void) {
    check(mkdir(inside("sub"), 0755) == 0, "mkdir");
    check(rename(inside("lines.txt"), inside("sub/renamed.txt")) == 0, "rename");
    struct stat status;
    check(stat(inside("sub/renamed.txt"), &status) == 0, "stat");
    printf("renamed: %lld bytes, regular: %d\n", (long long)status.st_size,
           S_ISREG(status.st_mode) != 0);

    /* Enough entries for several calls of fd_readdir. */
    for (int i = 0; i < 200; i++) {
        char name[64];
        snprintf(name, sizeof name, "sub/entry-with-a-longer-name-%03d", i);
        FILE *file = fopen(inside(name), "w");
        check(file != NULL, "fopen w");
        check(fclose(file) == 0, "fclose");
    }
    char *names[256];
    int count = 0;
    DIR *dir = opendir(inside("sub"));
    check(dir != NULL, "opendir");
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            check(count < 256, "number of entries");
            names[count++] = strdup(entry->d_name);
        }
    }
    check(closedir(dir) == 0, "closedir");
    qsort(names, count, sizeof names[0], by_name);
    printf("entries: %d, first %s, last %s\n", count, names[0], names[count - 1]);
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
}

static void expect_errors(void) {
    printf("missing: %s\n", fopen(inside("missing"), "r") == NULL ? strerror(errno) : "opened");
    printf("exists: %s\n", mkdir(inside("sub"), 0755) != 0 ? strerror(errno) : "made");
    printf("not empty: %s\n", rmdir(inside("sub")) != 0 ? strerror(errno) : "removed");
    printf("a folder: %s\n", fopen(inside("sub"), "w") == NULL ? strerror(errno) : "opened");
    printf("outside: %s\n", fopen(inside("../outside"), "w") == NULL ? "refused" : "opened");
}

static void remove_all(void) {
    for (int i = 0; i < 200; i++) {
        char name[64];
        snprintf(name, sizeof name, "sub/entry-with-a-longer-name-%03d", i);
        check(remove(inside(name)) == 0, "remove");
    }
    check(unlink(inside("sub/renamed.txt")) == 0, "unlink");
    check(rmdir(inside("sub")) == 0, "rmdir");
    check(remove(inside("at.bin")) == 0, "remove");
}

/* The path of `name` in the folder, good for the next three calls. */
static const char *inside(const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void check(int ok, const char *step) {
    if (!ok) {
        printf("%s failed: %s\n", step, strerror(errno));
        exit(1);
    }
}
