/* Makes the n-th call of a kind fail, or ends the process there: loaded before libc by LD_PRELOAD.
 *
 * What is to fail is in a file that harness.py writes, and that every process maps: the one that is told by
 * fault_arm, or those that find its name in FAULTS. They count together, so that the n-th call of a batch is
 * the n-th of all its processes. Only calls on files below a folder count; of allocations, only large ones.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, RENAME = 4, OPEN = 8, READ = 16, ALLOCATE = 32, MAKE = 64 };
enum { ONCE = 0, LASTING = 1, TORN = 2 };
enum { FAILED = 0x20 };     /* what ferror looks at, of a stream of glibc */

struct plan {               /* as harness.py packs it */
    int kinds;              /* which calls count */
    int error;              /* errno, or minus the signal that ends the process */
    int manner;             /* this call alone, all from it on, or this one half done first */
    int all;                /* whether the signal goes to the whole group of processes */
    long at;                /* which call, from 1 on; 0 for none */
    long least;             /* bytes of an allocation that counts */
    _Atomic long count;     /* calls so far */
    _Atomic long hits;      /* of them, how many failed */
    char folder[PATH_MAX];  /* below which files count */
    char met[512];          /* the first call that failed */
};

static struct plan *_Atomic plan;
static __thread int inside; /* our own calls do not count */

void fault_arm(const char *name) {
    inside++;
    int file = syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC);
    struct plan *found = file < 0 ? MAP_FAILED
        : (void *)syscall(SYS_mmap, NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) syscall(SYS_close, file);
    if (found != MAP_FAILED) atomic_store(&plan, found);
    inside--;
}

void fault_disarm(void) { atomic_store(&plan, NULL); }

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULTS");
    if (name && *name) fault_arm(name);
}

/* Whether this call is the one. */
static int is_due(struct plan *told, const char *call, const char *path) {
    long number = atomic_fetch_add(&told->count, 1) + 1;
    if (!told->at || (told->manner == LASTING ? number < told->at : number != told->at)) return 0;
    if (atomic_fetch_add(&told->hits, 1) == 0) snprintf(told->met, sizeof told->met, "%s %s", call, path);
    return 1;
}

static int fail(struct plan *told) {
    if (told->error < 0) {
        syscall(SYS_kill, told->all ? 0 : getpid(), -told->error);
        for (;;) pause();
    }
    errno = told->error;
    return 1;
}

static int below(struct plan *told, const char *path) {
    size_t length = strlen(told->folder);
    return !strncmp(path, told->folder, length) && (path[length] == '/' || !path[length]);
}

/* A path as the kernel has it; of a file that is yet to be made, by the folder it is to be in. */
static int absolute(int at, const char *path, char *out) {
    if (path[0] == '/') return snprintf(out, PATH_MAX, "%s", path) > 0;
    char link[64], folder[PATH_MAX];
    if (at == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, folder, sizeof folder - 1);
    if (length < 0) return 0;
    folder[length] = 0;
    return snprintf(out, PATH_MAX, "%s/%s", folder, path) > 0;
}

static int named(int kind, const char *call, int at, const char *path) {
    struct plan *told = atomic_load(&plan);
    if (!told || inside || !(told->kinds & kind) || !path) return 0;
    inside++;
    char full[2 * PATH_MAX];
    int due = absolute(at, path, full) && below(told, full) && is_due(told, call, full);
    int failed = due && fail(told);
    inside--;
    return failed;
}

