// A file as a stream to a client. A worker reads it, because a disk can stall.
#ifndef VIRT_FILE_STREAM_H
#define VIRT_FILE_STREAM_H

#include "rpc/call.h"

// Sends what `fd` holds from its position on, for a call whose procedure has a stream to read from.
// The descriptor is taken over, also on failure. False with the call's error set.
bool file_stream_open(struct call *call, int fd);

#endif
