// A directory of the test's own on a real file system, for tests of the port.
#ifndef TEST_UNIT_OWN_ROOT_H
#define TEST_UNIT_OWN_ROOT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/nanovirt-port-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

#endif
