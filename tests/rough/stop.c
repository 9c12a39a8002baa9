/* Kills the process that it is loaded into right before the Nth call that would change what
 * others see: a write to or a sync of the files of a store, or a message to its database.
 *
 *   STOP_AT      a file that holds N; where there is none, nothing is counted yet
 *   STOP_PATH    what the paths of the store's files begin with, or
 *   STOP_PORT    the port of the database
 *   STOP_COUNT   where the number of calls is written when the process ends by itself
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static atomic_long limit = -1;

static int concerns_path(const char *path) {
    const char *begin = getenv("STOP_PATH");
    return begin && strncmp(path, begin, strlen(begin)) == 0;
}

static int concerns(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        if (concerns_path(path)) return 1;
    }
    const char *port = getenv("STOP_PORT");
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (!port || getpeername(fd, (struct sockaddr *)&peer, &size) != 0) return 0;
    int found = peer.ss_family == AF_INET    ? ntohs(((struct sockaddr_in *)&peer)->sin_port)
                : peer.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&peer)->sin6_port)
                                             : -1;
    return found == atoi(port);
}

static void count(void) {
    long at = atomic_load(&limit);
    if (at < 0) {
        FILE *file = fopen(getenv("STOP_AT") ? getenv("STOP_AT") : "", "r");
        if (!file) return;
        if (fscanf(file, "%ld", &at) == 1) atomic_store(&limit, at);
        fclose(file);
    }
    if (at >= 0 && atomic_fetch_add(&calls, 1) + 1 == at) kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void told(void) {
    FILE *file = getenv("STOP_COUNT") ? fopen(getenv("STOP_COUNT"), "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld", atomic_load(&calls));
    fclose(file);
}

#define WATCHED(type, name, parameters, arguments)                  \
    type name parameters {                                          \
        static type(*real) parameters;                              \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
        if (concerns(fd)) count();                                  \
        return real arguments;                                      \
    }

WATCHED(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
WATCHED(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WATCHED(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
WATCHED(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))
WATCHED(ssize_t, send, (int fd, const void *b, size_t n, int f), (fd, b, n, f))
WATCHED(ssize_t, sendto, (int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t s), (fd, b, n, f, a, s))
WATCHED(ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f))
WATCHED(int, fsync, (int fd), (fd))
WATCHED(int, fdatasync, (int fd), (fd))
WATCHED(int, ftruncate, (int fd, off_t n), (fd, n))
WATCHED(int, ftruncate64, (int fd, off64_t n), (fd, n))

int unlink(const char *path) {
    static int (*real)(const char *);
    if (!real) real = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    if (concerns_path(path)) count();
    return real(path);
}
