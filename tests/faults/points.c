// Kills the process that has loaded it (LD_PRELOAD) at a chosen point on its way to the disk.
//
// Nothing is counted until the file FAULT_LOG is there; every point becomes a line of it. FAULT_KIND says what a
// point is: `commit` the frame of a write-ahead log by which a transaction is committed, before it is written; `sync`
// a call that makes something durable; `any` every change of a file. At the point FAULT_AT the process dies.

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long points;

static void point(const char *kind, const char *call, const char *path) {
    const char *log = getenv("FAULT_LOG"), *wanted = getenv("FAULT_KIND"), *at = getenv("FAULT_AT");
    if (!log || !wanted || !path || !strstr(path, ".sqlite") || strstr(path, "-shm")) return;
    if (strcmp(wanted, "any") != 0 && strcmp(wanted, kind) != 0) return;
    long out = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND);
    if (out < 0) return;
    long number = atomic_fetch_add(&points, 1) + 1;
    char line[512];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", number, call, strrchr(path, '/') + 1);
    syscall(SYS_write, out, line, (size_t)length);
    syscall(SYS_close, out);
    if (at && number == atol(at)) {
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;) pause();
    }
}

static void point_of(const char *kind, const char *call, int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    point(kind, call, path);
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
    point_of("sync", "fsync", file);
    return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    point_of("sync", "fdatasync", file);
    return (int)syscall(SYS_fdatasync, file);
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
