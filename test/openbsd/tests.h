/* SPDX-License-Identifier: MIT */
#ifndef TESTS_H
#define TESTS_H

/* Each panics when something is wrong. */
void test_fuzz(long frames, const char *suite);
void test_boundaries(void);
void test_options(void);
void test_reading(void);
void test_writing(void);
void test_constant_time(void);
void test_device(void);
void test_records(void); /* speaks on standard input and output */

#endif
