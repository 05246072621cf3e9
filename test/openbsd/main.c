// SPDX-License-Identifier: MIT
// so_crypt_test unit | fuzz FRAMES [SUITE] | records | connect … | accept … (peer.c)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests.h"

int peer_main(int, char **);

int main(int argc, char **argv) {
	if (argc > 1 && strcmp(argv[1], "records") == 0) {
		test_records();
	} else if (argc > 2 && strcmp(argv[1], "fuzz") == 0) {
		test_fuzz(atol(argv[2]), argc > 3 ? argv[3] : NULL);
	} else if (argc > 1 && strcmp(argv[1], "unit") == 0) {
		test_options();
		test_writing();
		test_reading();
		test_boundaries();
		test_constant_time();
		test_device();
	} else if (argc > 2 && (strcmp(argv[1], "connect") == 0 || strcmp(argv[1], "accept") == 0)) {
		return peer_main(argc, argv);
	} else {
		fprintf(stderr, "usage: so_crypt_test unit | fuzz FRAMES [SUITE] | records\n");
		return 2;
	}
	return 0;
}
