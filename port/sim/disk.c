// Sim: the disk, and what of it is left when the power goes.
//
// Every file has two contents and every directory two sets of entries: as everybody sees them now,
// and as the disk has them. fsync() brings a file's content over, the sync of a directory its
// entries. What was not brought over when the power goes is on the disk or not: by chance, page by
// page (a page can be torn) and change by change, in order or out of it. A rename is one change:
// both of its halves last, or none.
#include "port/sim/machine.h"

#include <string.h>

#define LINKS_MAX 8 // symbolic links in a path

struct sim_inode *sim_inode(int inode)
{
    return &sim->disk.inodes[inode];
}

// ---- entries ------------------------------------------------------------------------------------

static struct sim_entry *find_entry(struct sim_entry *table, int directory, const char *name,
                                    size_t len)
{
    for (int i = 0; i < SIM_ENTRIES; i++) {
        struct sim_entry *entry = &table[i];
        if (entry->used && entry->directory == directory && memcmp(entry->name, name, len) == 0 &&
            entry->name[len] == '\0')
            return entry;
    }
    return NULL;
}

// Inode -1 takes the entry away.
static void set_entry(struct sim_entry *table, int directory, const char *name, int inode)
{
    struct sim_entry *entry = find_entry(table, directory, name, strlen(name));
    if (inode < 0) {
        if (entry)
            entry->used = false;
        return;
    }
    for (int i = 0; !entry && i < SIM_ENTRIES; i++)
        if (!table[i].used)
            entry = &table[i];
    if (!entry)
        sim_fail("the simulated disk is full of entries: SIM_ENTRIES");
    *entry =
        (struct sim_entry){.used = true, .directory = (int16_t)directory, .inode = (int16_t)inode};
    memcpy(entry->name, name, strlen(name));
}

static void keep_change(const struct sim_change *change)
{
    set_entry(sim->disk.kept, change->directory, change->name, change->inode);
}

static void forget_change(unsigned i)
{
    struct sim_disk *disk = &sim->disk;
    memmove(&disk->journal[i], &disk->journal[i + 1],
            (--disk->journal_count - i) * sizeof(disk->journal[0]));
}

// The changes of one group last together.
static void keep_group(uint32_t group)
{
    struct sim_disk *disk = &sim->disk;
    for (unsigned i = 0; i < disk->journal_count;) {
        if (disk->journal[i].group == group) {
            keep_change(&disk->journal[i]);
            forget_change(i);
        } else {
            i++;
        }
    }
}

void sim_entries_sync(int directory)
{
    struct sim_disk *disk = &sim->disk;
    for (unsigned i = 0; i < disk->journal_count;) {
        if (disk->journal[i].directory == directory) {
            keep_group(disk->journal[i].group);
            i = 0;
        } else {
            i++;
        }
    }
}

void sim_entry_change(uint32_t group, int directory, const char *name, int inode)
{
    struct sim_disk *disk = &sim->disk;
    set_entry(disk->now, directory, name, inode);
    while (disk->journal_count >= SIM_JOURNAL - 2) // the system writes back when it likes
        keep_group(disk->journal[0].group);
    struct sim_change *change = &disk->journal[disk->journal_count++];
    *change = (struct sim_change){
        .group = group, .directory = (int16_t)directory, .inode = (int16_t)inode};
    memcpy(change->name, name, strlen(name));
    sim_inode(directory)->mtime_ns = port_time_us() * 1000;
}

uint32_t sim_entry_group(void)
{
    return ++sim->disk.last_group;
}

unsigned sim_disk_pending(void)
{
    return sim->disk.journal_count;
}

// ---- inodes -------------------------------------------------------------------------------------

static void mark_entries(const struct sim_entry *table)
{
    for (int i = 0; i < SIM_ENTRIES; i++)
        if (table[i].used)
            sim_inode(table[i].inode)->marked = true;
}

// Frees what no entry, no change and no open file refers to.
static void collect_inodes(void)
{
    struct sim_disk *disk = &sim->disk;
    for (int i = 0; i < SIM_INODES; i++)
        disk->inodes[i].marked = i == 0;
    mark_entries(disk->now);
    mark_entries(disk->kept);
    for (unsigned i = 0; i < disk->journal_count; i++)
        if (disk->journal[i].inode >= 0)
            sim_inode(disk->journal[i].inode)->marked = true;
    for (int i = 0; i < SIM_FILES; i++)
        if (sim->files[i].kind == SIM_REGULAR || sim->files[i].kind == SIM_DIRECTORY)
            sim_inode(sim->files[i].inode)->marked = true;
    for (int i = 0; i < SIM_INODES; i++) {
        struct sim_inode *inode = &disk->inodes[i];
        if (!inode->used || inode->marked)
            continue;
        sim_blob_free(&inode->now);
        sim_blob_free(&inode->kept);
        inode->used = false;
    }
}

