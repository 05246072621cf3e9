// SPDX-License-Identifier: MIT
// /dev/crypto as each system has it: cryptodev_linux.cc, cryptodev_bsd.cc. A thread has the device open once, from the first session
// on. Functions that fail set LastFailure().
#pragma once
#include <string>

#include "provider.h"

namespace so_crypt::cryptodev {

// A cipher under a key, in the kernel. driver: the kernel's name of one, or null for its choice.
bool OpenSession(const CipherInfo& info, const char* driver, const uint8_t* key, uint32_t* session);
void CloseSession(uint32_t session);

// The driver of a session; "" where the system does not tell.
std::string DriverOf(uint32_t session);

// One record. AEAD: record.tail is empty, and the tag may lie anywhere.
Outcome Aead(const CipherInfo& info, uint32_t session, bool encrypt, const Record& record);
Outcome Crypt(const CipherInfo& info, uint32_t session, bool encrypt, const Record& record);

// The thread's descriptor of the device, or -1.
int Device();

// An ioctl on it, again when a signal came between.
bool Call(const char* name, unsigned long number, void* argument);

}  // namespace so_crypt::cryptodev
