// Kills the process that has loaded it (LD_PRELOAD) at a chosen point on its way to the disk.
//
// Nothing is counted until the file FAULT_LOG is there; every point becomes a line of it. FAULT_KIND says what a
// point is: `commit` the frame of a write-ahead log by which a transaction is committed, before it is written; `sync`
// a call that makes something durable; `any` every change of a file. At the point FAULT_AT the process dies; with
// FAULT_ERROR that sync fails instead, if it is `ever` together with all behind it.
//
// Where FAULT_KEPT names a directory, every file is copied there when it becomes durable: it has what a power failure
// would leave at least.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long points;

// Whether the call shall fail.
static int point(const char *kind, const char *call, const char *path) {
    const char *log = getenv("FAULT_LOG"), *wanted = getenv("FAULT_KIND"), *at = getenv("FAULT_AT");
    if (!log || !wanted || !path || !strstr(path, ".sqlite") || strstr(path, "-shm")) return 0;
    if (strcmp(wanted, "any") != 0 && strcmp(wanted, kind) != 0) return 0;
    long out = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND);
    if (out < 0) return 0;
    long number = atomic_fetch_add(&points, 1) + 1;
    char line[512];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", number, call, strrchr(path, '/') + 1);
    syscall(SYS_write, out, line, (size_t)length);
    syscall(SYS_close, out);
    const char *error = getenv("FAULT_ERROR");
    if (error) return at && (number == atol(at) || (number > atol(at) && strcmp(error, "ever") == 0));
    if (at && number == atol(at)) {
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;) pause();
    }
    return 0;
}

static int path_of(int file, char path[4096]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, 4095);
    path[length > 0 ? length : 0] = 0;
    return length > 0;
}

static int point_of(const char *kind, const char *call, int file) {
    char path[4096];
    return path_of(file, path) && point(kind, call, path);
}

static int is_kept(const char *path) {
    const char *log = getenv("FAULT_LOG");
    return getenv("FAULT_KEPT") && log && access(log, F_OK) == 0 && strstr(path, ".sqlite") && !strstr(path, "-shm");
}

// Copies a file as it is before it becomes durable; what is written meanwhile may not be.
static void copy(const char *path) {
    static _Thread_local char bytes[65536];
    char to[4200];
    snprintf(to, sizeof to, "%s/%s.%ld", getenv("FAULT_KEPT"), strrchr(path, '/') + 1, syscall(SYS_gettid));
    long in = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    long out = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    long count;
    while ((count = syscall(SYS_read, in, bytes, sizeof bytes)) > 0) syscall(SYS_write, out, bytes, (size_t)count);
    syscall(SYS_close, in);
    syscall(SYS_close, out);
}

// It has become durable.
static void keep(const char *path) {
    char from[4200], to[4096];
    snprintf(to, sizeof to, "%s/%s", getenv("FAULT_KEPT"), strrchr(path, '/') + 1);
    snprintf(from, sizeof from, "%s.%ld", to, syscall(SYS_gettid));
    syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

// One at a time, so that no older copy takes the place of a newer one.
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

static int sync_one(const char *call, long number, int file) {
    char path[4096];
    if (point_of("sync", call, file)) return errno = EIO, -1;
    int kept = path_of(file, path) && is_kept(path);
    if (kept) pthread_mutex_lock(&keeping), copy(path);
    int outcome = (int)syscall(number, file);
    if (kept && outcome == 0) keep(path);
    if (kept) pthread_mutex_unlock(&keeping);
    return outcome;
}

// Calls something for each file beside this one.
static void each_beside(const char *path, void (*call)(const char *)) {
    char directory[4096], other[8192];
    snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(path, '/') - path), path);
    DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        snprintf(other, sizeof other, "%s/%s", directory, entry->d_name);
        if (is_kept(other)) call(other);
    }
    if (entries) closedir(entries);
}

// The head of a frame has 24 bytes; the second number in it is not zero where the frame commits.
static const char *kind_of(const void *bytes, size_t count) {
    static const char none[4];
    return count == 24 && memcmp((const char *)bytes + 4, none, 4) != 0 ? "commit" : "write";
}

ssize_t write(int file, const void *bytes, size_t count) {
    point_of(kind_of(bytes, count), "write", file);
    return syscall(SYS_write, file, bytes, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    point_of(kind_of(bytes, count), "write", file);
    return syscall(SYS_pwrite64, file, bytes, count, offset);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    return pwrite64(file, bytes, count, offset);
}

int fsync(int file) {
    return sync_one("fsync", SYS_fsync, file);
}

int fdatasync(int file) {
    return sync_one("fdatasync", SYS_fdatasync, file);
}

int syncfs(int file) {
    char path[4096];
    if (point_of("sync", "syncfs", file)) return errno = EIO, -1;
    int kept = path_of(file, path) && is_kept(path);
    if (kept) pthread_mutex_lock(&keeping), each_beside(path, copy);
    int outcome = (int)syscall(SYS_syncfs, file);
    if (kept && outcome == 0) each_beside(path, keep);
    if (kept) pthread_mutex_unlock(&keeping);
    return outcome;
}

int ftruncate64(int file, off64_t length) {
    point_of("truncate", "ftruncate", file);
    return (int)syscall(SYS_ftruncate, file, length);
}

int ftruncate(int file, off_t length) {
    return ftruncate64(file, length);
}

int rename(const char *from, const char *to) {
    point("rename", "rename", to);
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path) {
    point("unlink", "unlink", path);
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
