/** What has been started and must be stopped, in the reverse order, whatever happens meanwhile. */
export type Stops = {
  add: (stop: () => unknown) => void;
  stopAll: () => Promise<void>;
};

export function createStops(): Stops {
  const stops: (() => unknown)[] = [];
  return {
    add: (stop) => stops.push(stop),
    async stopAll() {
      for (let stop = stops.pop(); stop; stop = stops.pop()) {
        await Promise.resolve(stop()).catch(() => {});
      }
    },
  };
}
