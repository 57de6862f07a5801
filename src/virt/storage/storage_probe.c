// Storage: what the head of an image file says. Layouts: QEMU's docs/interop/qcow2.txt, ISO 9660
// (ECMA-119, 8.1), and the magic numbers of the others' specifications.
#include "virt/storage/storage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD_SIZE 4096

static uint64_t big_endian(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    while (len-- > 0)
        value = value << 8 | *at++;
    return value;
}

bool volume_name_valid(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.at[i] < ' ' || name.at[i] == 0x7F || name.at[i] == '/')
            return false;
    return name.len > 0 && name.len < VOLUME_NAME_SIZE && !slice_is(name, ".") &&
           !slice_is(name, "..");
}

// ---- qcow2

#define QCOW2_BACKING_FORMAT 0xE2792ACAu // a header extension

static void read_backing_format(const uint8_t *head, size_t len, struct storage_volume *volume)
{
    size_t at = volume->qcow_version > 2 ? (size_t)big_endian(head + 100, 4) : 72;
    while (at + 8 <= len) {
        uint64_t kind = big_endian(head + at, 4), size = big_endian(head + at + 4, 4);
        if (kind == 0 || size > len - at - 8)
            return;
        struct slice text = {(const char *)head + at + 8, (size_t)size};
        if (kind == QCOW2_BACKING_FORMAT &&
            slice_copy(volume->backing_format, sizeof(volume->backing_format), text))
            return;
        at += 8 + (((size_t)size + 7) & ~(size_t)7);
    }
}

// "nbd://host/export", "json:{...}": nothing that lies beside the image.
bool volume_is_elsewhere(struct slice backing)
{
    ptrdiff_t colon = slice_find(backing, ':'), slash = slice_find(backing, '/');
    return colon >= 0 && (slash < 0 || colon < slash);
}

static void read_backing(const char *path, const uint8_t *head, size_t len,
                         struct storage_volume *volume)
{
    uint64_t at = big_endian(head + 8, 8), size = big_endian(head + 16, 4);
    if (at == 0 || at > len || size > len - at)
        return;
    struct slice name = {(const char *)head + at, (size_t)size};
    struct buffer out = buffer_over(volume->backing, sizeof(volume->backing));
    if (!slice_starts(name, "/") && !volume_is_elsewhere(name)) { // as QEMU does: beside the image
        const char *end = strrchr(path, '/');
        buffer_put(&out, (struct slice){path, (size_t)(end - path) + 1});
    }
    buffer_put(&out, name);
    if (!buffer_ok(&out))
        volume->backing[0] = '\0';
    read_backing_format(head, len, volume);
}

static void read_qcow2(const char *path, const uint8_t *head, size_t len,
                       struct storage_volume *volume)
{
    volume->qcow_version = (uint32_t)big_endian(head + 4, 4);
    volume->capacity = big_endian(head + 24, 8);
    uint64_t bits = big_endian(head + 20, 4);
    volume->cluster_size = bits < 32 ? UINT64_C(1) << bits : 0;
    if (volume->qcow_version > 2) {
        volume->extended_l2 = head[79] & 0x10;    // incompatible feature 4
        volume->lazy_refcounts = head[87] & 0x01; // compatible feature 0
    }
    read_backing(path, head, len, volume);
}

// ---- which format

struct magic {
    const char *format;
    size_t at, len;
    const char *bytes;
};

static const struct magic magics[] = {
    {"qcow2", 0, 4, "QFI\xfb"}, {"qed", 0, 4, "QED\0"},         {"vmdk", 0, 4, "KDMV"},
    {"vpc", 0, 8, "conectix"},  {"luks", 0, 6, "LUKS\xba\xbe"}, {"vdi", 64, 4, "\x7f\x10\xda\xbe"},
};

static bool is_iso(int fd)
{
    char mark[5];
    return port_pread(fd, mark, sizeof(mark), 32769) == sizeof(mark) &&
           memcmp(mark, "CD001", sizeof(mark)) == 0;
}

static const char *find_format(int fd, const uint8_t *head, size_t len)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (len >= magics[i].at + magics[i].len &&
            memcmp(head + magics[i].at, magics[i].bytes, magics[i].len) == 0)
            return magics[i].format;
    return is_iso(fd) ? "iso" : "raw";
}

static void read_head(const char *path, struct storage_volume *volume)
{
    uint8_t head[HEAD_SIZE] = {0};
    int fd = port_open(path, PORT_OPEN_READ, 0);
    if (fd < 0) { // it was taken away meanwhile, or is nobody's to read
        snprintf(volume->format, sizeof(volume->format), "raw");
        return;
    }
    ptrdiff_t got = port_pread(fd, head, sizeof(head), 0);
    size_t len = got > 0 ? (size_t)got : 0;
    snprintf(volume->format, sizeof(volume->format), "%s", find_format(fd, head, len));
    if (strcmp(volume->format, "qcow2") == 0 && len >= 104)
        read_qcow2(path, head, len, volume);
    port_close(fd);
}

// Devices and sockets in the directory are nobody's volume, and neither is a link to nothing.
bool volume_is_one(const struct port_stat *stat)
{
    return stat->kind == PORT_FILE || stat->kind == PORT_DIRECTORY || stat->kind == PORT_BLOCK;
}

int volume_probe(const char *path, struct storage_volume *volume)
{
    struct port_stat stat;
    int status = port_stat(path, &stat);
    if (status == 0 && !volume_is_one(&stat))
        status = -ENOENT;
    if (status < 0)
        return status;
    volume->type = stat.kind == PORT_DIRECTORY ? VIR_STORAGE_VOL_DIR
                   : stat.kind == PORT_BLOCK   ? VIR_STORAGE_VOL_BLOCK
                                               : VIR_STORAGE_VOL_FILE;
    volume->capacity = volume->physical = stat.size;
    volume->allocation = stat.allocated;
    volume->mode = stat.mode;
    volume->uid = stat.uid;
    volume->gid = stat.gid;
    volume->mtime_ns = stat.mtime_ns;
    if (volume->type == VIR_STORAGE_VOL_DIR)
        memcpy(volume->format, "dir", 4);
    else
        read_head(path, volume);
    return 0;
}
