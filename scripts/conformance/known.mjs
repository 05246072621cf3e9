// Tests of Node's that so-crypt is known to fail, and why.
export const known = new Map([]);
