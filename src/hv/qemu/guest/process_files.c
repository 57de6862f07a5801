// Files of a guest: its log, its directories, and whom its images belong to while it runs.
#include "hv/qemu/guest/process.h"

#include "core/log.h"
#include "hv/qemu/driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOG_KEEP_SIZE (2u << 20) // then the log is turned over (virtlogd: max_size)
#define LOG_KEEP      3          // old logs
#define OWNERS_SIZE   16384

// ---- the log

static void log_path(const struct domain *domain, const char *ending, char to[PORT_PATH_MAX + 8])
{
    snprintf(to, PORT_PATH_MAX + 8, "%s/%s.log%s", qemu_driver.log, domain->name, ending);
}

uint64_t process_log_size(const struct domain *domain)
{
    char path[PORT_PATH_MAX + 8];
    struct port_stat stat;
    log_path(domain, "", path);
    return port_stat(path, &stat) == 0 ? stat.size : 0;
}

static void turn_over(const struct domain *domain)
{
    char from[PORT_PATH_MAX + 8], to[PORT_PATH_MAX + 8], ending[8];
    for (unsigned i = LOG_KEEP; i-- > 0;) {
        snprintf(ending, sizeof(ending), ".%u", i);
        log_path(domain, ending, to);
        snprintf(ending, sizeof(ending), ".%u", i - 1);
        log_path(domain, i == 0 ? "" : ending, from);
        port_rename(from, to);
    }
}

int process_log_open(const struct domain *domain)
{
    char path[PORT_PATH_MAX + 8];
    log_path(domain, "", path);
    if (process_log_size(domain) > LOG_KEEP_SIZE)
        turn_over(domain);
    return port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_APPEND, 0600);
}

void process_log_write(const struct domain *domain, struct slice text)
{
    int fd = process_log_open(domain);
    if (fd < 0)
        return;
    port_write_all(fd, text.at, text.len);
    port_close(fd);
}

static void put_time(struct buffer *out)
{
    char text[32];
    int64_t now = port_time_us();
    time_t seconds = (time_t)(now / 1000000);
    const struct tm *parts = gmtime(&seconds);
    if (!parts || strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", parts) == 0)
        return;
    buffer_printf(out, "%s.%03d+0000: ", text, (int)(now / 1000 % 1000));
}

void process_log_line(const struct domain *domain, const char *format, ...)
{
    char text[1024];
    struct buffer line = buffer_over(text, sizeof(text));
    va_list args;
    put_time(&line);
    va_start(args, format);
    buffer_vprintf(&line, format, args);
    va_end(args);
    buffer_puts(&line, "\n");
    process_log_write(domain, buffer_slice(&line));
}

// Messages that are no errors (libvirt filters them too).
static bool is_chatter(struct slice line)
{
    return slice_contains(line, "char device redirected to");
}

struct slice process_log_tail(const struct domain *domain, uint64_t offset, char *to, size_t size)
{
    char path[PORT_PATH_MAX + 8], raw[4096];
    uint64_t end = process_log_size(domain);
    if (end > offset + sizeof(raw))
        offset = end - sizeof(raw);
    log_path(domain, "", path);
    int fd = port_open(path, PORT_OPEN_READ, 0);
    ptrdiff_t got = fd < 0 ? fd : port_pread(fd, raw, sizeof(raw), offset);
    port_close(fd);
    struct slice rest = slice_trim((struct slice){raw, got > 0 ? (size_t)got : 0}), line;
    while (rest.len >= size && slice_split(&rest, '\n', &line))
        ;
    struct buffer out = buffer_over(to, size);
    while (slice_split(&rest, '\n', &line)) {
        if (is_chatter(line))
            continue;
        if (out.len)
            buffer_putc(&out, '\n');
        buffer_put(&out, line);
    }
    return buffer_slice(&out);
}

void process_log_remove(const struct domain *domain)
{
    char path[PORT_PATH_MAX + 8], ending[8] = "";
    for (unsigned i = 0; i <= LOG_KEEP; i++) {
        log_path(domain, ending, path);
        port_unlink(path);
        snprintf(ending, sizeof(ending), ".%u", i);
    }
}

// ---- directories

static void empty_directory(const char *path)
{
    struct port_dir dir;
    char file[PORT_PATH_MAX];
    if (port_dir_open(&dir, path) < 0)
        return;
    for (const char *name = port_dir_next(&dir); name; name = port_dir_next(&dir)) {
        int len = snprintf(file, sizeof(file), "%s/%s", path, name);
        if (len > 0 && (size_t)len < sizeof(file))
            port_unlink(file);
    }
    port_dir_close(&dir);
}

void process_remove_directory(const char *path)
{
    empty_directory(path);
    port_remove_directory(path);
}

static bool owner_changes(void)
{
    return qemu_driver.privileged && qemu_driver.uid != port_uid();
}

bool process_make_directory(const char *path, struct error *err)
{
    int result = port_make_directories(path, 0700);
    if (result == 0)
        empty_directory(path);
    if (result == 0 && owner_changes())
        result = port_chown(path, qemu_driver.uid, qemu_driver.gid);
    if (result == 0)
        return true;
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "unable to create directory %s: %s",
                     path, strerror(-result));
}

