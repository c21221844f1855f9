/* A disk whose every flush takes two milliseconds more, for what is preloaded with it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int slowed(const char *name, int descriptor)
{
    static const struct timespec two_milliseconds = {0, 2000000};
    int (*flush)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    nanosleep(&two_milliseconds, 0);
    return flush(descriptor);
}

int fsync(int descriptor) { return slowed("fsync", descriptor); }
int fdatasync(int descriptor) { return slowed("fdatasync", descriptor); }
