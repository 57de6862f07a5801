// The port's files, directories, clock and log, on a real file system.
#include "port/linux/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "own_root.h"

static const char *in_root(const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
    return path;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    int fd = port_open(path, PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_TRUNCATE, 0600);
    assert_true(fd >= 0);
    assert_int_equal(port_write(fd, bytes, len), len);
    port_close(fd);
}

static void a_file_is_written_and_read_back_at_offsets(void **state)
{
    (void)state;
    char text[8] = "";
    int fd = port_open(in_root("f"), PORT_OPEN_READ | PORT_OPEN_WRITE | PORT_OPEN_CREATE, 0640);
    assert_true(fd >= 0);
    assert_int_equal(port_pwrite(fd, "world", 5, 3), 5);
    assert_int_equal(port_pread(fd, text, 7, 0), 7);
    assert_memory_equal(text, "\0\0\0worl", 7);
    assert_int_equal(port_truncate(fd, 4), 0);
    assert_int_equal(port_sync(fd), 0);
    struct port_stat stat;
    assert_int_equal(port_fstat(fd, &stat), 0);
    assert_int_equal(stat.size, 4);
    assert_int_equal(stat.kind, PORT_FILE);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    port_close(fd);
    assert_int_equal(port_sync_directory(root), 0);
}

static void open_flags_are_kept(void **state)
{
    (void)state;
    write_file(in_root("there"), "x", 1);
    assert_int_equal(port_symlink("there", in_root("link")), 0);
    assert_int_equal(port_open(in_root("link"), PORT_OPEN_READ | PORT_OPEN_NOFOLLOW, 0), -ELOOP);
    assert_int_equal(
        port_open(in_root("there"), PORT_OPEN_WRITE | PORT_OPEN_CREATE | PORT_OPEN_NEW, 0600),
        -EEXIST);
    assert_int_equal(port_open(in_root("missing"), PORT_OPEN_READ, 0), -ENOENT);
    int fd = port_open(in_root("there"), PORT_OPEN_WRITE | PORT_OPEN_APPEND, 0);
    assert_int_equal(port_write(fd, "yz", 2), 2);
    port_close(fd);
    char text[8];
    assert_int_equal(port_file_read(in_root("there"), text, sizeof(text)), 3);
    assert_string_equal(text, "xyz");
}

static void a_file_is_read_whole_or_refused_as_too_big(void **state)
{
    (void)state;
    char text[9];
    write_file(in_root("eight"), "12345678", 8);
    assert_int_equal(port_file_read(in_root("eight"), text, 9), 8);
    assert_string_equal(text, "12345678");
    assert_int_equal(port_file_read(in_root("eight"), text, 8), -EFBIG);
    assert_string_equal(text, "");
    assert_int_equal(port_file_read(in_root("missing"), text, 9), -ENOENT);
    assert_int_equal(port_file_read(root, text, 9), -EISDIR);
    assert_true(port_file_read("/proc/self/stat", text, sizeof(text)) == -EFBIG);
}

static void kinds_modes_and_links_are_told_apart(void **state)
{
    (void)state;
    struct port_stat stat;
    write_file(in_root("file"), "x", 1);
    assert_int_equal(port_chmod(in_root("file"), 0604), 0);
    assert_int_equal(port_symlink("file", in_root("alias")), 0);
    assert_int_equal(port_lstat(in_root("alias"), &stat), 0);
    assert_int_equal(stat.kind, PORT_LINK);
    assert_int_equal(port_stat(in_root("alias"), &stat), 0);
    assert_int_equal(stat.kind, PORT_FILE);
    assert_int_equal(stat.mode, 0604);
    assert_int_equal(stat.uid, port_uid());
    assert_true(stat.mtime_ns > 0);
    assert_int_equal(port_stat("/dev/null", &stat), 0);
    assert_int_equal(stat.kind, PORT_CHARACTER);
    assert_int_equal(port_stat(root, &stat), 0);
    assert_int_equal(stat.kind, PORT_DIRECTORY);
    assert_int_equal(mkfifo(in_root("fifo"), 0600), 0);
    assert_int_equal(port_stat(in_root("fifo"), &stat), 0);
    assert_int_equal(stat.kind, PORT_FIFO);
    char target[8];
    assert_int_equal(port_readlink(in_root("alias"), target, sizeof(target)), 4);
    assert_string_equal(target, "file");
    assert_int_equal(port_readlink(in_root("alias"), target, 4), -ENAMETOOLONG);
    assert_int_equal(port_access(in_root("file"), PORT_OPEN_READ), 0);
    assert_int_equal(port_access(in_root("file"), PORT_ACCESS_RUN), -EACCES);
    assert_int_equal(port_rename(in_root("file"), in_root("moved")), 0);
    assert_int_equal(port_access(in_root("file"), 0), -ENOENT);
    assert_int_equal(port_unlink(in_root("moved")), 0);
}

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    struct port_stat stat;
    assert_int_equal(port_make_directories(in_root("a/b/c"), 0700), 0);
    assert_int_equal(port_make_directories(in_root("a/b/c"), 0700), 0);
    assert_int_equal(port_stat(in_root("a/b/c"), &stat), 0);
    assert_int_equal(stat.kind, PORT_DIRECTORY);
    assert_int_equal(port_make_directory(in_root("a"), 0700), -EEXIST);
    assert_int_equal(port_remove_directory(in_root("a/b")), -ENOTEMPTY);
    assert_int_equal(port_remove_directory(in_root("a/b/c")), 0);
    write_file(in_root("a/file"), "x", 1);
    assert_int_equal(port_make_directories(in_root("a/file/d"), 0700), -ENOTDIR);
    assert_int_equal(port_make_directories(in_root("a/file"), 0700), -ENOTDIR);
}

