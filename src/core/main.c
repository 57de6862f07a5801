// nanovirtd: the command line.
#include <stdio.h>

int main(void)
{
    printf("nanovirtd %s\n", NANOVIRT_VERSION);
    return 0;
}
