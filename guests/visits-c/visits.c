/* Counts its visitors, and tells each the count, a number that was drawn at the
 * start, and what it has sent, in upper case. By CGI if it is called so; else as
 * a server on the listener that is descriptor 3, one connection after the other. */

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENER 3
#define MOST (1 << 20)

static unsigned visits;
static uint64_t drawn;
static char body[MOST];

/* Tells a visitor all, whose body has `length` bytes. */
static void answer(FILE *to, const char *head, size_t length) {
    visits++;
    for (size_t i = 0; i < length; i++) {
        body[i] = (char)toupper((unsigned char)body[i]);
    }
    fprintf(to, "%s%u %016llx\n", head, visits, (unsigned long long)drawn);
    fwrite(body, 1, length, to);
    fflush(to);
}

/* Reads a request's body; returns its length. */
static size_t request(FILE *from) {
    char line[1024];
    size_t length = 0;
    while (fgets(line, sizeof line, from) && strcmp(line, "\r\n") != 0) {
        if (strncasecmp(line, "content-length:", 15) == 0) {
            length = strtoul(line + 15, NULL, 10);
        }
    }
    return fread(body, 1, length < MOST ? length : MOST, from);
}

int main(void) {
    if (getentropy(&drawn, sizeof drawn) != 0) {
        return 1;
    }
    if (getenv("GATEWAY_INTERFACE")) {
        answer(stdout, "Content-Type: text/plain\n\n", fread(body, 1, MOST, stdin));
        return 0;
    }
    for (;;) {
        int connection = accept(LISTENER, NULL, NULL);
        if (connection < 0) {
            return 2;
        }
        FILE *stream = fdopen(connection, "r+");
        if (!stream) {
            return 3;
        }
        size_t length = request(stream);
        /* From reading to writing. */
        fseek(stream, 0, SEEK_CUR);
        answer(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", length);
        fclose(stream);
    }
}
