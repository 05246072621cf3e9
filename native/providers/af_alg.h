// SPDX-License-Identifier: MIT
// What af_alg.cc and af_alg_check.cc know of each other.
#pragma once
#include "provider.h"

namespace so_crypt {

// What is found out about a driver before its first use.
struct AfAlgFacts {
  bool asynchronous;  // it works beside this CPU, on several records at the same time
  size_t room;        // bytes that an operation socket takes at once
};

// A cipher on the algorithm or driver called name. max_length: of AAD, text and tag of a record.
std::unique_ptr<Cipher> MakeAfAlgCipher(const CipherInfo& info, const AfAlgFacts& facts, const char* name, const uint8_t* key,
                                        bool encrypt, size_t max_length);

// Whether the driver does what the cipher should, and the facts, or false with LastFailure(). Done once a process for each.
bool CheckAfAlgDriver(const CipherInfo& info, const char* name, size_t max_length, AfAlgFacts* facts);

}  // namespace so_crypt
