// What a node is asked to run: services with rolling releases, CronJobs, bursts of batch pods, CI pipelines.
import type { Instant } from "../../src/image/node-state.ts";
import type { Catalogue, CataloguedImage } from "./catalogue.ts";
import { type Random, zipf } from "./random.ts";
import { Repository } from "./repository.ts";
import { days, hours, minutes, seconds } from "./units.ts";

/** A pod of one container that the scheduler binds to the node. */
export interface PodStart {
  readonly at: Instant;
  /** When its containers are gone from the node. Finished jobs leave theirs for some minutes. */
  readonly until: Instant;
  readonly image: CataloguedImage;
  /** Comes back at once when the node restarts. */
  readonly service: boolean;
}

/** What the parts of a trace are made with. */
export interface Workshop {
  readonly catalogue: Catalogue;
  readonly random: Random;
  readonly from: Instant;
  readonly to: Instant;
}

export interface ServicesPlan {
  readonly count: number;
  /** Typical time between two releases of a service. */
  readonly releaseEvery: number;
  /** Typical time for which the most popular service is away from the node; the others are away longer by Zipf's law. */
  readonly away: number;
}

/**
 * Services that come to the node, stay for hours or days and leave again; the popular ones are nearly always there. A release
 * replaces the pod by one of the new tag, here or, as often, on another node. One release in fifteen is rolled back. Of four
 * services in ten another environment runs on the node as well, on an older tag: there only every third release arrives, later.
 */
export function services(workshop: Workshop, plan: ServicesPlan): PodStart[] {
  return Array.from({ length: plan.count }, (_, rank) => {
    const random = workshop.random.fork(`service ${rank}`);
    const repository = new Repository(workshop.catalogue, random, `services/service-${rank}`);
    const tags = releases(repository, { ...workshop, random }, random.logNormal(plan.releaseEvery, 0.8));
    const away = plan.away * (rank + 1) ** 0.9;
    const starts = serviceOn(tags, { ...workshop, random }, away);
    if (!random.chance(0.4)) return starts;
    return [...starts, ...serviceOn(promoted(tags, random), { ...workshop, random }, away)];
  }).flat();
}

/** The tags that reach another environment, some hours later. */
function promoted(tags: readonly Release[], random: Random): readonly Release[] {
  return tags
    .filter((_, i) => i % 3 === 0)
    .map(({ at, image }, i) => ({ at: i === 0 ? at : at + hours(random.between(4, 40)), image }))
    .toSorted((a, b) => a.at - b.at);
}

interface Release {
  readonly at: Instant;
  readonly image: CataloguedImage;
}

/** The tags that are current one after the other. The first is older than the trace. */
function releases(repository: Repository, { random, from, to }: Workshop, every: number): Release[] {
  const made: Release[] = [{ at: from - every, image: repository.release(from - every) }];
  let at = from + random.exponential(every);
  while (at < to) {
    const before = made.at(-1)?.image;
    made.push({ at, image: repository.release(at) });
    if (before !== undefined && random.chance(1 / 15)) {
      at += minutes(random.between(5, 90));
      made.push({ at, image: before });
    }
    at += minutes(10) + random.exponential(every);
  }
  return made;
}

function serviceOn(tags: readonly Release[], { random, from, to }: Workshop, away: number): PodStart[] {
  const starts: PodStart[] = [];
  let at = from + random.exponential(away);
  while (at < to) {
    const leave = at + random.logNormal(hours(30), 1.2);
    at = stay(tags, { from: at, to: Math.min(leave, to), random, starts });
    at += minutes(1) + random.exponential(away);
  }
  return starts;
}

interface Stay {
  readonly from: Instant;
  readonly to: Instant;
  readonly random: Random;
  readonly starts: PodStart[];
}

/** Runs the current tag, replaces it at releases, and tells when the service left. */
function stay(tags: readonly Release[], { from, to, random, starts }: Stay): Instant {
  let at = from;
  while (at < to) {
    const current = tags.findLast((release) => release.at <= at);
    const next = tags.find((release) => release.at > at)?.at ?? Number.POSITIVE_INFINITY;
    // The new pod is ready a little before the old one goes.
    const replaced = next + seconds(random.between(5, 90));
    const until = Math.min(to, replaced);
    if (current !== undefined) starts.push({ at, until: until + seconds(30), image: current.image, service: true });
    if (until === to || random.chance(0.5)) return until;
    at = next + 1;
  }
  return to;
}

export interface CronJobsPlan {
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  /** Share of the runs that come to this node. */
  readonly here: number;
}

/** Finished jobs stay for so long, with their containers (`ttlSecondsAfterFinished`). */
const finishedFor = minutes(10);

