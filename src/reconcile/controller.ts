// The loop: one round after the other until told to stop. The only place that decides when.
import type { Demand } from "../decide/demand.ts";
import { emptyHistory, type History } from "../decide/history.ts";
import type { Policy } from "../decide/policy.ts";
import type { ReportEvent, SkipReason, Trigger, Withheld } from "../report/event.ts";
import { clockNotice } from "./clock-notice.ts";
import { type DiskLook, DiskWatch, type DiskWatchInput, type PressureSettings } from "./disk-watch.ts";
import { relieve } from "./episode.ts";
import { EventTrigger, type TriggerSettings } from "./event-trigger.ts";
import { endOf, type HeldTurn, heldBy, nextOccasion, type RestInput, type Turn } from "./occasion.ts";
import { RemovalBackoff } from "./removal-backoff.ts";
import { type NodeAccess, type RoundInput, type RoundResult, runRound } from "./round.ts";
import { watchRound } from "./round-watch.ts";

/** What may change while the loop runs. */
export interface LoopSettings extends Pick<RoundInput, "concurrency" | "callTimeoutMs" | "maxGap" | "pauseMs"> {
  /** The policy at the moment of a round. */
  readonly policyAt: (now: number) => Policy;
  /** Milliseconds between the end of a round and the beginning of the next one. */
  readonly interval: number;
  /** Share of the interval, 0 to 1, by which a round may come earlier or later: a fleet does not act in step. */
  readonly jitter: number;
  /** Why nothing may be done now; undefined when rounds may run. */
  readonly hold?: Hold | undefined;
  /** When the filesystem is too full; undefined: it is not looked at. */
  readonly pressure?: PressureSettings | undefined;
  /** How changes in the runtime begin rounds; undefined: they begin none. */
  readonly triggers?: TriggerSettings | undefined;
  /** Whether routine rounds may remove at a moment. Default: always. */
  readonly windowsAt?: (now: number) => Windows;
}

/** Whether a window is open, and when the next one opens. */
export interface Windows {
  readonly open: boolean;
  readonly opensAt: number | undefined;
}

/** A reason to skip rounds that the node itself does not show. */
export interface Hold {
  readonly reason: SkipReason;
  readonly message: string;
}

export interface ControllerInput
  extends NodeAccess,
    Pick<RoundInput, "report" | "announce">,
    Pick<DiskWatchInput, "usageOfPath"> {
  readonly history: History;
  /** Asked before each round, and again after `settingsChanged`. */
  readonly settings: () => LoopSettings;
  /** Milliseconds until a round that failed or was skipped is tried again, at most the interval. */
  readonly retryAfter: number;
  /** Called after each round with what is to be remembered. */
  readonly remember: (history: History) => void;
  /** Called before each rest, when nothing of the turn is needed any more. */
  readonly beforeRest?: () => void;
  readonly signal: AbortSignal;
}

/** What the probes ask about. */
export interface ControllerStatus {
  /** When the running round began or last got on; undefined between rounds. */
  readonly roundSince: number | undefined;
  /** True after the first round that saw the node clearly. */
  readonly observed: boolean;
}

export interface Controller {
  status(): ControllerStatus;
  /** The settings are others now: the wait for the next round is measured anew, and a round that may no longer run ends. */
  settingsChanged(): void;
  /** Resolves when the signal has fired and the last round has ended. */
  readonly done: Promise<void>;
}

/** Starts the loop. The first round begins at once. */
export function startController(input: ControllerInput): Controller {
  const loop = new Loop(input);
  return {
    status: () => ({ ...loop.status }),
    settingsChanged: () => loop.wake(),
    done: loop.run(),
  };
}

class Loop {
  readonly status: { roundSince: number | undefined; observed: boolean } = { roundSince: undefined, observed: false };
  readonly #input: ControllerInput;
  readonly #disk: DiskWatch;
  readonly #changes: EventTrigger;
  readonly #backoff = new RemovalBackoff();
  #history: History;
  #alarm = new AbortController();
  #round = new AbortController();
  #watching: Promise<void> | undefined;
  /** True when the last round was ended because something more urgent came up. */
  #overtaken = false;
  /** How the last episode left the filesystem when there was nothing left to remove. */
  #unrelieved: DiskLook | undefined;

