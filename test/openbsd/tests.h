/* SPDX-License-Identifier: MIT */
#ifndef TESTS_H
#define TESTS_H

void test_fuzz(long shapes, const char *only);
void test_boundaries(void);
void test_options(void);
void test_reading(void);
void test_writing(void);
void test_constant_time(void);
int test_main(int argc, char **argv);

#endif
