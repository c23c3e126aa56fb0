/** Where the oracle puts files so that others can fetch them, under the paths of its own routes. */

export type PublishedFile = {
  /** names and slashes */
  path: string;
  bytes: Uint8Array;
  /** whether something else will stand there later; all others stand for ever */
  changes: boolean;
};

export type Outlet = {
  /** the setting that it comes from, for what is told */
  readonly name: string;
  /** Resolves once it can be fetched, whole. Throws with a reason that may be told to anybody. */
  put(file: PublishedFile): Promise<void>;
  /** What stands there; nothing where nothing does. Throws as `put`. */
  get(path: string): Promise<Uint8Array | undefined>;
};