  constructor(input: ControllerInput) {
    this.#input = input;
    this.#history = input.history;
    this.#disk = new DiskWatch(input);
    this.#changes = new EventTrigger({ ...input, onPending: () => this.#alarm.abort() });
  }

  wake(): void {
    this.#alarm.abort();
    this.#disk.settingsChanged();
    // A round that may no longer run finishes the removal in progress and leaves the rest alone.
    if (this.#input.settings().hold !== undefined) this.#round.abort();
  }

  async run(): Promise<void> {
    const { signal, clock } = this.#input;
    for (let trigger: Trigger = "start"; !signal.aborted; ) {
      if (this.#input.settings().triggers !== undefined) this.#watching ??= this.#changes.watch();
      const beganAt = clock.now();
      const turn = await this.#takeTurn(trigger);
      this.#input.beforeRest?.();
      trigger = await this.#rest(turn, { beganAt, chance: clock.random() });
    }
    await this.#watching;
  }

  async #takeTurn(trigger: Trigger): Promise<Turn> {
    return endOf(await this.#turn(trigger));
  }

  async #turn(trigger: Trigger): Promise<RoundResult | HeldTurn> {
    const { hold, pressure } = this.#input.settings();
    if (hold !== undefined) {
      if (hold.reason === "disabled") this.#forget();
      this.#input.report({ kind: "round-skipped", seconds: 0, ...hold });
      return { kind: "held", reason: hold.reason };
    }
    this.#changes.roundBegins();
    const look = pressure === undefined ? undefined : await this.#disk.look(pressure, false);
    const turn =
      look?.demand === undefined ? this.#oneRound(trigger) : this.#episode(look.filesystem, look.demand, trigger);
    const result = await turn;
    this.#changes.roundEnds();
    return result;
  }

  async #episode(filesystem: DiskLook["filesystem"], demand: Demand, trigger: Trigger): Promise<RoundResult> {
    const { settings } = this.#input;
    const { last, unrelieved } = await relieve({
      ...this.#input,
      first: { filesystem, demand },
      trigger,
      look: async (begun) => {
        const { pressure } = settings();
        return pressure === undefined ? undefined : await this.#disk.look(pressure, begun);
      },
      round: (wanted, because) => this.#oneRound(because, wanted),
      mayGoOn: () => settings().hold === undefined && !this.#input.signal.aborted,
      wasOvertaken: () => this.#overtaken,
    });
    this.#unrelieved = unrelieved;
    return last;
  }