int sim_inode_new(enum port_kind kind, uint32_t mode)
{
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < SIM_INODES; i++) {
            struct sim_inode *inode = sim_inode(i);
            if (inode->used)
                continue;
            memset(inode, 0, sizeof(*inode));
            inode->used = true;
            inode->kind = kind;
            inode->mode = mode & ~sim->mask & 07777;
            inode->mtime_ns = port_time_us() * 1000;
            inode->lock = -1;
            return i;
        }
        collect_inodes();
    }
    sim_fail("the simulated disk is full of files: SIM_INODES");
}

void sim_inode_write(int number, uint64_t offset, const void *from, size_t len)
{
    struct sim_inode *inode = sim_inode(number);
    uint64_t end = offset + len;
    if (end > SIM_FILE_MAX)
        sim_fail("a file on the simulated disk becomes too long: SIM_FILE_MAX");
    sim_blob_room(&inode->now, (uint32_t)end);
    if (offset > inode->now.size)
        memset(inode->now.at + inode->now.size, 0, offset - inode->now.size);
    if (len)
        memcpy(inode->now.at + offset, from, len);
    if (end > inode->now.size)
        inode->now.size = (uint32_t)end;
    for (uint64_t page = offset / SIM_PAGE; page * SIM_PAGE < end; page++)
        inode->dirty[page / 64] |= UINT64_C(1) << page % 64;
    inode->any_dirty = true;
    inode->mtime_ns = port_time_us() * 1000;
}

void sim_inode_resize(struct sim_inode *inode, uint32_t size)
{
    sim_blob_room(&inode->now, size);
    if (size > inode->now.size)
        memset(inode->now.at + inode->now.size, 0, size - inode->now.size);
    inode->now.size = size;
    inode->any_dirty = true;
}

void sim_inode_sync(struct sim_inode *inode)
{
    sim_blob_copy(&inode->kept, &inode->now);
    memset(inode->dirty, 0, sizeof(inode->dirty));
    inode->any_dirty = false;
}

// ---- the power goes -----------------------------------------------------------------------------

static void keep_page(struct sim_inode *inode, uint32_t page)
{
    uint32_t from = page * SIM_PAGE, to = from + SIM_PAGE;
    if (to > inode->now.size)
        to = inode->now.size;
    if (from < to && sim_chance(100)) // torn
        to = from + (uint32_t)sim_random(to - from);
    if (to > inode->kept.size)
        to = inode->kept.size;
    if (from < to)
        memcpy(inode->kept.at + from, inode->now.at + from, to - from);
}

static void cut_content(struct sim_inode *inode, unsigned survives)
{
    if (sim_chance(survives)) { // the new size; what lies between the old and the new is zero
        sim_blob_room(&inode->kept, inode->now.size);
        if (inode->now.size > inode->kept.size)
            memset(inode->kept.at + inode->kept.size, 0, inode->now.size - inode->kept.size);
        inode->kept.size = inode->now.size;
    }
    for (uint32_t page = 0; page < SIM_PAGES; page++)
        if ((inode->dirty[page / 64] >> page % 64 & 1) && sim_chance(survives))
            keep_page(inode, page);
}

// In order up to some point, or each change for itself.
static void cut_journal(void)
{
    struct sim_disk *disk = &sim->disk;
    bool in_order = sim_chance(500);
    unsigned survives = (unsigned)sim_random(1001);
    uint32_t last = disk->journal_count ? disk->journal[sim_random(disk->journal_count)].group : 0;
    while (disk->journal_count) {
        uint32_t group = disk->journal[0].group;
        if (in_order ? group <= last : sim_chance(survives)) {
            keep_group(group);
            continue;
        }
        for (unsigned i = 0; i < disk->journal_count;) {
            if (disk->journal[i].group == group)
                forget_change(i);
            else
                i++;
        }
    }
}

static void empty_run(void)
{
    int run = sim_path_inode("/run", true);
    for (int i = 0; i < SIM_ENTRIES; i++)
        if (sim->disk.kept[i].used && sim->disk.kept[i].directory == run)
            sim->disk.kept[i].used = sim->disk.now[i].used = false;
}

void sim_disk_cut(void)
{
    struct sim_disk *disk = &sim->disk;
    unsigned survives = (unsigned)sim_random(1001);
    sim_trace("the power goes: %u changes of entries were not synced", disk->journal_count);
    cut_journal();
    memcpy(disk->now, disk->kept, sizeof(disk->now));
    for (int i = 0; i < SIM_INODES; i++) {
        struct sim_inode *inode = &disk->inodes[i];
        if (!inode->used)
            continue;
        if (inode->any_dirty)
            cut_content(inode, survives);
        sim_blob_copy(&inode->now, &inode->kept);
        memset(inode->dirty, 0, sizeof(inode->dirty));
        inode->any_dirty = false;
        inode->lock = -1;
    }
    empty_run();
    memcpy(disk->now, disk->kept, sizeof(disk->now));
}