static void a_relative_path_is_made_absolute(void **state)
{
    (void)state;
    char path[PORT_PATH_MAX], here[PORT_PATH_MAX + 2];
    assert_int_equal(port_absolute_path("/x/y", path, sizeof(path)), 0);
    assert_string_equal(path, "/x/y");
    assert_int_equal(port_absolute_path("x", path, sizeof(path)), 0);
    assert_non_null(getcwd(here, PORT_PATH_MAX));
    strcat(here, "/x");
    assert_string_equal(path, here);
    assert_int_equal(port_absolute_path("/x/y", path, 4), -ENAMETOOLONG);
}

static void a_directory_of_5000_entries_is_listed_once_each(void **state)
{
    (void)state;
    static bool seen[5000];
    char name[32];
    assert_int_equal(port_make_directory(in_root("many"), 0700), 0);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "many/entry-%d", i);
        int fd = port_open(in_root(name), PORT_OPEN_WRITE | PORT_OPEN_CREATE, 0600);
        assert_true(fd >= 0);
        port_close(fd);
    }
    struct port_dir dir;
    assert_int_equal(port_dir_open(&dir, in_root("many")), 0);
    int count = 0;
    for (const char *entry = port_dir_next(&dir); entry; entry = port_dir_next(&dir)) {
        int i = atoi(entry + strlen("entry-"));
        assert_false(seen[i]);
        seen[i] = true;
        count++;
    }
    port_dir_close(&dir);
    assert_int_equal(count, 5000);
    assert_int_equal(port_dir_open(&dir, in_root("nowhere")), -ENOENT);
}

