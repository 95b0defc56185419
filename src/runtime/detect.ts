// Finds the container runtime of a node: looks at the usual sockets, asks who answers, chooses one and says why.
import { stat } from "node:fs/promises";
import { type Answering, askEngine, askSocket, type NotAnswering } from "./ask-socket.ts";
import { type Environment, endpointOf, type KnownSocket, type LiveRuntimeKind, usualSockets } from "./known-sockets.ts";
import { RuntimeError } from "./runtime-error.ts";

const operation = "find the runtime";

/** There is no socket where runtimes usually listen. */
export class NoSocketError extends RuntimeError {
  readonly lookedAt: readonly string[];

  constructor(lookedAt: readonly string[]) {
    const mend = "give --endpoint unix:///path.sock";
    super("invalid-argument", operation, `no container runtime found (looked at ${lookedAt.join(", ")}): ${mend}`);
    this.lookedAt = lookedAt;
  }
}

/** The runtime to work with. */
export interface Found {
  readonly kind: LiveRuntimeKind;
  /** `unix:///path.sock`, or what DOCKER_HOST holds. */
  readonly endpoint: string;
  /** Why this one: for people. */
  readonly why: string;
  /** What else was looked at and what came of it, one line each. */
  readonly passedOver: readonly string[];
}

export interface FindOptions {
  /** The namespaces that containerd would be asked to look after. */
  readonly namespaces: readonly string[];
  readonly env: Environment;
  /** Stands before the usual paths. Default: none. */
  readonly root?: string;
  /** Milliseconds for one question to a socket. */
  readonly timeoutMs?: number;
}

/** A usual socket that is there, and what it answered. */
interface Look {
  readonly socket: KnownSocket;
  readonly answer: Answering | NotAnswering;
}

interface Candidate {
  readonly socket: KnownSocket;
  readonly answer: Answering;
}

/**
 * Asks all usual sockets and takes the only runtime that answers. Fails with code `invalid-argument` when several do, or when there
 * is no socket at all; with the code of the first trouble when sockets are there and none answers.
 */
export async function findRuntime(options: FindOptions): Promise<Found> {
  const looks = await lookAtAll(usualSockets(options.env, options.root), options);
  const answering = looks.flatMap(({ socket, answer }) => (answer.kind === "runtime" ? [{ socket, answer }] : []));
  if (answering.length === 0) throw nothingAnswers(looks, options);
  const { rivals, parts } = withoutParts(answering, options.namespaces);
  const [first, ...others] = rivals;
  if (first === undefined || others.length > 0) throw severalAnswer(rivals);
  const silent = looks.flatMap(({ socket, answer }) =>
    answer.kind === "no-answer" ? [`${socket.path} ${answer.why}`] : [],
  );
  const only =
    parts.length === 0 && silent.length === 0 ? "the only socket that is there" : "the only runtime that answers";
  return {
    kind: first.answer.speaks,
    endpoint: endpointOf(first.socket.path),
    why: `${describe(first)} is ${only}`,
    passedOver: [...parts, ...silent],
  };
}

/**
 * The socket of a runtime whose kind is known: the only usual one that is there, else the only one of these that answers. When none
 * is there it is the most usual one, so that the adapter says what is missing.
 */
export async function findEndpoint(kind: LiveRuntimeKind, options: FindOptions): Promise<Found> {
  const usual = usualSockets(options.env, options.root);
  // containerd's sockets speak CRI, too.
  const own = [
    ...usual.filter((one) => one.kind === kind),
    ...usual.filter((one) => kind === "cri" && one.kind === "containerd"),
  ];
  if (kind === "docker" && options.env["DOCKER_HOST"]) return named(kind, own[0], "DOCKER_HOST names it");
  const looks = await lookAtAll(own, options);
  const answering = looks.flatMap(({ socket, answer }) =>
    answer.kind === "runtime" && speaks(answer, kind) ? [{ socket, answer }] : [],
  );
  const preferred = answering.filter(({ socket }) => socket.kind === kind);
  const rivals = preferred.length > 0 ? preferred : answering;
  if (rivals.length > 1) throw severalAnswer(rivals);
  const chosen = rivals[0]?.socket ?? looks[0]?.socket ?? own[0];
  const why =
    rivals.length === 1 ? "the only usual socket that answers as such" : "the most usual socket, which does not answer";
  return named(kind, chosen, why);
}

/**
 * What is behind a socket that was named. A socket that does not answer now is taken for what its name tells, so that an agent that
 * is started before its runtime finds it later; fails with code `unsupported` when something answers that is no runtime.
 */
