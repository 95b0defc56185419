// `--what-if key=value`: other settings for one question, by their paths in the configuration.
import { settingFromText } from "../config/layers.ts";
import { type Setting, settings } from "../config/settings.ts";
import { newTree, setPath, type Tree } from "../config/tree.ts";
import { CommandError, exitCode } from "./exit.ts";

/** Other settings: as they were written, and in the shape of the configuration file. */
export interface WhatIf {
  readonly written: readonly string[];
  readonly tree: Tree;
  /** True when how full the disk is matters for them. */
  readonly asksForPressure: boolean;
}

/** The sections that decide what goes. */
const sections = ["policy", "pressure", "safety"];

/** Reads the questions. A key of `policy` needs no section in front. Throws `CommandError` for one that there is not. */
export function readWhatIf(written: readonly string[]): WhatIf {
  const tree = newTree();
  const keys = written.map((text) => {
    const at = text.indexOf("=");
    if (at < 1)
      throw new CommandError(`--what-if ${text} says nothing: write key=value, e.g. unusedFor=7d`, exitCode.usage);
    const setting = settingOf(text.slice(0, at));
    setPath(tree, setting.path, settingFromText(text.slice(at + 1), setting));
    return setting.path[0];
  });
  return { written, tree, asksForPressure: keys.includes("pressure") };
}

function settingOf(key: string): Setting {
  const possible = settings().filter(({ path, flat }) => flat && sections.includes(path[0] as string));
  const named = (full: string) => possible.find(({ path }) => path.join(".") === full);
  const found = named(key) ?? named(`policy.${key}`);
  if (found !== undefined) return found;
  const keys = possible.map(({ path }) => path.join(".").replace(/^policy\./, "")).join(", ");
  throw new CommandError(`--what-if knows no key ${key}: there are ${keys}`, exitCode.usage);
}
