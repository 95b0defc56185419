// A private CA and a server certificate for 127.0.0.1, made with the openssl command in a temporary folder.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificates {
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** True when certificates can be made here. With CI=true their absence is an error, so that nothing is skipped unseen. */
export function canMakeCertificates(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch (error) {
    if (process.env["CI"] === "true") {
      throw new Error("the openssl command is missing: install it", { cause: error });
    }
    return false;
  }
}

/** A new CA each time, so that a certificate of one call is not trusted by another. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "prunelet-ca-"));
  try {
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const authority = ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test-ca", "-days", "2"];
    openssl("req", "-x509", ...newKey, ...authority);
    openssl("req", ...newKey, "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=kube-apiserver");
    writeFileSync(join(folder, "ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext"];
    openssl("x509", "-req", "-in", "tls.csr", "-out", "tls.crt", ...signing);
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    return { ca: read("ca.crt"), cert: read("tls.crt"), key: read("tls.key") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
