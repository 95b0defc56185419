// What each capability of a runtime means, and what prunelet does where it is missing: for `version` and docs/runtimes.md.
import type { Capabilities } from "./runtime.ts";

export interface CapabilityWords {
  /** What can be done with it. */
  readonly meaning: string;
  /** What prunelet does instead, and why. */
  readonly instead: string;
}

/** In the order in which people read them. */
export const capabilityWords: Readonly<Record<keyof Capabilities, CapabilityWords>> = {
  untag: {
    meaning: "a single name is removed while the image keeps others",
    instead:
      "names go only together with their image; a spare name of an image that stays is kept, reason runtime-cannot-untag",
  },
  exactBytes: {
    meaning: "plans say exactly what the disk will gain",
    instead: "the runtime's own sizes are used and shown with ~; what was freed is read from the disk usage afterwards",
  },
  content: {
    meaning: "manifests, configs and layers are read, every digest of an image is known",
    instead: "the digests that the runtime tells are all there is; verify has nothing to read",
  },
  compareAndDelete: {
    meaning: "the runtime refuses to remove a name that moved meanwhile",
    instead: "a name is read again right before it goes; a move within that millisecond is not seen",
  },
  pinnedImages: {
    meaning: "images that the runtime marks as pinned are kept",
    instead: "there is no such mark: use policy.keep",
  },
  namespaces: {
    meaning: "several namespaces are looked after",
    instead: "there is one namespace, and --namespace means nothing",
  },
  nameRecords: {
    meaning: "every name has labels and the time when it was made",
    instead: "ages count from the first time that prunelet saw a name or image",
  },
  createNames: {
    meaning: "a name is made for an image, for what Docker does when it untags by force",
    instead: "rmi --force never leaves an image behind under another name: it refuses",
  },
  events: {
    meaning: "changes are told as they happen",
    instead: "containers are read again before each removal, however short ago they were read",
  },
  allContainers: {
    meaning: "every container that runs from these images is seen, whoever made it",
    instead:
      "a container that was made past CRI (ctr, nerdctl) protects nothing; plans on containerd warn of it, and --runtime containerd sees it",
  },
};

/** What this runtime lacks. */
export function missingCapabilities(capabilities: Capabilities): readonly (keyof Capabilities)[] {
  return (Object.keys(capabilityWords) as (keyof Capabilities)[]).filter((name) => !capabilities[name]);
}
