// What is kept of a pod.
import { expect, test } from "vitest";
import { toPod } from "../../src/kubernetes/pod-images.ts";
import { wirePod } from "../support/api-server/pod.ts";

test("finds every image that a pod asks for and every image ID that it reports, once each", () => {
  const wire = wirePod("web", {
    images: ["app:1", "app:1", ""],
    spec: {
      initContainers: [{ name: "i", image: "init:1" }],
      ephemeralContainers: [{ name: "e", image: "debug:1" }],
      volumes: [
        { name: "v", image: { reference: "models:1" } },
        { name: "w", emptyDir: {} },
        { name: "x", image: {} },
      ],
    },
    status: {
      containerStatuses: [{ imageID: "repo@sha256:aa" }, { imageID: "" }, {}],
      initContainerStatuses: [{ imageID: "sha256:bb" }],
      ephemeralContainerStatuses: [{ imageID: "docker-pullable://repo@sha256:cc" }],
    },
  });

  const pod = toPod(wire);

  expect(pod).toEqual({
    namespace: "default",
    name: "web",
    uid: "uid-default-web",
    phase: "Running",
    images: ["app:1", "init:1", "debug:1", "models:1"],
    imageIds: ["repo@sha256:aa", "sha256:bb", "docker-pullable://repo@sha256:cc"],
  });
});

test("keeps terminal pods with their phase", () => {
  const pod = toPod(wirePod("job", { phase: "Failed" }));

  expect(pod.phase).toBe("Failed");
});

test("accepts a pod that is not scheduled to the end yet: no status", () => {
  const { status: _, ...wire } = wirePod("fresh");

  const pod = toPod(wire);

  expect(pod).toMatchObject({ phase: "", images: ["registry.example/app:1"], imageIds: [] });
});

test.each([
  { value: null, why: "null" },
  { value: { metadata: { name: "x", uid: "u" } }, why: "a pod without a spec" },
  { value: { metadata: { name: "x" }, spec: {} }, why: "a pod without a UID" },
  {
    value: { metadata: { name: "x", uid: "u" }, spec: { containers: [{ image: 7 }] } },
    why: "an image that is a number",
  },
])("refuses $why", ({ value }) => {
  expect(() => toPod(value)).toThrow(expect.objectContaining({ code: "malformed" }));
});