/* 0: go on. 1: fail. 2: write half of it, and then do what the plan says. */
static int opened(int kind, const char *call, int file) {
    struct plan *told = atomic_load(&plan);
    if (!told || inside || !(told->kinds & kind)) return 0;
    inside++;
    char link[64], full[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    int before = errno;
    ssize_t length = readlink(link, full, sizeof full - 1);
    errno = before;
    int failed = 0;
    if (length > 0) {
        full[length] = 0;
        if (below(told, full) && is_due(told, call, full))
            failed = kind == WRITE && told->manner == TORN ? 2 : fail(told);
    }
    inside--;
    return failed;
}

static int large(const char *call, size_t size) {
    struct plan *told = atomic_load(&plan);
    if (!told || inside || !(told->kinds & ALLOCATE) || (long)size < told->least) return 0;
    inside++;
    char text[32];
    snprintf(text, sizeof text, "%zu", size);
    int failed = is_due(told, call, text) && fail(told);
    inside--;
    return failed;
}

#define REAL(type, name, ...) \
    static type (*real_##name)(__VA_ARGS__); \
    if (!real_##name) { inside++; real_##name = dlsym(RTLD_NEXT, #name); inside--; }

/* --- writing ------------------------------------------------------------------------------------------- */

static ssize_t torn(int file, const void *data, size_t size, off64_t place, int has_place) {
    struct plan *told = atomic_load(&plan);
    if (has_place) syscall(SYS_pwrite64, file, data, size / 2, place);
    else syscall(SYS_write, file, data, size / 2);
    fail(told);
    return -1;
}

ssize_t write(int file, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    int found = opened(WRITE, "write", file);
    return found == 2 ? torn(file, data, size, 0, 0) : found ? -1 : real_write(file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t place) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    int found = opened(WRITE, "pwrite", file);
    return found == 2 ? torn(file, data, size, place, 1) : found ? -1 : real_pwrite(file, data, size, place);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t place) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    int found = opened(WRITE, "pwrite", file);
    return found == 2 ? torn(file, data, size, place, 1) : found ? -1 : real_pwrite64(file, data, size, place);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    int found = opened(WRITE, "writev", file);
    if (found == 2) return torn(file, parts[0].iov_base, parts[0].iov_len, 0, 0);
    return found ? -1 : real_writev(file, parts, count);
}

ssize_t sendfile(int out, int in, off_t *place, size_t size) {
    REAL(ssize_t, sendfile, int, int, off_t *, size_t);
    int found = opened(WRITE, "sendfile", out);
    if (found == 2) { fail(atomic_load(&plan)); return -1; }
    return found || opened(READ, "sendfile", in) ? -1 : real_sendfile(out, in, place, size);
}

ssize_t sendfile64(int out, int in, off64_t *place, size_t size) {
    REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
    int found = opened(WRITE, "sendfile", out);
    if (found == 2) { fail(atomic_load(&plan)); return -1; }
    return found || opened(READ, "sendfile", in) ? -1 : real_sendfile64(out, in, place, size);
}

int ftruncate(int file, off_t size) {
    REAL(int, ftruncate, int, off_t);
    int found = opened(WRITE, "ftruncate", file);
    if (found == 2) fail(atomic_load(&plan));
    return found ? -1 : real_ftruncate(file, size);
}

int ftruncate64(int file, off64_t size) {
    REAL(int, ftruncate64, int, off64_t);
    int found = opened(WRITE, "ftruncate", file);
    if (found == 2) fail(atomic_load(&plan));
    return found ? -1 : real_ftruncate64(file, size);
}

/* Streams of C keep what is written, and write it by calls of their own that nobody sees: their calls count,
 * and what is kept is thrown away by the one that fails, as the disk would. */
size_t fwrite(const void *data, size_t size, size_t count, FILE *stream) {
    REAL(size_t, fwrite, const void *, size_t, size_t, FILE *);
    int found = opened(WRITE, "fwrite", fileno(stream));
    if (found == 2) {
        real_fwrite(data, size, count / 2, stream);
        fflush_unlocked(stream);
        fail(atomic_load(&plan));
    }
    if (found) stream->_flags |= FAILED;
    return found ? 0 : real_fwrite(data, size, count, stream);
}

int fflush(FILE *stream) {
    REAL(int, fflush, FILE *);
    int found = stream ? opened(WRITE, "fflush", fileno(stream)) : 0;
    if (found == 2) fail(atomic_load(&plan));
    return found ? EOF : real_fflush(stream);
}

int fclose(FILE *stream) {
    REAL(int, fclose, FILE *);
    int flags = stream ? fcntl(fileno(stream), F_GETFL) : 0;
    int found = stream && (flags & O_ACCMODE) != O_RDONLY ? opened(WRITE, "fclose", fileno(stream)) : 0;
    if (found == 2) fail(atomic_load(&plan));
    int error = errno, closed = real_fclose(stream);
    if (found) errno = error;
    return found ? EOF : closed;
}

/* --- syncing, names ------------------------------------------------------------------------------------ */

int fsync(int file) {
    REAL(int, fsync, int);
    return opened(SYNC, "fsync", file) ? -1 : real_fsync(file);
}

int fdatasync(int file) {
    REAL(int, fdatasync, int);
    return opened(SYNC, "fdatasync", file) ? -1 : real_fdatasync(file);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    return named(RENAME, "rename", AT_FDCWD, to) ? -1 : real_rename(from, to);
}

int renameat(int a, const char *from, int b, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    return named(RENAME, "rename", b, to) ? -1 : real_renameat(a, from, b, to);
}

int link(const char *from, const char *to) {
    REAL(int, link, const char *, const char *);
    return named(RENAME, "link", AT_FDCWD, to) ? -1 : real_link(from, to);
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    return named(MAKE, "mkdir", AT_FDCWD, path) ? -1 : real_mkdir(path, mode);
}

/* --- opening and reading ------------------------------------------------------------------------------- */

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }

int open(const char *path, int flags, ...) {
    REAL(int, open, const char *, int, ...);
    MODE(flags)
    return named(OPEN, "open", AT_FDCWD, path) ? -1 : real_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    REAL(int, open64, const char *, int, ...);
    MODE(flags)
    return named(OPEN, "open", AT_FDCWD, path) ? -1 : real_open64(path, flags, mode);
}

int openat(int at, const char *path, int flags, ...) {
    REAL(int, openat, int, const char *, int, ...);
    MODE(flags)
    return named(OPEN, "open", at, path) ? -1 : real_openat(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
    REAL(int, openat64, int, const char *, int, ...);
    MODE(flags)
    return named(OPEN, "open", at, path) ? -1 : real_openat64(at, path, flags, mode);
}

FILE *fopen(const char *path, const char *mode) {
    REAL(FILE *, fopen, const char *, const char *);
    return named(OPEN, "fopen", AT_FDCWD, path) ? NULL : real_fopen(path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
    REAL(FILE *, fopen64, const char *, const char *);
    return named(OPEN, "fopen", AT_FDCWD, path) ? NULL : real_fopen64(path, mode);
}

ssize_t read(int file, void *data, size_t size) {
    REAL(ssize_t, read, int, void *, size_t);
    return opened(READ, "read", file) ? -1 : real_read(file, data, size);
}

ssize_t pread(int file, void *data, size_t size, off_t place) {
    REAL(ssize_t, pread, int, void *, size_t, off_t);
    return opened(READ, "pread", file) ? -1 : real_pread(file, data, size, place);
}

ssize_t pread64(int file, void *data, size_t size, off64_t place) {
    REAL(ssize_t, pread64, int, void *, size_t, off64_t);
    return opened(READ, "pread", file) ? -1 : real_pread64(file, data, size, place);
}

size_t fread(void *data, size_t size, size_t count, FILE *stream) {
    REAL(size_t, fread, void *, size_t, size_t, FILE *);
    int failed = opened(READ, "fread", fileno(stream));
    if (failed) stream->_flags |= FAILED;
    return failed ? 0 : real_fread(data, size, count, stream);
}

/* --- memory: by glibc's own other names, since dlsym allocates ----------------------------------------- */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) { return large("malloc", size) ? NULL : __libc_malloc(size); }

void *calloc(size_t count, size_t size) {
    return large("calloc", count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) { return large("realloc", size) ? NULL : __libc_realloc(old, size); }

void *aligned_alloc(size_t step, size_t size) {
    return large("aligned_alloc", size) ? NULL : __libc_memalign(step, size);
}

int posix_memalign(void **found, size_t step, size_t size) {
    if (large("posix_memalign", size)) return ENOMEM;
    *found = __libc_memalign(step, size);
    return *found || !size ? 0 : ENOMEM;
}
