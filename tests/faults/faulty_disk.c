/* A disk that fails on its Nth write. Built and preloaded by the tests; see faulty_disk.py.
 *
 * Can also write down all that changes files there, so that what a power cut leaves can be worked out.
 *
 * Counts what changes files under one folder: writes, flushes, cuts, room taken, renames, new files and new folders.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static int notes = -1;
static pthread_mutex_t one_note = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* Write down everything under the folder of faulty_disk_arm from now on. */
void faulty_disk_record(const char *file) { notes = open(file, O_CREAT | O_WRONLY | O_APPEND, 0600); }

/* One note: kind, lengths and offset, path, data. Called after the call it is about. */
static void note(char kind, const char *path, int64_t at, const void *data, uint32_t size)
{
    REAL(write);
    if (notes < 0)
        return;
    uint32_t length = strlen(path);
    size_t whole = 1 + 4 + 8 + 4 + length + size;
    char *text = malloc(whole);
    text[0] = kind;
    memcpy(text + 1, &length, 4);
    memcpy(text + 5, &at, 8);
    memcpy(text + 13, &size, 4);
    memcpy(text + 17, path, length);
    memcpy(text + 17 + length, data, size);
    pthread_mutex_lock(&one_note);
    (void)!real(notes, text, whole);
    pthread_mutex_unlock(&one_note);
    free(text);
}

/* Somebody was told that row `number` is saved. */
void faulty_disk_told(long number) { note('T', "", number, "", 0); }

static int inside(const char *path)
{
    return folder_length && path && strncmp(path, folder, folder_length) == 0;
}

/* The path of an open file under the folder, or NULL. */
static const char *path_of(int fd)
{
    static __thread char path[4096];
    char link[64];
    if (!folder_length)
        return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return NULL;
    path[length] = 0;
    return inside(path) ? path : NULL;
}

static int open_inside(int fd) { return path_of(fd) != NULL; }

static int64_t noted(char kind, int fd, int64_t at, const void *data, int64_t done)
{
    const char *path = notes >= 0 && done >= 0 ? path_of(fd) : NULL;
    if (path && at < 0)
        at = lseek(fd, 0, SEEK_CUR) - done;
    if (path)
        note(kind, path, at, data, kind == 'W' ? (uint32_t)done : 0);
    return done;
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
#define PART(n) noted('W', fd, -1, data, real(fd, data, n))
    WRITE(PART)
#undef PART
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    REAL(pwrite);
#define PART(n) noted('W', fd, at, data, real(fd, data, n, at))
    WRITE(PART)
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    REAL(pwrite64);
    WRITE(PART)
}

#define WHOLE(fits) if ((fits) && hit()) return refuse()

int fsync(int fd) { REAL(fsync); WHOLE(open_inside(fd)); return noted('S', fd, 0, NULL, real(fd)); }
int fdatasync(int fd) { REAL(fdatasync); WHOLE(open_inside(fd)); return noted('S', fd, 0, NULL, real(fd)); }
int ftruncate(int fd, off_t size) { REAL(ftruncate); WHOLE(open_inside(fd)); return noted('C', fd, size, NULL, real(fd, size)); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); WHOLE(open_inside(fd)); return noted('C', fd, size, NULL, real(fd, size)); }
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

int rename(const char *old, const char *new)
{
    REAL(rename);
    WHOLE(inside(new));
    int failed = real(old, new);
    if (!failed && inside(new))
        note('R', old, 0, new, strlen(new));
    return failed;
}

int unlink(const char *path)
{
    REAL(unlink);
    int failed = real(path);
    if (!failed && inside(path))
        note('U', path, 0, "", 0);
    return failed;
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    WHOLE(inside(path));
    int failed = real(path, mode);
    if (!failed && inside(path))
        note('D', path, 0, "", 0);
    return failed;
}

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
            if (inside(path) && access(path, F_OK) != 0) {                                                              \
                WHOLE(1);                                                                                               \
                int made = real(path, flags, mode);                                                                     \
                if (made >= 0)                                                                                          \
                    note('N', path, 0, "", 0);                                                                          \
                return made;                                                                                            \
            }                                                                                                           \
        }                                                                                                               \
        return real(path, flags, mode);                                                                                 \
    }

OPEN(open)
OPEN(open64)
