// Every command of the program, in the order in which help and documentation list them. Data only: command-runners.ts runs them.
import { removeCodes } from "../decide/reason.ts";
import type { CommandSpec, FlagGroup } from "./command-spec.ts";
import { nodeFlags, policyFlags } from "./flag-table.ts";

const references = "reference, digest, image ID or the beginning of one";

/** A group of the command's own flags. */
const own = (...flags: FlagGroup["flags"]): FlagGroup => ({ heading: "Flags of this command", flags });
const noTruncation = { flags: "--no-trunc", meaning: "whole IDs and digests" } as const;
const allNames = { flags: "--all", meaning: "a row for every name instead of one for every image" } as const;

/** The table. Adding a command is adding an entry here, one in command-runners.ts, and a file. */
export const commandTable: readonly CommandSpec[] = [
  {
    name: "run",
    summary: "reconcile until told to stop; serves /metrics, /healthz and /readyz",
    description: [
      "The controller, as the DaemonSet runs it: a round at every interval, each of which looks at the node, decides, removes what the policy allows, and reports. SIGTERM or SIGINT finishes the removal in progress and ends it; a second one ends it at once.",
      "Ages hold by default here, as the configuration says: unless it says otherwise, what was used in the last 24 hours or pulled in the last 10 minutes stays. The other commands look at ages only when they are asked to.",
    ],
    flags: [
      own(
        { flags: "--interval <duration>", meaning: "time between two rounds", key: "interval", keyDefault: "10m" },
        {
          flags: "--listen <host:port>",
          meaning: "address of /metrics, /healthz and /readyz",
          key: "http.listen",
          keyDefault: "0.0.0.0:9095",
        },
      ),
      policyFlags,
      ...nodeFlags,
    ],
    examples: [
      { line: "prunelet run --config /etc/prunelet/prunelet.yaml", meaning: "as a service" },
      { line: "prunelet run --runtime embedded --interval 5s", meaning: "on a simulated node, to try it out" },
    ],
  },
  {
    name: "plan",
    summary: "what would be removed and kept, and why; changes nothing",
    description: [
      "One row for each image: what becomes of it, its name, how many other names it has, the bytes that removing it alone would free and those that it frees in this plan (after all that goes before it), how long ago it was pulled or first seen, for how long nothing used it, and the reason. Names that go from an image that stays are listed below it. On a terminal a bar shows what the disk holds.",
      "Ages count only when a flag, the environment or a configuration file asks for them. With a configuration file the plan is that of the agent: a disk that is too full counts as well.",
      "With --what-if the node is judged a second time by other settings, and the answer is what would change against the settings of now. A key is written as in the configuration file: unusedFor, policy.keep, pressure.high, safety.maxRemovalsPerRun ...; lists are separated by commas.",
    ],
    flags: [
      own(allNames, {
        flags: "--what-if <key=value>",
        meaning: "what another setting would change, e.g. unusedFor=7d",
        repeatable: true,
      }),
      policyFlags,
      ...nodeFlags,
    ],
    examples: [
      { line: "prunelet plan", meaning: "everything that nothing uses now" },
      { line: "prunelet plan --unused-for 24h --keep 'registry.example/base/*'", meaning: "as a careful policy would" },
      { line: "prunelet plan --snapshot node.json -o json", meaning: "of a captured node, for programs" },
      { line: "prunelet plan --config agent.yaml --what-if unusedFor=7d", meaning: "before a setting is changed" },
      { line: "prunelet plan --what-if pressure.high=60% --what-if pressure.low=50%", meaning: "other marks" },
    ],
  },
  {
    name: "prune",
    summary: "one round: plan, then remove what nothing uses",
    description: [
      "Says how much would go, asks, and removes it. Every name is checked again right before it is removed, and the space is collected once at the end. Without a terminal to ask at, --yes is needed.",
      "Where a limit lets no image go, -o json and -o yaml print the report all the same: nothing in untagged and deleted, and the limit in brakes.",
    ],
    flags: [
      own(
        { flags: "--dry-run", meaning: "only show what would be removed" },
        { flags: "-y, --yes", meaning: "do not ask" },
        { flags: "--all", meaning: "with --dry-run: a row for every name instead of one for every image" },
      ),
      policyFlags,
      ...nodeFlags,
    ],
    examples: [
      { line: "prunelet prune --dry-run", meaning: "look first" },
      { line: "prunelet prune --unused-for 24h --min-age 10m --yes", meaning: "from a cron job" },
      { line: "prunelet prune --dangling", meaning: "only what has no name that people can read" },
    ],
    exitCodes: { 1: "something could not be removed", 3: "nobody said yes, or a limit lets no image go" },
  },
  {
    name: "rmi",
    summary: "remove names or images, as `docker rmi` does",
    description: [
      "A reference that is one of several names of an image is untagged: the image stays under the others. The last name, an image ID or the beginning of one delete the image. Digest references go with the last tag of their repository.",
      "What a container or a pod of this node needs is refused, and the message names it. --force goes past stopped containers, pods and further names, never past a running container of an image that is to be deleted.",
      "Of several references each is removed on its own, in order; one that fails does not hinder the others.",
    ],
    argument: { synopsis: "<reference...>", meaning: references },
    flags: [
      own(
        { flags: "-f, --force", meaning: "also what a stopped container or a pod needs, and all names of an ID" },
        { flags: "--no-prune", meaning: "leave dangling parents where they are" },
      ),
      ...nodeFlags,
    ],
    examples: [
      { line: "prunelet rmi registry.example/app:1 registry.example/app:2", meaning: "two tags" },
      { line: "prunelet rmi --force 3f8a4339aadd", meaning: "an image with all its names" },
      { line: "prunelet rmi app:1 --snapshot node.json --snapshot-out after.json", meaning: "on a captured node" },
    ],
    exitCodes: { 1: "something could not be removed", 2: "no reference could be read" },
  },
  {
    name: "images",
    summary: "the images of this node",
    description: [
      "One row for each tag, as `docker images` prints them. An image that is known by digest only shows <none> as tag, a dangling one <none> as repository and tag. With --digests every reference has a row of its own.",
      "The size is everything that the runtime keeps for the image: blobs and unpacked layers, shared ones included.",
      "Filters: dangling=true|false, label=KEY or label=KEY=VALUE, label!=..., reference=PATTERN (a reference without registry prefix for Docker Hub, with * within a path component), before=IMAGE and since=IMAGE (built before or after that image). Several reference filters are alternatives, all others must hold together.",
    ],
    argument: { synopsis: "[repository]", meaning: "only this repository, repository:tag or pattern" },
    flags: [
      own(
        { flags: "--digests", meaning: "a digest column, and a row for every digest reference" },
        { flags: "--shared-size", meaning: "how much of the size is shared with other images, and how much is not" },
        {
          flags: "--filter <filter>",
          meaning: "dangling=, label=, label!=, reference=, before= or since=",
          repeatable: true,
        },
        noTruncation,
        { flags: "-q, --quiet", meaning: "image IDs only" },
      ),
      ...nodeFlags,
    ],
    examples: [
      { line: "prunelet images --digests", meaning: "with the digest of every reference" },
      { line: "prunelet images --filter 'reference=registry.example/shop/*' --shared-size", meaning: "one team's" },
      { line: "prunelet images --filter dangling=true -q --no-trunc", meaning: "IDs for a script" },
    ],
  },
  {
    name: "inspect",
    summary: "one image: names, digests, bytes, users, the verdict and why",
    description: [
      "Everything that is known of an image: its names, its digests and what each of them is, its platform, labels and age, the bytes that are its own and those that it shares and with whom, who uses it, when it was first seen and last used, and the verdict under the current policy with every reason for it. As JSON, one reference is an object and several are a list.",
      "A name wins over an image ID, and a whole ID over a shortened one. A shortened ID has at least four hexadecimal digits; one that may mean several images is refused and the candidates are listed.",
    ],
    argument: { synopsis: "<reference...>", meaning: references },
    flags: [policyFlags, ...nodeFlags],
    examples: [
      { line: "prunelet inspect nginx:1.27", meaning: "by name" },
      { line: "prunelet inspect 3f8a4339aadd --unused-for 24h", meaning: "by ID, judged by a policy" },
      { line: "prunelet inspect registry.example/app@sha256:... -o json", meaning: "by digest, for programs" },
    ],
    exitCodes: { 1: "there is no such image, or it is ambiguous" },
  },
  {
    name: "verify",
    summary: "read the content of images and compare it with its digests; changes nothing",
    description: [
      "Reads indexes, manifests, configs and layers of the given images (of all images without a reference), computes their digests anew, and reports what was altered, is cut short or is missing, with the images and the users that it concerns. A blob that several images share is read once.",
      "Layers that the runtime discarded after it had unpacked them, and platforms of an image that were never fetched, are counted and are no error. What a container runs from, the unpacked layers, is not read.",
    ],
    argument: { synopsis: "[reference...]", meaning: references },
    flags: [
      own({ flags: "--rate <size>", meaning: "read at most this much in a second, e.g. 50MiB/s (default: no limit)" }),
      ...nodeFlags,
    ],
    examples: [
      { line: "prunelet verify --rate 50MiB/s", meaning: "the whole node, gently" },
      { line: "prunelet verify registry.example/app:v1", meaning: "one image" },
      { line: "prunelet verify -o json | jq '.problems'", meaning: "for programs" },
    ],
    exitCodes: { 0: "every blob is what its digest says", 1: "something is altered, cut short or missing" },
  },
  {
    name: "history",
    summary: "what was removed on this node, when, why and by whom",
    description: [
      "Lists the audit file and those that were put aside, the newest record at the end: one row for each image that was deleted and for each name that went from an image that stayed. JSON and YAML hold the records as they were written. With --all every record is listed: intents, each name of a deleted image, names that stayed after all, and what whole rounds freed.",
      "It reads the file only, and neither the runtime nor Kubernetes: of the flags that say which node, only --audit-file matters. Lines that a crash has torn are passed over and counted.",
    ],
    flags: [
      own(
        { flags: "--since <time>", meaning: "only later records: a duration back from now (24h) or a date" },
        { flags: "--until <time>", meaning: "only earlier records, likewise" },
        {
          flags: "--image <pattern>",
          meaning: "only of this image: a name, glob, /regular expression/, digest, or the beginning of an image ID",
          repeatable: true,
        },
        {
          flags: "--reason <code>",
          meaning: "only for this reason",
          choices: [...Object.keys(removeCodes), "emergency", "requested"],
          repeatable: true,
        },
        { flags: "--limit <number>", meaning: "the newest records, at most this many; 0 for all", default: "100" },
        { flags: "--all", meaning: "every record, also intents and what stayed" },
      ),
      ...nodeFlags,
    ],
    examples: [
      { line: "prunelet history --since 24h", meaning: "of the last day" },
      { line: "prunelet history --image 'registry.example/shop/*'", meaning: "of one team's images" },
      { line: "prunelet history --reason pressure -o json", meaning: "what a full disk cost, for programs" },
    ],
  },
  {
    name: "snapshot",
    summary: "capture what was observed as one JSON file on stdout",
    description: [
      "The captured node holds names, images, containers and pods, but no content. Every command works on it with --snapshot, for bug reports and what-if questions.",
      "It is JSON whatever --output says, because that is what --snapshot reads; -o yaml is refused.",
    ],
    flags: nodeFlags,
    examples: [
      { line: "prunelet snapshot > node.json", meaning: "capture this node" },
      { line: "prunelet plan --snapshot node.json", meaning: "ask the captured node" },
    ],
  },
  {
    name: "config",
    summary: "the configuration that holds, with the origin of every value; checks a file",
    description: [
      "Prints every setting as `prunelet run` would use it, and where it comes from: default, file, environment, flag, or the node pool that the node belongs to. A wrong configuration is not printed: every problem is listed, with the key, what was found and what is allowed.",
      "Node pools are chosen by the labels of this node, which are asked of the API server only when there are pools. With --node-label the answer is given for a node with these labels, and nobody is asked.",
    ],
    flags: [
      own({ flags: "--node-label <key=value>", meaning: "suppose that the node has this label", repeatable: true }),
      policyFlags,
      ...nodeFlags,
    ],
    examples: [
      { line: "prunelet config --config prunelet.yaml", meaning: "check a file before it is rolled out" },
      { line: "prunelet config --config prunelet.yaml --node-label pool=gpu", meaning: "what a GPU node would do" },
    ],
    exitCodes: { 2: "the configuration is wrong; every problem is a line" },
  },
  {
    name: "completion",
    summary: "print a script for shell completion",
    description: ["The script is printed to stdout; it needs no access to the node."],
    argument: { synopsis: "<shell>", meaning: "the shell", choices: ["bash", "zsh", "fish"] },
    flags: [],
    examples: [
      { line: "source <(prunelet completion bash)", meaning: "in this shell" },
      { line: 'prunelet completion zsh > "$' + '{fpath[1]}/_prunelet"', meaning: "for every zsh" },
      { line: "prunelet completion fish > ~/.config/fish/completions/prunelet.fish", meaning: "for every fish" },
    ],
  },
  {
    name: "version",
    summary: "version of prunelet, the runtime found, and what it can do",
    description: ["A runtime that cannot be reached is named, but is no failure. A wrong configuration is one."],
    flags: nodeFlags,
    examples: [{ line: "prunelet version -o json", meaning: "for programs" }],
  },
];
