/** The progress line. It goes to stderr, so that stdout holds the result and nothing else. */
export class Progress {
  readonly #started = Date.now();
  #total = 0;
  #done = 0;

  /** Announces steps before they run. */
  plan(steps: number): void {
    this.#total += steps;
  }

  /** A step begins. */
  step(text: string): void {
    this.#done++;
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    const line = `[${this.#done}/${this.#total}] ${seconds} s  ${text}`;
    // On a terminal the line replaces the last one; in a log each step is a line of its own.
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line.slice(0, 110)}` : `${line}\n`);
  }

  /** Leaves the terminal's line empty for what comes next. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
