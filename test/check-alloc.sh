#!/bin/sh
# check-alloc.sh FILE...: fails if an object or archive of ours references anything that allocates.
# All memory of the daemon is fixed at build time, so neither an allocator nor a function of the C
# library that calls one behind our back (streams, directories, environment) may be linked in.
set -eu

allocators='malloc|calloc|realloc|reallocarray|free|aligned_alloc|memalign|posix_memalign|valloc|
strdup|strndup|asprintf|vasprintf|getline|getdelim|open_memstream|fmemopen|fopen|freopen|fdopen|popen|
tmpfile|opendir|fdopendir|scandir|glob|wordexp|setenv|putenv|getaddrinfo|gethostbyname|getpwnam|getpwuid|
getgrnam|getgrgid|getgrouplist|initgroups|setlocale|regcomp|iconv_open|syslog|qsort|tsearch|hcreate|
get_current_dir_name|realpath|canonicalize_file_name|dlopen|pthread_create|sem_open|mktime|localtime|tzset'
pattern=$(printf '%s' "$allocators" | tr -d '\n')

found=$(nm -A -u "$@" 2> /dev/null | grep -E " U ($pattern)(@.*)?\$" || true)
if [ -n "$found" ]; then
    echo "objects that reference an allocator, or something that calls one:"
    echo "$found"
    exit 1
fi
echo "no allocator in $(nm -A -u "$@" 2> /dev/null | grep -c ' U ') undefined symbols"
