// The firmware's tables: whatever they hold, the sysinfo document is XML.
#include "fuzz.h"

#include "port/port.h"
#include "text/xml.h"
#include "virt/node/node.h"

#include <stdio.h>

#define TABLES "/sys/firmware/dmi/tables"

static char root[128], file[160];
static char text[1 << 20];
static struct xml_doc doc;

void fuzz_start(void)
{
    char directory[160];
    snprintf(root, sizeof(root), "%s", fuzz_directory());
    snprintf(directory, sizeof(directory), "%s" TABLES, root);
    FUZZ_CHECK(port_make_directories(directory, 0700) == 0);
    snprintf(file, sizeof(file), "%s" TABLES "/DMI", root);
    port_host_root(root);
}

void fuzz_one(struct slice input)
{
    struct error err = {0};
    struct buffer out = buffer_over(text, sizeof(text));
    fuzz_file_write(file, input);
    bool good = node_sysinfo(&out, &err);
    FUZZ_TOLD(good, &err);
    if (good && buffer_ok(&out) && !xml_parse(&doc, buffer_slice(&out), "sysinfo", &err))
        FUZZ_FAIL("the sysinfo is no XML: %s\n%s", err.message, text);
}
