// Whether overlay filesystems can be mounted in a folder: not in every container, not on every filesystem.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export function canMountOverlay(folder: string): boolean {
  const trial = join(folder, "overlay-trial");
  const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => join(trial, name));
  for (const path of [lower, upper, work, merged]) mkdirSync(path ?? trial, { recursive: true });
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  const mount = spawnSync("mount", ["-t", "overlay", "overlay", "-o", options, merged ?? trial], { stdio: "ignore" });
  if (mount.status === 0) spawnSync("umount", [merged ?? trial], { stdio: "ignore" });
  rmSync(trial, { recursive: true, force: true });
  return mount.status === 0;
}
