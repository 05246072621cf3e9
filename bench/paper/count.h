/* SPDX-License-Identifier: MIT */
#ifndef COUNT_H
#define COUNT_H

/* What a process has made the kernel do. */
struct counts {
	long calls;	/* system calls */
	long switches;	/* the scheduler took it off its CPU */
	long others;	/* the same of all other tasks but the idle ones: interrupts' threads, workers, the receiver */
	long copied;	/* bytes between user and kernel, either way */
};

/* Counts the calling process; needs root and a kernel with ftrace. Exits when it can't. */
void count_start(void);
struct counts count_stop(void);
#endif
