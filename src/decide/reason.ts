// Why something is kept or removed: a closed set of codes for machines, and one line for people.

/** Why a name or an image stays. Codes are an interface: metrics, JSON and documentation use them. */
export type KeepCode =
  | "used-by-container"
  | "used-by-pod"
  | "used-by-image-mount"
  | "last-name"
  | "companion-of-tag"
  | "companion-of-image"
  | "companion-of-digest"
  | "parent-of-image"
  | "no-pod-source"
  | "unresolved-container"
  | "pinned"
  | "held"
  | "keep-pattern"
  | "too-young"
  | "recently-used"
  | "filtered"
  | "not-dangling"
  | "newest-of-repository"
  | "pod-namespace"
  | "gains-nothing"
  | "enough-freed"
  | "brake"
  | "backoff"
  | "other-names"
  | "runtime-cannot-untag";

/** Why a name is untagged or an image is deleted. */
export type RemoveCode = "unused" | "spare-name" | "dangling" | "remove-list" | "pressure" | "over-budget";

export interface Reason<Code extends string = KeepCode> {
  readonly code: Code;
  /** One line for people: who, what, since when. */
  readonly detail: string;
}

/** Every reason code for keeping, in the order in which documentation lists them. */
export const keepCodes: Readonly<Record<KeepCode, string>> = {
  "used-by-container": "a container or sandbox, in any state, uses it",
  "used-by-pod": "a pod bound to this node asks for it, started or not",
  "used-by-image-mount": "a container mounts it as an image volume",
  "last-name": "the image is in use by ID or digest, and this is the last name it has",
  "companion-of-tag": "a digest reference lives as long as a tag of its repository on the same image",
  "companion-of-image": "the ID name lives as long as another name of the image, or a use of it",
  "companion-of-digest":
    "a Docker Engine removes a digest reference with the last tag of its repository, and the digest reference is needed",
  "parent-of-image": "an image that stays was built on it (Docker Engine)",
  "no-pod-source": "the image is in use and nobody tells which of its tags the pods need",
  "unresolved-container": "a container of this namespace uses an image that could not be found out",
  pinned: "the runtime marks the image as pinned",
  held: "a lease or a running pull holds its content, so removing it would free nothing",
  "keep-pattern": "a keep pattern matches",
  "too-young": "it is younger than the minimum age",
  "recently-used": "it was used more recently than allowed",
  filtered: "a filter does not accept it",
  "not-dangling": "only dangling images are to be removed, and it has a tag or a digest reference",
  "newest-of-repository": "it is one of the newest tags of its repository",
  "pod-namespace": "of the pods that used it last, some are in a namespace whose images stay",
  "gains-nothing": "space is needed, and removing it would free none",
  "enough-freed": "space is needed, and what goes before it frees enough",
  brake: "it might go, but the plan was cut at a limit for one round",
  backoff: "its removal failed, and the next try has to wait",
  "other-names": "another name of the image stays",
  "runtime-cannot-untag": "another name of the image stays, and this runtime cannot remove one name alone",
};

/** Every reason code for removing, in the order in which documentation lists them. */
export const removeCodes: Readonly<Record<RemoveCode, string>> = {
  unused: "nothing uses the image, so all its names go and the image with them",
  "spare-name": "the image stays under another name, and nothing needs this one",
  dangling: "the image has neither a tag nor a digest reference",
  "remove-list": "a pattern of the remove list matches, and nothing uses it",
  pressure: "the disk is too full, and nothing uses the image",
  "over-budget": "images take more than `policy.maxImageBytes`, and nothing uses this one",
};
