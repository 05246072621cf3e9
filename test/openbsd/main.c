// SPDX-License-Identifier: MIT
#include "tests.h"

int main(int argc, char **argv) { return test_main(argc, argv); }