// ---- memory in files

// Where the command line has the files of a guest's memory: below memory_backing_dir, or in a
// directory of the guest's own.
static bool memory_directory(const struct domain *domain, char to[PORT_PATH_MAX])
{
    char own[PORT_PATH_MAX];
    const char *base = qemu_driver.settings.memory_backing_dir;
    guest_directory(domain, own);
    int len = base[0] ? snprintf(to, PORT_PATH_MAX, "%s%s", base, strrchr(own, '/'))
                      : snprintf(to, PORT_PATH_MAX, "%s/ram", own);
    return len > 0 && len < PORT_PATH_MAX;
}

bool process_make_guest_directory(const struct domain *domain, bool memory, struct error *err)
{
    char own[PORT_PATH_MAX], ram[PORT_PATH_MAX];
    guest_directory(domain, own);
    // What lies inside is given away first: afterwards the user could put a link in its place.
    int result = port_make_directories(own, 0700);
    if (result < 0)
        return error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                         "unable to create directory %s: %s", own, strerror(-result));
    if (memory && memory_directory(domain, ram) && !process_make_directory(ram, err))
        return false;
    return process_make_directory(own, err);
}

void process_remove_guest_directory(const struct domain *domain)
{
    char path[PORT_PATH_MAX];
    if (memory_directory(domain, path))
        process_remove_directory(path);
    guest_directory(domain, path);
    process_remove_directory(path);
}

bool process_owns_path(const struct domain *domain, const char *path)
{
    char own[PORT_PATH_MAX], ram[PORT_PATH_MAX];
    guest_directory(domain, own);
    return slice_starts(slice_of(path), own) ||
           (memory_directory(domain, ram) && slice_starts(slice_of(path), ram));
}

// ---- images

// What is undone at the end: "uid gid path" a line. The file outlives the daemon with the guest,
// and lies where the guest's user can not write.
static void owners_path(const struct domain *domain, char to[PORT_PATH_MAX])
{
    snprintf(to, PORT_PATH_MAX, "%s/%s.owners", qemu_driver.state, domain->name);
}

static bool note_owner(const struct domain *domain, const char *path, const struct port_stat *stat)
{
    char owners[PORT_PATH_MAX], line[PORT_PATH_MAX + 32];
    struct buffer out = buffer_over(line, sizeof(line));
    owners_path(domain, owners);
    buffer_printf(&out, "%u %u %s\n", stat->uid, stat->gid, path);
    int fd = port_open(owners, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_APPEND, 0600);
    bool written =
        fd >= 0 && buffer_ok(&out) && port_write(fd, line, out.len) == (ptrdiff_t)out.len;
    port_close(fd);
    return written;
}

bool process_take_image(const struct domain *domain, const char *path, struct error *err)
{
    struct port_stat stat;
    if (!owner_changes() || !qemu_driver.settings.dynamic_ownership)
        return true;
    int result = port_stat(path, &stat);
    if (result == 0 && stat.uid == qemu_driver.uid && stat.gid == qemu_driver.gid)
        return true;
    if (result == 0 && !note_owner(domain, path, &stat))
        result = -EIO;
    if (result == 0)
        result = port_chown(path, qemu_driver.uid, qemu_driver.gid);
    if (result == 0)
        return true;
    return error_set(err, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR,
                     "unable to set user and group to '%u:%u' on '%s': %s", qemu_driver.uid,
                     qemu_driver.gid, path, strerror(-result));
}

static void return_image(struct slice line)
{
    struct slice uid_text, gid_text;
    uint32_t uid, gid;
    char path[PORT_PATH_MAX];
    if (!slice_split(&line, ' ', &uid_text) || !slice_u32(uid_text, 10, &uid) ||
        !slice_split(&line, ' ', &gid_text) || !slice_u32(gid_text, 10, &gid) ||
        !slice_copy(path, sizeof(path), line))
        return;
    int result = port_chown(path, uid, gid);
    if (result < 0)
        log_warning("qemu", "unable to restore user and group %u:%u on '%s': %s", uid, gid, path,
                    strerror(-result));
}

void process_return_images(const struct domain *domain)
{
    static char text[OWNERS_SIZE];
    char owners[PORT_PATH_MAX];
    owners_path(domain, owners);
    ptrdiff_t len = port_file_read(owners, text, sizeof(text));
    struct slice rest = {text, len > 0 ? (size_t)len : 0}, line;
    while (rest.len && slice_split(&rest, '\n', &line))
        return_image(line);
    port_unlink(owners);
}
