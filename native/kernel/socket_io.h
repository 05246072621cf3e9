// SPDX-License-Identifier: MIT
// System calls on a non-blocking socket that carries records in the kernel. They return a count, or -errno.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace so_crypt {

// Plaintext of one record type only. *type is its content type, or 0 with a result of 0: the peer's FIN. (A record may be empty, too.)
ssize_t ReceiveRecord(int fd, uint8_t* out, size_t capacity, uint8_t* type);

// Bytes of the stream before the kernel has the read key.
ssize_t ReceiveBytes(int fd, uint8_t* out, size_t capacity);

// One record that is no application data.
ssize_t SendRecord(int fd, uint8_t type, const uint8_t* content, size_t length);

// Of a file to the socket. 0: the file has ended. -EPIPE: the connection has, too, even if bytes went out before. Linux only.
ssize_t SendFileRange(int fd, int file, uint64_t offset, size_t count);

}  // namespace so_crypt
