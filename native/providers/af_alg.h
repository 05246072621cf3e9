// SPDX-License-Identifier: MIT
// What af_alg_check.cc knows of af_alg.cc.
#pragma once
#include "provider.h"

namespace so_crypt {

// A cipher on the algorithm or driver called name. asynchronous: it works beside this CPU, on several records at the same time.
// max_length: of AAD, text and tag of a record.
std::unique_ptr<Cipher> MakeAfAlgCipher(const CipherInfo& info, bool asynchronous, const char* name, const uint8_t* key, bool encrypt,
                                        size_t max_length);

}  // namespace so_crypt
