// What ends the lab with a message instead of a stack trace, and the exit codes (those of sysexits.h where it has one).

export const USAGE = 64;
/** The kernel modules of this checkout can't be built or loaded. */
export const MODULES = 65;
/** This machine can't run the lab: something is missing, and the message says what. */
export const UNAVAILABLE = 69;
/** The guest ended before the command did: a kernel panic, an Oops, or QEMU itself. */
export const CRASHED = 70;
export const TIMEOUT = 124;

export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export const unavailable = (message) => new Failure(UNAVAILABLE, message);