export async function kindOfEndpoint(endpoint: string, options: Pick<FindOptions, "timeoutMs"> = {}): Promise<Found> {
  const guess = guessKind(endpoint);
  if (!endpoint.startsWith("unix://"))
    return { kind: "docker", endpoint, why: "only Docker listens elsewhere", passedOver: [] };
  const path = endpoint.slice("unix://".length);
  const answer = await askSocket(path, { ...options, expected: guess });
  if (answer.kind === "runtime") {
    return { kind: answer.speaks, endpoint, why: `${answer.name} ${answer.version} answers there`, passedOver: [] };
  }
  if (answer.kind === "no-answer" && answer.code === "unsupported") {
    throw new RuntimeError(
      "unsupported",
      operation,
      `the server at ${path} ${answer.why}: name the runtime's socket with --endpoint`,
    );
  }
  return { kind: guess, endpoint, why: "its name tells: it does not answer now", passedOver: [] };
}

function guessKind(endpoint: string): LiveRuntimeKind {
  if (/docker|podman/.test(endpoint) && !/cri-dockerd/.test(endpoint)) return "docker";
  return /crio|cri-dockerd/.test(endpoint) ? "cri" : "containerd";
}

function named(kind: LiveRuntimeKind, socket: KnownSocket | undefined, why: string): Found {
  return { kind, endpoint: endpointOf(socket?.path ?? ""), why, passedOver: [] };
}

function speaks({ speaks: found }: Answering, kind: LiveRuntimeKind): boolean {
  return found === kind || (kind === "cri" && found === "containerd");
}

async function lookAtAll(sockets: readonly KnownSocket[], options: FindOptions): Promise<readonly Look[]> {
  const found = await Promise.all(sockets.map((socket) => lookAt(socket, options)));
  const seen = new Set<string>();
  return found.flatMap((look) => {
    if (look === undefined || seen.has(look.identity)) return [];
    seen.add(look.identity);
    return [look];
  });
}

async function lookAt(
  socket: KnownSocket,
  { env, timeoutMs }: FindOptions,
): Promise<(Look & { readonly identity: string }) | undefined> {
  const { kind, path } = socket;
  const answer = path.startsWith("/")
    ? await askSocket(path, { expected: kind, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
    : await askEngine(path, env, timeoutMs);
  return answer.kind === "nothing-there" ? undefined : { socket, answer, identity: await identityOf(path) };
}

/** Two paths may lead to one socket: k3s and podman's packages link to their own from the usual places. */
async function identityOf(path: string): Promise<string> {
  try {
    const { dev, ino } = await stat(path);
    return `${dev}:${ino}`;
  } catch {
    return path;
  }
}

/**
 * Docker stands on a containerd of its own and, on a kubelet's node, has cri-dockerd in front: these are not runtimes beside it. A
 * containerd that holds one of the namespaces to look after is.
 */
function withoutParts(answering: readonly Candidate[], namespaces: readonly string[]) {
  const docker = answering.find(({ answer }) => answer.name === "Docker Engine");
  const partOf = (one: Candidate): string | undefined => {
    if (docker === undefined || one === docker) return undefined;
    const { name, speaks: protocol, namespaces: existing } = one.answer;
    if (protocol === "cri" && name === "docker") return "shows the images of Docker Engine, which can do more";
    if (protocol !== "containerd" || namespaces.some((namespace) => existing.includes(namespace))) return undefined;
    return `is beneath Docker Engine: it has no namespace ${namespaces.join(" or ")}`;
  };
  return {
    rivals: answering.filter((one) => partOf(one) === undefined),
    parts: answering.flatMap((one) => (partOf(one) === undefined ? [] : [`${describe(one)} ${partOf(one)}`])),
  };
}

function describe({ socket, answer }: Candidate): string {
  return `${answer.name} ${answer.version} at ${endpointOf(socket.path)}`;
}

function severalAnswer(rivals: readonly Candidate[]): RuntimeError {
  const kinds = new Set(rivals.map(({ answer }) => answer.speaks));
  const flags = rivals.map(({ socket, answer }) =>
    kinds.size === rivals.length ? `--runtime ${answer.speaks}` : `--endpoint ${endpointOf(socket.path)}`,
  );
  const list = rivals.map(describe).join(", ");
  return new RuntimeError(
    "invalid-argument",
    operation,
    `several runtimes answer on this host: ${list}: choose one with ${flags.join(" or ")}`,
  );
}

function nothingAnswers(looks: readonly Look[], { env, root }: FindOptions): RuntimeError {
  if (looks.length === 0) return new NoSocketError(usualSockets(env, root).map(({ path }) => path));
  const said = looks
    .map(({ socket, answer }) => `${socket.path} ${answer.kind === "no-answer" ? answer.why : ""}`)
    .join("; ");
  const [first] = looks;
  const code = first?.answer.kind === "no-answer" ? first.answer.code : "unavailable";
  return new RuntimeError(code, operation, `no container runtime answers: ${said}`);
}
