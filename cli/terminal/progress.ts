/** One line on a terminal that says how far something is; where nobody looks, nothing. */
const EVERY = 100; // ms

export function progress(stream: NodeJS.WriteStream = process.stderr) {
  let last = 0;
  return {
    told({ doing, done, of }: { doing: string; done: number; of?: number | undefined }): void {
      if (!stream.isTTY || Date.now() - last < EVERY) return;
      last = Date.now();
      const part = of ? `${bar(done / of)} ${done} of ${of}` : String(done);
      stream.write(`\r\u001b[K${doing} ${part}`);
    },
    clear(): void {
      if (stream.isTTY) stream.write("\r\u001b[K");
    },
  };
}

const WIDTH = 24;

const bar = (part: number): string => {
  const full = Math.round(WIDTH * Math.min(1, part));
  return `${"█".repeat(full)}${"░".repeat(WIDTH - full)}`;
};