static void a_pid_file_is_locked_against_another_process(void **state)
{
    (void)state;
    unsigned flags = PORT_OPEN_READ | PORT_OPEN_WRITE | PORT_OPEN_CREATE;
    int fd = port_open(in_root("pid"), flags, 0600);
    assert_int_equal(port_file_lock(fd), 0);
    pid_t child = fork();
    if (child == 0) {
        int other = open(in_root("pid"), O_RDWR);
        struct flock lock = {.l_type = F_WRLCK}; // as libvirtd would
        bool refused = port_file_lock(other) == -EAGAIN && fcntl(other, F_SETLK, &lock) < 0;
        _exit(refused ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    int again = port_open(in_root("pid"), flags, 0600);
    assert_int_equal(port_file_lock(again), -EAGAIN);
    port_close(fd);
    assert_int_equal(port_file_lock(again), 0);
    port_close(again);
}

static void clocks_run_forward_and_random_bytes_differ(void **state)
{
    (void)state;
    uint64_t before = port_clock_ns(), cpu = port_cpu_ns();
    assert_true(port_clock_ns() >= before);
    assert_true(port_cpu_ns() >= cpu);
    assert_true(port_time_us() > INT64_C(1577836800000000)); // 2020
    uint8_t a[32], b[32];
    port_random(a, sizeof(a));
    port_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static void accounts_are_found_by_name_and_number(void **state)
{
    (void)state;
    uint32_t uid = 1, gid = 1;
    assert_int_equal(port_user_lookup("root", &uid, &gid), 0);
    assert_int_equal(uid, 0);
    assert_int_equal(gid, 0);
    assert_int_equal(port_user_lookup("+12345678", &uid, &gid), 0);
    assert_int_equal(uid, 12345678);
    assert_int_equal(gid, (uint32_t)-1);
    assert_int_equal(port_user_lookup("0", &uid, &gid), 0);
    assert_int_equal(gid, 0);
    assert_int_equal(port_user_lookup("no such user", &uid, &gid), -ENOENT);
    assert_int_equal(port_user_lookup("-1", &uid, &gid), -ENOENT);
    assert_int_equal(port_user_lookup("4294967295", &uid, &gid), -ENOENT);
    assert_int_equal(port_user_lookup("", &uid, &gid), -ENOENT);
    assert_int_equal(port_group_lookup("root", &gid), 0);
    assert_int_equal(port_group_lookup("nogroup", &gid), 0);
    assert_int_not_equal(gid, 0);
    char name[32];
    assert_int_equal(port_user_name(0, name, sizeof(name)), 0);
    assert_string_equal(name, "root");
    assert_int_equal(port_group_name(gid, name, sizeof(name)), 0);
    assert_string_equal(name, "nogroup");
    assert_int_equal(port_user_name(0, name, 4), -ENAMETOOLONG);
    assert_int_equal(port_user_name(12345678, name, sizeof(name)), -ENOENT);
}

static void accounts_are_read_from_tables_of_any_shape(void **state)
{
    (void)state;
    static char passwd[8192];
    uint32_t uid, gid, gids[8];
    char name[64];
    // A line longer than any buffer, a damaged one, none at the end of the last.
    memset(passwd, 'x', 5000);
    strcpy(passwd + 5000, ":x:1:1::/:\nbroken\n:x:3:3\nhalf:x:5\n#:x:notanumber:1:\n"
                          "qemu:x:107:108:QEMU, Inc:/:/bin/sh\nlast:x:200:201");
    static const char groups[] =
        "wheel:x:10:root,qemus,xqemu\nkvm:x:36:qemu\nbad\ndisk:x:6:a,qemu,b\n"
        "empty:x:7:\naudio:x:63:other,qemu";
    assert_int_equal(port_make_directories(in_root("etc"), 0700), 0);
    write_file(in_root("etc/passwd"), passwd, strlen(passwd));
    write_file(in_root("etc/group"), groups, strlen(groups));
    port_host_root(root);
    assert_int_equal(port_user_lookup("qemu", &uid, &gid), 0);
    assert_int_equal(uid, 107);
    assert_int_equal(gid, 108);
    assert_int_equal(port_user_lookup("last", &uid, &gid), 0);
    assert_int_equal(gid, 201);
    assert_int_equal(port_user_lookup("half", &uid, &gid), -ENOENT);
    assert_int_equal(port_user_lookup("broken", &uid, &gid), -ENOENT);
    assert_int_equal(port_user_name(200, name, sizeof(name)), 0);
    assert_string_equal(name, "last");
    assert_int_equal(port_group_lookup("disk", &gid), 0);
    assert_int_equal(gid, 6);
    assert_int_equal(port_group_lookup("a", &gid), -ENOENT);
    assert_int_equal(port_user_groups(107, gids, 8), 4);
    assert_int_equal(gids[0], 108); // the user's own
    assert_int_equal(gids[1], 36);
    assert_int_equal(gids[2], 6);
    assert_int_equal(gids[3], 63);
    assert_int_equal(port_user_groups(107, gids, 2), 2);
    assert_int_equal(port_user_groups(999, gids, 8), 0);
    port_host_root(NULL);
}

static void logging_without_a_log_daemon_does_no_harm(void **state)
{
    (void)state;
    port_syslog_open("nanovirt-test");
    for (int level = 0; level < 6; level++)
        port_syslog(level, "a message");
}

static void a_tty_is_opened_raw_and_a_file_is_not_a_tty(void **state)
{
    (void)state;
    write_file(in_root("no-tty"), "x", 1);
    assert_int_equal(port_tty_open(in_root("no-tty")), -ENOTTY);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        skip();
    int fd = port_tty_open(ptsname(master));
    assert_true(fd >= 0);
    char byte;
    assert_int_equal(port_read(fd, &byte, 1), -EAGAIN);
    assert_int_equal(write(master, "\x03", 1), 1); // raw: an interrupt character is a byte
    struct port_poll poll = {fd, PORT_POLL_IN, 0};
    assert_int_equal(port_poll(&poll, 1, INT64_C(5000000000)), 1);
    assert_int_equal(port_read(fd, &byte, 1), 1);
    assert_int_equal(byte, 3);
    port_close(fd);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_written_and_read_back_at_offsets),
        cmocka_unit_test(open_flags_are_kept),
        cmocka_unit_test(a_file_is_read_whole_or_refused_as_too_big),
        cmocka_unit_test(kinds_modes_and_links_are_told_apart),
        cmocka_unit_test(directories_are_made_with_their_parents),
        cmocka_unit_test(a_relative_path_is_made_absolute),
        cmocka_unit_test(a_directory_of_5000_entries_is_listed_once_each),
        cmocka_unit_test(a_pid_file_is_locked_against_another_process),
        cmocka_unit_test(clocks_run_forward_and_random_bytes_differ),
        cmocka_unit_test(accounts_are_found_by_name_and_number),
        cmocka_unit_test(accounts_are_read_from_tables_of_any_shape),
        cmocka_unit_test(logging_without_a_log_daemon_does_no_harm),
        cmocka_unit_test(a_tty_is_opened_raw_and_a_file_is_not_a_tty),
    };
    return cmocka_run_group_tests_name("port_files", tests, make_root, remove_root);
}
