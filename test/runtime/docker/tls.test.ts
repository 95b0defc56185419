// An engine behind TCP: which addresses are understood, and TLS with a private authority.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectDocker } from "../../../src/runtime/docker/docker-runtime.ts";
import { describeAddress, parseEndpoint, tlsFromEnvironment } from "../../../src/runtime/docker/endpoint.ts";
import { type Certificates, canMakeCertificates, makeCertificates } from "../../support/api-server/certificates.ts";

test.each([
  ["unix:///run/docker.sock", {}, "/run/docker.sock"],
  ["/run/docker.sock", {}, "/run/docker.sock"],
  ["tcp://engine", {}, "tcp://engine:2375"],
  ["tcp://engine:4000/", {}, "tcp://engine:4000"],
  ["tcp://engine", { verify: true }, "https://engine:2376"],
  ["https://engine", {}, "https://engine:2376"],
  ["tcp://[::1]:2375", {}, "tcp://[::1]:2375"],
])("%s with %j is %s", (endpoint, tls, address) => {
  expect(describeAddress(parseEndpoint(endpoint, tls))).toBe(address);
});

test.each(["ssh://engine", "npipe:////./pipe/docker_engine", "docker", "tcp://"])(
  "%s is no address of an engine",
  (endpoint) => {
    expect(() => parseEndpoint(endpoint)).toThrow(/is no address of a Docker Engine: write unix:\/\//);
  },
);

test("the environment of Docker's own clients is understood", () => {
  expect(tlsFromEnvironment({ DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/certs" })).toEqual({
    verify: true,
    certPath: "/certs",
  });
  expect(tlsFromEnvironment({ HOME: "/root", DOCKER_TLS_VERIFY: "", DOCKER_CERT_PATH: "" })).toEqual({
    verify: false,
    certPath: "/root/.docker",
  });
});

describe.skipIf(!canMakeCertificates())("TLS (needs the openssl command)", () => {
  let own: Certificates;
  let endpoint: string;
  const folders: string[] = [];
  const server = createServer((request, response) => {
    response.setHeader("api-version", "1.45");
    response.end(request.url === "/_ping" ? "OK" : JSON.stringify({ ServerVersion: "26.0.0", Driver: "overlay2" }));
  });

  beforeAll(async () => {
    own = makeCertificates();
    server.setSecureContext({ key: own.key, cert: own.cert, ca: own.ca });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endpoint = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  function certPath({ ca, cert, key }: Certificates): string {
    const folder = mkdtempSync(join(tmpdir(), "prunelet-certs-"));
    folders.push(folder);
    for (const [name, text] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, `${name}.pem`), text);
    return folder;
  }

  test("is spoken with the authority of DOCKER_CERT_PATH", async () => {
    const runtime = connectDocker({ endpoint, tls: { verify: true, certPath: certPath(own) } });

    const info = await runtime.info();
    await runtime.close();

    expect(info).toMatchObject({ version: "26.0.0", imageStore: "graph-driver" });
  });

  test("fails with one line when another authority signed", async () => {
    const runtime = connectDocker({ endpoint, tls: { verify: true, certPath: certPath(makeCertificates()) } });

    const asked = runtime.info();

    await expect(asked).rejects.toMatchObject({
      code: "denied",
      message: expect.stringMatching(
        /^ping: TLS with https:\/\/127\.0\.0\.1:\d+ failed \([A-Z_]+\): DOCKER_CERT_PATH must hold/,
      ),
    });
    await runtime.close();
  });

  test.each(["--endpoint", "DOCKER_HOST"] as const)("tells a closed port, and that %s named it", async (source) => {
    const runtime = connectDocker({ endpoint: "tcp://127.0.0.1:1", source });

    await expect(runtime.info()).rejects.toMatchObject({
      code: "unavailable",
      message: `ping: cannot connect to tcp://127.0.0.1:1: nobody listens there: start the engine, or correct ${source}`,
    });
  });

  test.each([
    ["--endpoint", "name its socket with --endpoint"],
    ["DOCKER_HOST", "correct DOCKER_HOST"],
  ] as const)("tells a missing socket that %s named", async (source, mend) => {
    const runtime = connectDocker({ endpoint: "unix:///nowhere/d.sock", source });

    await expect(runtime.info()).rejects.toMatchObject({ message: expect.stringContaining(mend) });
  });
});
