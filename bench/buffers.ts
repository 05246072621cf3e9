/** A size of the chunks that the sender gives to write(). */
export interface BufferSize {
  readonly name: string;
  readonly bytes: number;
}

export const buffers: readonly BufferSize[] = [
  { name: '64k', bytes: 65536 },
  { name: '16k', bytes: 16384 },
  { name: '8k', bytes: 8192 },
  { name: '4k', bytes: 4096 },
  { name: '256', bytes: 256 },
];
