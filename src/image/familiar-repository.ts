// The repository as people write it: without the default registry and without `library/`.
import { familiarName, type Reference } from "./reference.ts";

/** `nginx` for docker.io/library/nginx, `quay.io/a/b` for quay.io/a/b. For display only. */
export function familiarRepository({ domain, path }: Reference): string {
  return familiarName({ domain, path });
}
