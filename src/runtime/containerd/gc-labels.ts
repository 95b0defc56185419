// The labels that tell containerd's garbage collector what keeps what alive.

export const labelPrefix = {
  content: "containerd.io/gc.ref.content",
  config: "containerd.io/gc.ref.content.config",
  snapshot: "containerd.io/gc.ref.snapshot.",
} as const;
const rootLabel = "containerd.io/gc.root";
const flatLabel = "containerd.io/gc.flat";
const expireLabel = "containerd.io/gc.expire";

export type Labels = Readonly<Record<string, string>>;

/** What the labels of one object keep alive. */
export interface References {
  readonly blobs: readonly string[];
  /** Keys in the form `<snapshotter>/<key>`. */
  readonly snapshots: readonly string[];
  /** The config among the blobs, when a label says which one it is. */
  readonly config?: string;
}

const empty: readonly string[] = [];
const none: References = { blobs: empty, snapshots: empty };

/**
 * The references in `labels`: `gc.ref.content[./]*` and `gc.ref.snapshot.<snapshotter>[./]*`. In order, because the daemon
 * writes the labels of one object in another order each time.
 */
export function referencesOf(labels: Labels): References {
  let blobs: string[] | undefined;
  let snapshots: string[] | undefined;
  for (const key in labels) {
    if (!key.startsWith("containerd.io/gc.ref.")) continue;
    const value = labels[key] as string;
    if (isContentReference(key)) {
      blobs ??= [];
      blobs.push(value);
    } else if (key.startsWith(labelPrefix.snapshot)) {
      snapshots ??= [];
      snapshots.push(`${snapshotterIn(key)}/${value}`);
    }
  }
  if (!blobs && !snapshots) return none;
  const config = labels[labelPrefix.config];
  blobs?.sort();
  snapshots?.sort();
  return { blobs: blobs ?? empty, snapshots: snapshots ?? empty, ...(config === undefined ? {} : { config }) };
}

/** True when the labels make their object a root of the collection of its own at `now` (milliseconds since the epoch). */
export function isRoot(labels: Labels, now: number): boolean {
  if (labels[rootLabel] !== undefined) return true;
  return labels[expireLabel] !== undefined && !isExpired(labels, now);
}

/** True when a lease protects only what it lists, not what that refers to. */
export function isFlat(labels: Labels): boolean {
  return labels[flatLabel] !== undefined;
}

/** True when the labels name a time that has passed. An unreadable time never passes, as in the daemon. */
export function isExpired(labels: Labels, now: number): boolean {
  const text = labels[expireLabel];
  return text !== undefined && Date.parse(text) <= now;
}

/** The label that makes a lease collectable at `instant` (milliseconds since the epoch). */
export function expiryLabel(instant: number): Record<string, string> {
  return { [expireLabel]: new Date(instant).toISOString() };
}

function isContentReference(key: string): boolean {
  if (!key.startsWith(labelPrefix.content)) return false;
  const next = key.charAt(labelPrefix.content.length);
  return next === "" || next === "." || next === "/";
}

/** The snapshotter in a label key; what follows a dot or slash behind it only makes the key unique. */
function snapshotterIn(key: string): string {
  const rest = key.slice(labelPrefix.snapshot.length);
  const end = rest.search(/[./]/);
  return end === -1 ? rest : rest.slice(0, end);
}
