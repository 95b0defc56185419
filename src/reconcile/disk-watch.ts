// Looks at the filesystem that holds the images: how full it is, and what must be freed. Where it cannot be judged, pressure is not
// handled, one line says why, and routine rounds go on.
import type { Demand } from "../decide/demand.ts";
import { contradictions, demandOf, kubeletActsFirst, mostUsed, type Watermarks } from "../decide/watermarks.ts";
import type { Clock } from "../observe/clock.ts";
import type { ReportSink } from "../report/event.ts";
import { usageOf } from "../runtime/own-root.ts";
import type { ContainerRuntime, FilesystemUsage } from "../runtime/runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";

/** When pressure is noticed. */
export interface PressureSettings {
  readonly watermarks: Watermarks;
  /** Milliseconds between two looks while no round runs. */
  readonly check: number;
  /** A directory on the filesystem of the images; undefined: the runtime tells. */
  readonly path?: string | undefined;
}

/** A filesystem and what must be freed on it; undefined when nothing must. */
export interface DiskLook {
  readonly filesystem: FilesystemUsage;
  readonly demand: Demand | undefined;
}

export interface DiskWatchInput {
  readonly runtime: ContainerRuntime;
  readonly report: ReportSink;
  readonly signal: AbortSignal;
  /** How full the filesystem of a directory is; throws when it cannot be told. Default: asks the kernel. */
  readonly usageOfPath?: (path: string) => Promise<FilesystemUsage>;
}

/** Milliseconds for the runtime to tell where its images are, and for the kernel to tell how full that is. */
const patience = 10_000;
const silent = `no answer in ${(2 * patience) / 1000} s: a filesystem that is mounted from elsewhere may hang`;

export class DiskWatch {
  readonly #input: DiskWatchInput;
  #problem: string | undefined;
  #hanging = false;
  #advice: string | undefined;

  constructor(input: DiskWatchInput) {
    this.#input = input;
  }

  /** Looks once; undefined when the filesystem cannot be judged. `begun`: down to the low mark, because an episode goes on. */
  async look(settings: PressureSettings, begun: boolean): Promise<DiskLook | undefined> {
    const { watermarks } = settings;
    const found = await this.#inTime(settings);
    const problem = typeof found === "string" ? found : found.flatMap((one) => contradictions(one, watermarks))[0];
    if (problem !== undefined || typeof found === "string") {
      this.#unseen(problem ?? "");
      return undefined;
    }
    this.#problem = undefined;
    const looks = found.map((filesystem) => ({ filesystem, demand: demandOf(filesystem, watermarks, begun) }));
    for (const { filesystem, demand } of looks) {
      this.#input.report({ kind: "filesystem-seen", filesystem, demand });
      this.#advise(kubeletActsFirst(filesystem, watermarks));
    }
    return looks.toSorted((one, other) => severity(other, watermarks) - severity(one, watermarks))[0];
  }

  /** Looks at intervals; true as soon as something more urgent than `demand` must be freed, false when `ended` fires. */
  async untilMoreUrgent(
    settings: PressureSettings,
    { demand, clock, ended }: { demand: Demand | undefined; clock: Clock; ended: AbortSignal },
  ): Promise<boolean> {
    for (;;) {
      await clock.sleep(settings.check, ended);
      if (ended.aborted) return false;
      const look = await this.look(settings, false);
      if (isMoreUrgent(look?.demand, demand)) return !ended.aborted;
    }
  }

  /** Other settings hold now: what is wrong with them is told, though it may be the same as before. */
  settingsChanged(): void {
    this.#problem = undefined;
  }

  /** A filesystem that hangs never answers. It is not asked again before it has, because each question occupies a thread. */
  async #inTime(settings: PressureSettings): Promise<readonly FilesystemUsage[] | string> {
    if (this.#hanging) return silent;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<typeof silent>((resolve) => {
      timer = setTimeout(() => resolve(silent), 2 * patience);
    });
    const asked = this.#filesystems(settings);
    const found = await Promise.race([asked, late]).finally(() => clearTimeout(timer));
    if (found === silent) {
      this.#hanging = true;
      const answered = (): void => {
        this.#hanging = false;
      };
      asked.then(answered, answered);
    }
    return found;
  }

  /** The filesystems that hold images, or why they are not known. */
  async #filesystems({ path }: PressureSettings): Promise<readonly FilesystemUsage[] | string> {
    const visible = await this.#visible();
    if (typeof visible === "string") return visible;
    if (path !== undefined) return await this.#chosen(path, visible);
    if (visible.length > 0) return visible;
    return "the filesystem that holds the images cannot be seen from here: set pressure.path to a directory on it";
  }

  async #visible(): Promise<readonly FilesystemUsage[] | string> {
    try {
      return await this.#input.runtime.filesystems({ timeoutMs: patience, signal: this.#input.signal });
    } catch (error) {
      if (error instanceof RuntimeError) return `the runtime does not tell where its images are: ${error.message}`;
      throw error;
    }
  }

  async #chosen(path: string, visible: readonly FilesystemUsage[]): Promise<readonly FilesystemUsage[] | string> {
    const { usageOfPath = (directory: string) => usageOf(directory, directory) } = this.#input;
    let usage: FilesystemUsage;
    try {
      usage = await usageOfPath(path);
    } catch (error) {
      const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
      return `pressure.path ${path} cannot be looked at (${why}): mount it, or leave it out`;
    }
    if (visible.length === 0 || visible.some((one) => isSame(one, usage))) return [usage];
    const where = visible.map((one) => one.path).join(", ");
    return `pressure.path ${path} is not on a filesystem that holds images (those are in ${where}): correct it, or leave it out`;
  }

  #unseen(message: string): void {
    if (this.#input.signal.aborted || message === this.#problem) return;
    this.#problem = message;
    this.#input.report({ kind: "filesystem-unseen", message });
  }

  #advise(line: string | undefined): void {
    if (line === undefined || line === this.#advice) return;
    this.#advice = line;
    this.#input.report({ kind: "notice", level: "warn", message: line });
  }
}

function isMoreUrgent(one: Demand | undefined, other: Demand | undefined): boolean {
  if (one === undefined) return false;
  return other === undefined || (one.mode === "emergency" && other.mode !== "emergency");
}

/**
 * Size and fill tell filesystems apart, wherever they are mounted. The number of inodes does not: XFS has the fewer the fuller it
 * is, and between two looks others write.
 */
function isSame(one: FilesystemUsage, other: FilesystemUsage): boolean {
  const { capacityBytes, usedBytes } = one;
  return capacityBytes === other.capacityBytes && Math.abs(usedBytes - other.usedBytes) <= capacityBytes * sameFill;
}

/** Share of the size. */
const sameFill = 0.05;

/** Of several filesystems under pressure the fullest one counts; an emergency comes before everything. */
function severity({ filesystem, demand }: DiskLook, { bytes }: Watermarks): number {
  if (demand === undefined) return 0;
  const fullness = filesystem.usedBytes / Math.max(1, mostUsed(bytes.high, filesystem.capacityBytes));
  return (demand.mode === "emergency" ? 1_000 : 1) + fullness;
}
