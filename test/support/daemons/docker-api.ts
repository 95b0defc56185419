// The Engine API for tests: one request, one JSON answer. Cheaper than a run of the command for what happens between tests.
import { request } from "node:http";

/** Sends a request to the engine's socket; fails with the engine's message unless the status is 2xx. */
export function callEngine<Answer>(socket: string, method: "GET" | "DELETE", path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, method, path, headers: { host: "docker" } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve(JSON.parse(text || "null"));
        else reject(new Error(`${method} ${path}: ${status} ${text.trim()}`));
      });
    });
    call.setTimeout(60_000, () => call.destroy(new Error(`${method} ${path}: no answer for a minute`)));
    call.on("error", reject).end();
  });
}