  async #oneRound(trigger: Trigger, demand?: Demand): Promise<RoundResult> {
    const { settings, report, clock } = this.#input;
    const { policyAt, concurrency, callTimeoutMs, maxGap, pauseMs, windowsAt } = settings();
    const now = clock.now();
    this.status.roundSince = now;
    this.#round = new AbortController();
    this.#overtaken = false;
    const watch = watchRound({ ...this.#input, round: this.#round, demand, disk: this.#disk });
    const result = await runRound({
      ...this.#input,
      history: this.#history,
      policy: policyAt(now),
      ...(demand === undefined ? {} : { demand }),
      backoff: this.#backoff.waiting(now),
      ...(maxGap === undefined ? {} : { maxGap }),
      concurrency,
      callTimeoutMs,
      // In an emergency nothing is more urgent than space.
      pauseMs: demand?.mode === "emergency" ? 0 : (pauseMs ?? 0),
      trigger,
      withheld: demand === undefined ? withheldBy(windowsAt?.(now)) : undefined,
      report: (event) => {
        this.#gotOn(event);
        report(event);
      },
      signal: AbortSignal.any([this.#input.signal, this.#round.signal]),
      stopping: this.#input.signal,
    });
    this.#overtaken = await watch.end();
    this.status.roundSince = undefined;
    if (result.kind === "done") this.#learn(result);
    return result;
  }

  #gotOn({ kind }: ReportEvent): void {
    if (kind === "name-done") this.status.roundSince = this.#input.clock.now();
  }

  #learn({ state, outcome, history }: Extract<RoundResult, { kind: "done" }>): void {
    const { report, remember, settings, clock } = this.#input;
    const notice = clockNotice(this.#history.lastLook, state.takenAt, settings().maxGap);
    if (notice !== undefined) report({ kind: "notice", level: "warn", message: notice });
    this.#backoff.learn(outcome, clock.now());
    this.status.observed = true;
    this.#history = history;
    remember(history);
  }

  /** A node that is left alone is not observed: what was seen before must not count as unused when it is looked after again. */
  #forget(): void {
    if (this.#history.namespaces.size === 0) return;
    this.#history = emptyHistory(this.#history.unknown);
    this.#input.remember(this.#history);
  }

  /** Waits for the next turn and tells what begins it. Whoever changes the settings meanwhile may bring it nearer or put it off. */
  async #rest(turn: Turn, input: Pick<RestInput, "beganAt" | "chance">): Promise<Trigger> {
    const { signal, clock, settings, retryAfter } = this.#input;
    if (this.#overtaken) {
      // Once: a turn that is held must not begin the next one at once.
      this.#overtaken = false;
      return "pressure";
    }
    let { beganAt } = input;
    let [endedAt, checkedAt, latest] = [clock.now(), clock.now(), clock.now()];
    while (!signal.aborted) {
      // A clock that is set back puts nothing off.
      const back = Math.max(0, latest - clock.now());
      [beganAt, endedAt, checkedAt, latest] = [beganAt - back, endedAt - back, checkedAt - back, clock.now()];
      const now = settings();
      if (now.hold?.reason !== heldBy(turn)) return "settings";
      const changesDueAt = now.triggers && this.#changes.dueAt(now.triggers);
      const times = { beganAt, endedAt, checkedAt, changesDueAt };
      const next = nextOccasion({ ...times, turn, settings: now, retryAfter, chance: input.chance });
      // What comes meanwhile may put it off or bring something else first, so it is asked again after the sleep.
      if (next.at > clock.now()) await this.#sleepUntil(next.at);
      else if (next.trigger !== "check") return next.trigger;
      else if (await this.#newPressure(now)) return "pressure";
      else checkedAt = clock.now();
    }
    return "interval";
  }

  /** Until then, or until somebody wakes the loop. */
  async #sleepUntil(moment: number): Promise<void> {
    const { signal, clock } = this.#input;
    this.#alarm = new AbortController();
    await clock.sleep(moment - clock.now(), AbortSignal.any([signal, this.#alarm.signal]));
  }

  /** Pressure that an episode could not relieve is no news until it grows. */
  async #newPressure({ pressure }: LoopSettings): Promise<boolean> {
    const look = pressure === undefined ? undefined : await this.#disk.look(pressure, false);
    if (look?.demand === undefined) {
      this.#unrelieved = undefined;
      return false;
    }
    return this.#unrelieved === undefined || hasGrown(this.#unrelieved, look);
  }
}

/** Share of a filesystem's size by which it must have become fuller. */
const growth = 0.01;

function hasGrown(before: DiskLook, { filesystem, demand }: DiskLook): boolean {
  if (demand?.mode === "emergency" && before.demand?.mode !== "emergency") return true;
  const { capacityBytes, inodes } = filesystem;
  if (filesystem.usedBytes - before.filesystem.usedBytes > capacityBytes * growth) return true;
  return filesystem.inodesUsed - before.filesystem.inodesUsed > Math.max(1, inodes * growth);
}

function withheldBy(windows: Windows | undefined): Withheld | undefined {
  if (windows === undefined || windows.open) return undefined;
  const next =
    windows.opensAt === undefined
      ? "none opens any more"
      : `the next one opens ${new Date(windows.opensAt).toISOString()}`;
  return { code: "outside-window", detail: `no window is open; ${next}` };
}
