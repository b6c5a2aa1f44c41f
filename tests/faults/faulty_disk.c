/* A disk that fails on its Nth write. Built and preloaded by the tests; see faulty_disk.py.
 *
 * Counts what changes files under one folder: writes, flushes, cuts, room taken, renames, new files and new folders.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { REFUSE, SHORT, KILL, TEAR };

static char folder[4096];
static size_t folder_length;
static atomic_long calls, hits;
static atomic_long first = 0, last = 0;
static atomic_int error_number, manner;

/* Count from now on; calls number `from` to `to`, counted from 1, are hit. 0 hits none. */
void faulty_disk_arm(const char *path, long from, long to, int error, int how)
{
    atomic_store(&first, 0);
    strncpy(folder, path, sizeof folder - 1);
    folder_length = strlen(folder);
    atomic_store(&calls, 0);
    atomic_store(&hits, 0);
    atomic_store(&error_number, error);
    atomic_store(&manner, how);
    atomic_store(&last, to);
    atomic_store(&first, from);
}

void faulty_disk_heal(void) { atomic_store(&first, 0); }
long faulty_disk_calls(void) { return atomic_load(&calls); }
long faulty_disk_hits(void) { return atomic_load(&hits); }

static int inside(const char *path)
{
    return folder_length && path && strncmp(path, folder, folder_length) == 0;
}

static int open_inside(int fd)
{
    char link[64], path[4096];
    if (!folder_length)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return inside(path);
}

static int hit(void)
{
    long call = atomic_fetch_add(&calls, 1) + 1, from = atomic_load(&first);
    if (!from || call < from || call > atomic_load(&last))
        return 0;
    atomic_fetch_add(&hits, 1);
    return 1;
}

/* What happens to a call that moves no bytes. */
static int refuse(void)
{
    if (atomic_load(&manner) >= KILL)
        kill(getpid(), SIGKILL);
    errno = atomic_load(&error_number);
    return -1;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* What happens to a write: refused, or half of it is done and then the disk is full, or the program dead. */
#define WRITE(part)                                                                                                     \
    if (!open_inside(fd) || !hit())                                                                                     \
        return part(size);                                                                                              \
    if (atomic_load(&manner) == SHORT && size > 1) {                                                                    \
        atomic_fetch_add(&last, 1);                                                                                     \
        atomic_store(&manner, REFUSE);                                                                                  \
        return part(size / 2);                                                                                          \
    }                                                                                                                   \
    if (atomic_load(&manner) == TEAR)                                                                                   \
        (void)!part(size / 2);                                                                                          \
    return refuse();

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
#define PART(n) real(fd, data, n)
    WRITE(PART)
#undef PART
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    REAL(pwrite);
#define PART(n) real(fd, data, n, at)
    WRITE(PART)
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    REAL(pwrite64);
    WRITE(PART)
}

#define WHOLE(fits) if ((fits) && hit()) return refuse()

int fsync(int fd) { REAL(fsync); WHOLE(open_inside(fd)); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); WHOLE(open_inside(fd)); return real(fd); }
int ftruncate(int fd, off_t size) { REAL(ftruncate); WHOLE(open_inside(fd)); return real(fd, size); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); WHOLE(open_inside(fd)); return real(fd, size); }
int posix_fallocate(int fd, off_t at, off_t size)
{
    REAL(posix_fallocate);
    if (open_inside(fd) && hit()) {
        refuse();
        return atomic_load(&error_number);
    }
    return real(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size)
{
    REAL(posix_fallocate64);
    if (open_inside(fd) && hit()) {
        refuse();
        return atomic_load(&error_number);
    }
    return real(fd, at, size);
}

int rename(const char *old, const char *new) { REAL(rename); WHOLE(inside(new)); return real(old, new); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); WHOLE(inside(path)); return real(path, mode); }

#define OPEN(name)                                                                                                      \
    int name(const char *path, int flags, ...)                                                                          \
    {                                                                                                                   \
        REAL(name);                                                                                                     \
        mode_t mode = 0;                                                                                                \
        if (flags & O_CREAT) {                                                                                          \
            va_list rest;                                                                                               \
            va_start(rest, flags);                                                                                      \
            mode = va_arg(rest, mode_t);                                                                                \
            va_end(rest);                                                                                               \
            WHOLE(inside(path) && access(path, F_OK) != 0);                                                             \
        }                                                                                                               \
        return real(path, flags, mode);                                                                                 \
    }

OPEN(open)
OPEN(open64)