// ---- paths --------------------------------------------------------------------------------------

static int walk_to(struct sim_walk *walk, const char *path, bool follow);

static int follow_link(struct sim_walk *walk, int link, const char *rest, bool follow)
{
    char path[PORT_PATH_MAX];
    const struct sim_blob *target = &sim_inode(link)->now;
    if (++walk->links > LINKS_MAX)
        return -ELOOP;
    if (target->size + strlen(rest) + 2 > sizeof(path))
        return -ENAMETOOLONG;
    memcpy(path, target->at, target->size);
    strcpy(path + target->size, rest);
    if (path[0] == '/')
        walk->directory = 0;
    return walk_to(walk, path, follow);
}

// Goes from walk->directory; the last part need not be there: then -ENOENT with the walk filled.
static int walk_to(struct sim_walk *walk, const char *path, bool follow)
{
    int found = walk->directory;
    walk->name[0] = '\0';
    for (;;) {
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        if (len == 0)
            return found;
        if (found < 0)
            return found;
        if (sim_inode(found)->kind != PORT_DIRECTORY)
            return -ENOTDIR;
        if (len >= SIM_NAME_MAX)
            return -ENAMETOOLONG;
        walk->directory = found;
        memcpy(walk->name, path, len);
        walk->name[len] = '\0';
        const struct sim_entry *entry = find_entry(sim->disk.now, found, path, len);
        found = entry ? entry->inode : -ENOENT;
        path += len;
        bool last = path[strspn(path, "/")] == '\0';
        if (found < 0 && !last)
            return -ENOENT;
        if (found >= 0 && sim_inode(found)->kind == PORT_LINK && (!last || follow))
            return follow_link(walk, found, path, follow);
    }
}

int sim_path_walk(struct sim_walk *walk, const char *path, bool follow)
{
    *walk = (struct sim_walk){.directory = 0};
    return walk_to(walk, path, follow);
}

int sim_path_inode(const char *path, bool follow)
{
    struct sim_walk walk;
    return sim_path_walk(&walk, path, follow);
}

int sim_path_new(struct sim_walk *walk, const char *path)
{
    int found = sim_path_walk(walk, path, false);
    if (found >= 0)
        return -EEXIST;
    return found == -ENOENT && walk->name[0] ? 0 : found;
}

// ---- a new disk, and what the test does with it -------------------------------------------------

void sim_disk_make_directory(const char *path)
{
    struct sim_walk walk;
    if (sim_path_new(&walk, path) < 0)
        return;
    int inode = sim_inode_new(PORT_DIRECTORY, 0755);
    sim_entry_change(sim_entry_group(), walk.directory, walk.name, inode);
    sim_entries_sync(walk.directory);
}

void sim_disk_reset(void)
{
    static const char *const directories[] = {
        "/dev", "/etc",       "/run",       "/tmp",     "/usr",     "/usr/bin",
        "/var", "/var/cache", "/usr/share", "/var/lib", "/var/log",
    };
    sim->disk.inodes[0] =
        (struct sim_inode){.used = true, .kind = PORT_DIRECTORY, .mode = 0755, .lock = -1};
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        sim_disk_make_directory(directories[i]);
}

ptrdiff_t sim_disk_read(const char *path, void *to, size_t size)
{
    int inode = sim_path_inode(path, true);
    if (inode < 0)
        return inode;
    const struct sim_blob *content = &sim_inode(inode)->now;
    size_t len = content->size < size ? content->size : size;
    if (len)
        memcpy(to, content->at, len);
    return (ptrdiff_t)len;
}

int sim_disk_write(const char *path, const void *from, size_t size, uint32_t mode)
{
    struct sim_walk walk;
    int inode = sim_path_inode(path, true);
    if (inode < 0) {
        int status = sim_path_new(&walk, path);
        if (status < 0)
            return status;
        inode = sim_inode_new(PORT_FILE, mode);
        sim_entry_change(sim_entry_group(), walk.directory, walk.name, inode);
        sim_entries_sync(walk.directory);
    }
    sim_inode_resize(sim_inode(inode), 0);
    sim_inode_write(inode, 0, from, size);
    sim_inode_sync(sim_inode(inode));
    return 0;
}

bool sim_disk_exists(const char *path)
{
    return sim_path_inode(path, true) >= 0;
}