/** Jobs with fixed periods, each with an image of its own that is released every week or two. */
export function cronJobs(workshop: Workshop, { hourly, daily, weekly, here }: CronJobsPlan): PodStart[] {
  const periods = [
    ...Array<number>(hourly).fill(hours(1)),
    ...Array<number>(daily).fill(days(1)),
    ...Array<number>(weekly).fill(days(7)),
  ];
  return periods.flatMap((period, i) => {
    const random = workshop.random.fork(`job ${i}`);
    const repository = new Repository(workshop.catalogue, random, `jobs/job-${i}`);
    const tags = releases(repository, { ...workshop, random }, days(random.between(6, 16)));
    const runs: PodStart[] = [];
    const lasting = random.logNormal(minutes(4), 0.8);
    for (let due = workshop.from + random.between(0, period); due < workshop.to; due += period) {
      const at = due + seconds(random.between(0, 20));
      const current = tags.findLast((release) => release.at <= at);
      if (current === undefined || !random.chance(here)) continue;
      const until = at + random.logNormal(lasting, 0.3) + finishedFor;
      runs.push({ at, until, image: current.image, service: false });
    }
    return runs;
  });
}

export interface BurstsPlan {
  /** Mean time between bursts. */
  readonly every: number;
  readonly repositories: number;
  readonly pods: readonly [low: number, high: number];
}

/** Batch work that comes all at once: many pods of a few images within minutes, chosen by Zipf's law from many repositories. */
export function bursts(workshop: Workshop, { every, repositories: count, pods }: BurstsPlan): PodStart[] {
  const { catalogue, from, to } = workshop;
  const random = workshop.random.fork("bursts");
  const repositories = Array.from({ length: count }, (_, rank) => {
    const own = random.fork(`batch ${rank}`);
    const repository = new Repository(catalogue, own, `batch/task-${rank}`);
    return releases(repository, { ...workshop, random: own }, days(own.between(5, 20)));
  });
  const rank = zipf(count, 0.9);
  const starts: PodStart[] = [];
  for (let at = from + random.exponential(every); at < to; at += minutes(30) + random.exponential(every)) {
    const chosen = Array.from({ length: random.integer(3, 9) }, () => repositories[rank(random)] ?? []);
    let start = at;
    for (let left = random.integer(...pods); left > 0; left -= 1) {
      start += random.exponential(seconds(25));
      const image = random.pick(chosen).findLast((release) => release.at <= start)?.image;
      const until = start + random.logNormal(minutes(25), 0.6) + finishedFor;
      if (image !== undefined && start < to) starts.push({ at: start, until, image, service: false });
    }
  }
  return starts;
}

export interface PipelinesPlan {
  readonly repositories: number;
  /** Commits on a working day. */
  readonly commits: number;
  readonly tools: number;
}

/**
 * A CI node: each commit builds an image that runs once or a few times in the next hours and hardly ever again, with tool images
 * that come with nearly every pipeline. Commits come by day and from Monday to Friday.
 */
export function pipelines(workshop: Workshop, { repositories: count, commits, tools }: PipelinesPlan): PodStart[] {
  const { catalogue, from, to } = workshop;
  const random = workshop.random.fork("pipelines");
  const repositories = Array.from(
    { length: count },
    (_, rank) => new Repository(catalogue, random.fork(`code ${rank}`), `ci/code-${rank}`),
  );
  // Two tools in a row are lines of one repository (as `node:20` and `node:22`), released at times of their own.
  const toolTags = Array.from({ length: tools }, (_, rank) => {
    const own = random.fork(`tool ${rank}`);
    const name = `tools/tool-${Math.floor(rank / 2)}`;
    const repository = new Repository(catalogue, own, name, own.pick(["python", "node", "jdk"]));
    return releases(repository, { ...workshop, random: own }, days(own.between(8, 25)));
  });
  const [rank, toolRank] = [zipf(count, 1.1), zipf(tools, 1)];
  const starts: PodStart[] = [];
  const run = (image: CataloguedImage, at: Instant): void => {
    const until = at + random.logNormal(minutes(6), 0.7) + finishedFor;
    if (at < to) starts.push({ at, until, image, service: false });
  };
  for (let at = from; at < to; at += random.exponential(days(1) / commits / busiest)) {
    if (!random.chance(business(at) / busiest)) continue;
    const tool = toolTags[toolRank(random)]?.findLast((release) => release.at <= at);
    if (tool !== undefined) run(tool.image, at);
    const image = repositories[rank(random)]?.release(at);
    if (image === undefined) continue;
    for (let again = random.integer(1, 3), later = at; again > 0; again -= 1) {
      later += random.exponential(minutes(20));
      run(image, later);
    }
    // Some commits become releases, which are tested again days later.
    if (random.chance(0.08)) run(image, at + random.exponential(days(3)));
  }
  return starts;
}

const busiest = 2.2;

/** How busy people are, as a multiple of a working day's mean: from 8 to 18 o'clock on working days fully, else hardly. */
function business(at: Instant): number {
  const date = new Date(at);
  const working = date.getUTCDay() % 6 !== 0 && date.getUTCHours() >= 8 && date.getUTCHours() < 18;
  return working ? busiest : 0.1;
}
