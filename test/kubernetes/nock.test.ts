// The requests word for word, and the client's HTTP stack as tests elsewhere intercept it.
import nock from "nock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { wirePod } from "../support/api-server/pod.ts";
import { connectTo, eventually, follow, namesOf } from "./harness.ts";

const server = "https://kubernetes.example:6443";
const selector = "spec.nodeName=node-1";

beforeEach(() => {
  nock.disableNetConnect();
});

afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

test("asks for the pods of the node with the token, page by page, then watches from there", async () => {
  const page = (names: string[], more?: string) => ({
    metadata: { resourceVersion: "77", ...(more === undefined ? {} : { continue: more }) },
    items: names.map((name) => wirePod(name)),
  });
  const scope = nock(server, { reqheaders: { authorization: "Bearer secret", accept: "application/json" } })
    .get("/api/v1/pods")
    .query({ fieldSelector: selector, limit: "500", resourceVersion: "0" })
    .reply(200, page(["a"], "next"))
    .get("/api/v1/pods")
    .query({ fieldSelector: selector, limit: "500", continue: "next" })
    .reply(200, page(["b"]))
    .get("/api/v1/pods")
    .query({
      fieldSelector: selector,
      watch: "true",
      allowWatchBookmarks: "true",
      timeoutSeconds: "450",
      resourceVersion: "77",
    })
    .reply(200, `${JSON.stringify({ type: "ADDED", object: versioned("c", "78") })}\n`);
  const { source } = follow(await connectTo(server, { token: "secret" }));

  await eventually(() => expect(namesOf(source)).toEqual(["a", "b", "c"]));

  expect(scope.isDone()).toBe(true);
});

test("starts over when a continue token has expired", async () => {
  const list = { metadata: { resourceVersion: "5", continue: "old" }, items: [wirePod("a")] };
  nock(server)
    .get("/api/v1/pods")
    .query({ fieldSelector: selector, limit: "500", resourceVersion: "0" })
    .reply(200, list)
    .get("/api/v1/pods")
    .query({ fieldSelector: selector, limit: "500", continue: "old" })
    .reply(410, { kind: "Status", code: 410, message: "expired" })
    .get("/api/v1/pods")
    .query({ fieldSelector: selector, limit: "500" })
    .reply(200, { metadata: { resourceVersion: "9" }, items: [wirePod("b")] });
  const { source } = follow(await connectTo(server));

  const view = await source.ready(5_000);

  expect(view).toMatchObject({ kind: "synced", pods: [{ name: "b" }] });
});

test("keeps the path of a server that is reached through a gateway", async () => {
  const scope = nock(server)
    .get("/k8s/clusters/c-1/api/v1/pods")
    .query(true)
    .reply(200, { metadata: { resourceVersion: "1" }, items: [] });
  const { source } = follow(await connectTo(`${server}/k8s/clusters/c-1/`));

  await source.ready(5_000);

  expect(scope.isDone()).toBe(true);
});

function versioned(name: string, resourceVersion: string): unknown {
  const pod = wirePod(name);
  return { ...pod, metadata: { ...pod.metadata, resourceVersion } };
}
