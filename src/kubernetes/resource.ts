// What it takes to follow a kind of objects of the API server: where they are, how they are read, and what they are called.
import type { ApiContext } from "./request.ts";

/** Objects by key, and the version of the collection at which they were true; "" means "whatever is the newest". */
export interface Listed<T> {
  readonly items: ReadonlyMap<string, T>;
  readonly resourceVersion: string;
}

/**
 * How fresh a list has to be. `cached`: whatever the API server has at hand. `notOlderThan`: no step back in time.
 * `exact`: read through to the store, for when the API server cannot serve the other two.
 */
export type Freshness =
  | { readonly kind: "cached" }
  | { readonly kind: "notOlderThan"; readonly resourceVersion: string }
  | { readonly kind: "exact" };

/** A selection of objects of one kind that can be listed and watched. */
export interface Resource<T> {
  /** The kind in messages and rights: `pods`. */
  readonly noun: string;
  /** The selection in messages: `the pods of this node`. */
  readonly selection: string;
  /** The right that the first look needs. */
  readonly readVerb: "list" | "get";
  /** Where the collection is: `/api/v1/pods`. */
  readonly path: string;
  /** The field selector of the selection. */
  readonly fieldSelector: string;
  /** The forms of the answer that are welcome in a watch, the best first. Default JSON. */
  readonly watchAccept?: string;
  /** An object as it came. Throws `ApiError` with code `malformed`. */
  read(value: unknown): T;
  /** What tells two objects apart. */
  keyOf(item: T): string;
  /** A total order, so that the same objects always give the same list. */
  compare(one: T, other: T): number;
  /** The objects that are there now. Throws only `ApiError`; code `expired` asks for an exact list. */
  list(context: ApiContext, freshness: Freshness): Promise<Listed<T>>;
}
