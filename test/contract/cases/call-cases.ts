// Contract cases about the calls themselves: identity, stopping, changes as they happen.
import { expect } from "vitest";
import type { RuntimeEvent } from "../../../src/runtime/runtime.ts";
import { RuntimeError } from "../../../src/runtime/runtime-error.ts";
import type { ContractCase, Subject } from "../subject.ts";

const eventDeadlineMs = 20_000;

export const callCases: readonly ContractCase[] = [
  {
    name: "tells its kind, its version and what it can do",
    async run(subject, fixture) {
      const info = await subject.runtime.info();
      const observed = await subject.runtime.observe();

      expect(info.version).not.toBe("");
      expect(info).toMatchObject({ kind: subject.runtime.kind, capabilities: fixture.capabilities });
      expect(observed.runtime).toMatchObject({ kind: info.kind, version: info.version });
    },
  },
  {
    name: "stops every call whose signal was aborted",
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: { layers: ["app"] } },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });
      const options = { signal: AbortSignal.abort() };
      const { runtime, namespace } = subject;

      const outcomes = await Promise.allSettled([
        runtime.observe(options),
        runtime.containers(namespace, options),
        runtime.findName(namespace, "registry.example/app:1", options),
        runtime.removeName(namespace, "registry.example/app:1", one.target, options),
        runtime.removeImage(
          namespace,
          { id: one.config, target: one.target, names: ["registry.example/app:1"], pinned: false },
          options,
        ),
        runtime.remaining(namespace, { blobs: [one.target], snapshots: [] }, options),
        runtime.collect(options),
      ]);
      const left = await runtime.findName(namespace, "registry.example/app:1");

      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(RuntimeError) });
      }
      expect(left?.target).toBe(one.target);
    },
  },
  {
    name: "tells of changes to images and to containers as they happen, until it is told to stop",
    needs: ["events"],
    async run(subject) {
      const { one } = await subject.seed({
        images: { one: { layers: ["app"], runnable: true } },
        names: [{ name: "registry.example/app:1", image: "one" }],
      });
      let count = 0;

      const image = await eventAfter(subject, "image", () =>
        subject.tag(`registry.example/new:${++count}`, one.target),
      );
      const container = await eventAfter(subject, "container", () =>
        subject.createContainer({ id: `c${++count}`, image: "registry.example/app:1", state: "exited" }),
      );

      const alone = await eventAfter(
        subject,
        "container",
        () => subject.createContainer({ id: `c${++count}`, image: "registry.example/app:1", state: "exited" }),
        ["container"],
      );

      expect(image).toEqual({ kind: "image", namespace: subject.namespace });
      expect(alone).toEqual(container);
      expect(container).toEqual({ kind: "container", namespace: subject.namespace });
    },
  },
  {
    name: "tells of its filesystems only what can be true",
    async run(subject) {
      const filesystems = await subject.runtime.filesystems();

      for (const filesystem of filesystems) {
        expect(filesystem.path).toMatch(/^\//);
        expect(filesystem.usedBytes).toBeLessThanOrEqual(filesystem.capacityBytes);
        expect(filesystem.inodesUsed).toBeLessThanOrEqual(filesystem.inodes);
      }
    },
  },
];

/**
 * The first event of a kind while `change` is made again and again: a subscription over a wire is not there at once,
 * so that the first changes may go unheard.
 */
async function eventAfter(
  subject: Subject,
  kind: RuntimeEvent["kind"],
  change: () => Promise<unknown>,
  wanted?: readonly RuntimeEvent["kind"][],
): Promise<RuntimeEvent | undefined> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(eventDeadlineMs)]);
  const heard = firstEvent(subject.runtime.events(signal, wanted), kind).finally(() => stop.abort());
  while (!signal.aborted) {
    await change();
    await Promise.race([heard, pause(200)]);
  }
  return heard;
}

async function firstEvent(
  events: AsyncIterable<RuntimeEvent>,
  kind: RuntimeEvent["kind"],
): Promise<RuntimeEvent | undefined> {
  for await (const event of events) if (event.kind === kind) return event;
  return undefined;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
