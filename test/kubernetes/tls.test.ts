// Certificates and tokens, over real TLS.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type FoundKubernetes, findKubernetes } from "../../src/kubernetes/connection.ts";
import { canMakeCertificates, makeCertificates } from "../support/api-server/certificates.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { connectTo, eventually, follow, namesOf, reasonOf, serve } from "./harness.ts";
import { temporaryFolder } from "./temporary-folder.ts";

// Skipped only where there is no openssl command to make certificates with.
const withTls = test.skipIf(!canMakeCertificates());

withTls("talks to a server whose certificate is signed by the private CA of the kubeconfig", async () => {
  const tls = makeCertificates();
  const server = await serve({ tls, token: () => "secret" });
  server.setPods([wirePod("a")]);
  const kubeconfig = server.writeKubeconfig(`${temporaryFolder()}/config`);
  const found = await findKubernetes({ mode: "kubernetes", kubeconfig, nodeName: "node-1", env: {} });
  const { source } = follow(connectionOf(found));

  await source.ready(5_000);

  expect(namesOf(source)).toEqual(["a"]);
});

withTls("refuses a certificate of an unknown CA, with the mend", async () => {
  const server = await serve({ tls: makeCertificates() });
  const { source } = follow(await connectTo(server.url, { ca: makeCertificates().ca }));

  await eventually(() =>
    expect(reasonOf(source)).toMatch(/is signed by an unknown CA \(\w+\): set certificate-authority/),
  );

  expect(server.requests).toEqual([]);
});

withTls("checks the CA also for a kubeconfig without a user", async () => {
  const tls = makeCertificates();
  const server = await serve({ tls });
  const connection = await connectTo(server.url, { ca: tls.ca });
  const { source } = follow(connection);

  await source.ready(5_000);

  expect(source.view().kind).toBe("synced");
});

withTls("uses the service account of a pod and follows its token when it rotates", async () => {
  const tls = makeCertificates();
  const directory = temporaryFolder();
  writeFileSync(`${directory}/ca.crt`, tls.ca);
  writeFileSync(`${directory}/token`, "first");
  let accepted = "first";
  const server = await serve({ tls, token: () => accepted });
  const { hostname, port } = new URL(server.url);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, NODE_NAME: "node-1" };
  const found = await findKubernetes({ mode: "auto", env, serviceAccountDirectory: directory });
  const { source, errors } = follow(connectionOf(found));
  await eventually(() => expect(server.watchers).toBe(1));

  accepted = "second";
  writeFileSync(`${directory}/token`, "second\n");
  server.breakWatch();
  await eventually(() => expect(server.watchers).toBe(1));

  expect(source.view().kind).toBe("synced");
  expect(errors.map(({ code }) => code)).not.toContain("unauthorized");
  expect(server.requests.at(-1)?.headers.authorization).toBe("Bearer second");
});

test("follows the tokenFile of a kubeconfig when it rotates", async () => {
  const directory = temporaryFolder();
  const tokenFile = `${directory}/token`;
  writeFileSync(tokenFile, "first\n");
  const server = await serve({ token: () => readFileSync(tokenFile, "utf8").trim() });
  const { source } = follow(await connectTo(server.url, { tokenFile }));
  await eventually(() => expect(server.watchers).toBe(1));

  writeFileSync(tokenFile, "second\n");
  server.breakWatch();
  await eventually(() => expect(server.watchers).toBe(1));

  expect(source.view().kind).toBe("synced");
});

test("follows a kubeconfig that is rewritten after the credentials were refused", async () => {
  let accepted = "first";
  const server = await serve({ token: () => accepted });
  const connection = await connectTo(server.url, { token: "first" });
  const { source } = follow(connection);
  await source.ready(5_000);
  accepted = "second";
  server.breakWatch();
  await eventually(() => expect(reasonOf(source)).toMatch(/does not accept the credentials/));

  const path = connection.source.replace("kubeconfig ", "");
  writeFileSync(path, readFileSync(path, "utf8").replace("token: first", "token: second"));

  await eventually(() => expect(source.view().kind).toBe("synced"));
});

test("takes the token from a credential plugin", async () => {
  const directory = temporaryFolder();
  const credential = JSON.stringify({ kind: "ExecCredential", status: { token: "from-plugin" } });
  const server = await serve({ token: () => "from-plugin" });
  const kubeconfig = `${directory}/config`;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server: server.url } }],
      users: [
        {
          name: "u",
          user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "echo", args: [credential] } },
        },
      ],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
  const found = await findKubernetes({ mode: "kubernetes", kubeconfig, nodeName: "node-1", env: {} });
  const { source } = follow(connectionOf(found));

  const view = await source.ready(5_000);

  expect(view.kind).toBe("synced");
});

function connectionOf(found: FoundKubernetes) {
  if (found.kind !== "kubernetes") {
    throw new Error(found.reason);
  }
  return found.connection;
}
