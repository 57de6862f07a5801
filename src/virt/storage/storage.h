// Storage: directory pools and the volumes in them.
//
// A pool is a row of a table; its definition is etc/libvirt/storage/NAME.xml, its autostart a link
// beside. A volume is not remembered at all: whatever asks for one looks at the directory, so that
// nothing has to be refreshed. Everything that touches a disk is done by workers.
#ifndef VIRT_STORAGE_H
#define VIRT_STORAGE_H

#include "core/buffer.h"
#include "core/child.h"
#include "core/co.h"
#include "core/config.h"
#include "core/error.h"
#include "port/port.h"
#include "text/xml.h"
#include "virt/storage/storage_constants.h"

#define STORAGE_NAME_SIZE 252 // with the NUL: NAME.xml must be a file name
#define STORAGE_PATH_SIZE 1024
#define VOLUME_NAME_SIZE  256 // NAME_MAX of Linux and the NUL

#define STORAGE_UNSET UINT32_MAX // of mode, uid and gid: nothing said

// ---- pools

struct storage_pool {
    bool used, active, autostart;
    bool busy;     // its definition is being written or removed, or it is starting
    uint16_t jobs; // volumes of it that are being made: until then it stays active
    uint8_t uuid[16];
    char name[STORAGE_NAME_SIZE];
    char path[STORAGE_PATH_SIZE]; // without a slash at the end
    uint32_t mode, uid, gid;      // of the directory, when it is built
};

// Reads all definitions; a pool whose directory is there is active, as in libvirt. Called once.
void storage_load(void);

// Lookups; NULL when there is none. The rows move nowhere, but one may be gone after any wait.
struct storage_pool *storage_by_uuid(const uint8_t uuid[16]);
struct storage_pool *storage_by_name(struct slice name);
struct storage_pool *storage_by_path(struct slice path);
struct storage_pool *storage_next(const struct storage_pool *previous); // starts with NULL

// Reads a <pool> document into a row of the caller's. Errors are libvirt's, and
// VIR_ERR_INTERNAL_ERROR for types of pools that are not built.
bool storage_parse(struct xml_doc *doc, struct slice text, struct storage_pool *pool,
                   struct error *err);
// Puts it into the table, over the row that it redefines if there is one. NULL with the error set
// when it collides with another (virStoragePoolObjIsDuplicate), or the table is full.
struct storage_pool *storage_put(const struct storage_pool *pool, struct error *err);
void storage_remove(struct storage_pool *pool);

// What a directory has; zero where it is not known.
struct storage_space {
    uint64_t capacity, available; // bytes
    uint32_t mode, uid, gid;
};

// Writes the <pool>. Without `space` it is the definition's.
void storage_write(struct buffer *out, const struct storage_pool *pool,
                   const struct storage_space *space);

// PATH/NAME without doubled slashes and a slash at the end; false when it does not fit.
bool storage_clean_path(char *to, size_t size, struct slice path);

// ---- volumes

struct storage_volume {
    int32_t type;                            // VIR_STORAGE_VOL_*
    char name[VOLUME_NAME_SIZE], format[16]; // "qcow2"
    uint64_t capacity, allocation, physical; // bytes
    uint32_t mode, uid, gid;
    int64_t mtime_ns;
    uint32_t qcow_version; // 2 or 3; 0: no qcow2
    bool lazy_refcounts, extended_l2;
    uint64_t cluster_size; // bytes, 0: has none
    char backing[STORAGE_PATH_SIZE], backing_format[16];
};

void volume_write(struct buffer *out, const struct storage_pool *pool,
                  const struct storage_volume *volume);
// What a file is, and what its head says: format, capacity, backing file. For workers. 0 or a
// negative errno; -ENOENT for what can be nobody's volume.
int volume_probe(const char *path, struct storage_volume *volume);
bool volume_is_one(const struct port_stat *stat); // of a file
// Whether a backing file is no file but an address.
bool volume_is_elsewhere(struct slice backing);
// Whether `name` can be a volume's: a file name without '/' and control characters.
bool volume_name_valid(struct slice name);

// ---- work: what touches a disk, in a child process

enum storage_job {
    STORAGE_SPACE,   // of the directory, into `space`
    STORAGE_LIST,    // names of volumes, a line each, into `list`
    STORAGE_PROBE,   // of one volume, into `volume`
    STORAGE_BUILD,   // makes the directory
    STORAGE_EMPTY,   // removes the directory (virStoragePoolDelete)
    STORAGE_RESERVE, // makes an empty volume, readable by nobody else; EEXIST when it is there
    STORAGE_UNLINK,  // removes a volume
    STORAGE_OWN,     // gives a volume the mode and the owner that stand in the pool's row
    STORAGE_SAVE,    // writes the definition
    STORAGE_FORGET,  // removes definition and autostart link
    STORAGE_LINK,    // makes the autostart link
    STORAGE_UNSHARE, // removes the autostart link
};

// Zero it before each use.
struct storage_work {
    struct co co;
    struct worker worker;
    struct buffer out;
    union {
        struct storage_space space;
        struct storage_volume volume;
        char bytes[sizeof(struct storage_volume) + 1]; // and a NUL
    };
};

// Runs one job of a pool; `volume` is the name of a volume where it is about one, `list` the memory
// for STORAGE_LIST. All are looked at in the first step only. With `err` clear, storage_result()
// tells how it went.
enum co_status storage_run(struct storage_work *work, enum storage_job job,
                           const struct storage_pool *pool, struct slice volume,
                           struct buffer *list, struct task *task, struct error *err);
int storage_result(const struct storage_work *work); // 0 or an errno

// Where the definitions are.
const char *storage_directory(void);
void storage_definition_path(char to[PORT_PATH_MAX], const char *name);
void storage_link_path(char to[PORT_PATH_MAX], const char *name);

// What is on the disk now. A change that fails half-way (the disk, or the death of its worker) can
// have done what it should, only not for sure: the row then follows the disk, and the caller is
// told the error.
bool storage_autostarts(const struct storage_pool *pool);
// The file that holds the definition, another one after each STORAGE_SAVE that came as far as to
// replace it; 0: there is none.
uint64_t storage_definition_inode(const struct storage_pool *pool);

#endif
