// Ages alone: what was unused for so long goes, however full the disk is. As a CronJob with `crictl rmi --prune` and a memory would.
import { hours } from "../units.ts";
import type { RetentionPolicy } from "./caretaker.ts";

export function ageOnly(unusedFor: number): RetentionPolicy {
  return {
    name: `age only, ${unusedFor / hours(1)} h`,
    start: ({ node }) => ({
      every: hours(1),
      look(now) {
        for (const { image, users, lastUsed } of node.images.values())
          if (users === 0 && now - lastUsed >= unusedFor) node.remove(image);
      },
    }),
  };
}
