// SPDX-License-Identifier: MIT
// The extension's numbers and structs, which are the same on both systems, and the level of the option, which is not.
#pragma once
#include <sys/socket.h>

#ifdef __OpenBSD__
#include "../../kernel-patch/openbsd/sys/sys/so_crypt.h"
#define SOL_SO_CRYPT SOL_SOCKET
#else
#include "../../kernel-patch/linux/include/uapi/linux/so_crypt.h"
#endif
