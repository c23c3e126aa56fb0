/** Where the oracle puts files so that others can fetch them, under the paths of its own routes. */

export type PublishedFile = {
  /** names and slashes */
  path: string;
  bytes: Uint8Array;
  /** whether something else will stand there later; all others stand for ever */
  changes: boolean;
};

/** `bytes` are not there where nothing stands at the path. */
export type Got = { ok: true; bytes: Uint8Array | undefined } | { ok: false; reason: string };

/** Reasons are for anybody to read: there is no path and no secret in them. */
export type Outlet = {
  /** the setting that it comes from, for what is told */
  readonly name: string;
  /** Why a file could not be put; nothing once it can be fetched, whole. */
  put(file: PublishedFile): Promise<string | undefined>;
  get(path: string): Promise<Got>;
};
