// Prunes that are compared with `docker image prune`. The numbers are those of the team's table of prunes.
import type { Scene } from "./docker-stage.ts";

export interface Prune extends Scene {
  readonly title: string;
  /** Without: `--all`. */
  readonly danglingOnly?: boolean;
  /** Value of `--filter`, of the form `label=...` or `label!=...`. */
  readonly filter?: string;
  /** The names that stay on the engine. */
  readonly stays: readonly string[];
  /** Names that stay in strict form as well. Default: none. */
  readonly staysToo?: readonly string[];
  /** The images whose content the engine removes. */
  readonly deletes: readonly string[];
}

export const prunes: readonly Prune[] = [
  { title: "P01 an unused tag", names: [["A", "busybox:latest"]], stays: [], deletes: ["{A}"] },
  {
    title: "P02 an unused tag, dangling images only",
    names: [["A", "busybox:latest"]],
    danglingOnly: true,
    stays: ["busybox:latest"],
    deletes: [],
  },
  {
    title: "P04 a dangling image, dangling images only",
    names: [],
    dangling: ["A"],
    danglingOnly: true,
    stays: [],
    deletes: ["{A}"],
  },
  {
    title: "P05 a dangling image that a created container uses",
    names: [],
    dangling: ["A"],
    containers: [{ image: "{A}", state: "created" }],
    danglingOnly: true,
    stays: ["moby-dangling@{A}"],
    deletes: [],
  },
  {
    title: "P10 one tag, spelled by ID without algorithm",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "{A:hex}", state: "running" }],
    stays: ["busybox:latest"],
    deletes: [],
  },
  {
    title: "P11 one tag, spelled by 8 digits",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "{A:8}", state: "created" }],
    stays: ["busybox:latest"],
    deletes: [],
  },
  {
    title: "P12 one tag, spelled by digest reference",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox@{A}", state: "exited" }],
    stays: ["busybox:latest"],
    deletes: [],
  },
  {
    title: "P14 two tags, spelled by ID",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [{ image: "{A}", state: "running" }],
    stays: ["busybox:latest"],
    deletes: [],
  },
  {
    title: "P18 two tags, spelled by tag and digest",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [{ image: "busybox:latest@{A}", state: "created" }],
    stays: ["busybox:latest"],
    deletes: [],
  },
  {
    title: "P20 two tags, spelled by name",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [{ image: "busybox", state: "created" }],
    stays: ["busybox:latest"],
    deletes: [],
  },
  {
    title: "P21 two tags, spelled by the other tag",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [{ image: "busybox:a", state: "running" }],
    stays: ["busybox:a"],
    deletes: [],
  },
  {
    title: "P22 two tags, spelled in full",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [{ image: "docker.io/library/busybox:a", state: "created" }],
    stays: ["busybox:a"],
    deletes: [],
  },
  {
    title: "P24 two tags, one container by ID and one by name",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [
      { image: "{A}", state: "created" },
      { image: "busybox:a", state: "created" },
    ],
    stays: ["busybox:a"],
    deletes: [],
  },
  {
    title: "P25 three tags, spelled by ID",
    names: [["A", "busybox:a", "busybox:b", "busybox:c"]],
    containers: [{ image: "{A:hex}", state: "exited" }],
    stays: ["busybox:c"],
    deletes: [],
  },
  {
    title: "P26 two repositories, spelled by ID",
    names: [["A", "alpine:1", "zrepo:1"]],
    containers: [{ image: "{A}", state: "created" }],
    stays: ["zrepo:1"],
    deletes: [],
  },
  {
    title: "P28 tag and digest reference, spelled by ID",
    names: [["A", "reg/r:latest", "reg/r@{A}"]],
    containers: [{ image: "{A}", state: "created" }],
    stays: ["reg/r@{A}"],
    deletes: [],
  },
  {
    title: "P30 tag and digest reference, spelled by digest reference",
    names: [["A", "reg/r:latest", "reg/r@{A}"]],
    containers: [{ image: "reg/r@{A}", state: "running" }],
    stays: ["reg/r@{A}"],
    deletes: [],
  },
  {
    title: "P31 tag and digest reference, spelled by tag and digest",
    names: [["A", "reg/r:latest", "reg/r@{A}"]],
    containers: [{ image: "reg/r:latest@{A}", state: "created" }],
    stays: ["reg/r:latest"],
    deletes: [],
  },
  {
    title: "P32 a name of tag and digest beside the tag, spelled by tag and digest",
    names: [["A", "busybox:latest", "busybox:latest@{A}"]],
    containers: [{ image: "busybox:latest@{A}", state: "created" }],
    stays: ["busybox:latest", "busybox:latest@{A}"],
    deletes: [],
  },
  {
    title: "P35 the tag moved on, the old image is dangling",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    later: [["B", "busybox:latest"]],
    stays: ["busybox:latest", "moby-dangling@{A}"],
    deletes: [],
  },
  {
    title: "the tag moved on by a load, the old image has another tag: the engine keeps it as a dangling image",
    names: [["A", "busybox:latest", "busybox:old"]],
    containers: [{ image: "busybox", state: "running" }],
    later: [["B", "busybox:latest"]],
    stays: ["busybox:latest", "moby-dangling@{A}"],
    deletes: [],
  },
  {
    title: "P36 the tag was moved by hand, the old image has another tag: a running container loses its image",
    names: [
      ["A", "busybox:latest", "busybox:old"],
      ["B", "other:1"],
    ],
    containers: [{ image: "busybox", state: "running" }],
    moved: [["other:1", "busybox:latest"]],
    stays: ["busybox:latest"],
    staysToo: ["busybox:old"],
    deletes: ["{A}"],
  },
  {
    title: "P36 the tag went and came back on another image: a running container loses its image",
    names: [["A", "busybox:latest", "busybox:old"]],
    containers: [{ image: "busybox", state: "running" }],
    untagged: ["busybox:latest"],
    later: [["B", "busybox:latest"]],
    stays: ["busybox:latest"],
    staysToo: ["busybox:old"],
    deletes: ["{A}"],
  },
  {
    title: "P34 only a digest reference is left, spelled by tag: a running container loses its image",
    names: [["A", "reg/r:latest", "reg/r@{A}"]],
    containers: [{ image: "reg/r:latest", state: "running" }],
    untagged: ["reg/r:latest"],
    stays: [],
    staysToo: ["reg/r@{A}"],
    deletes: ["{A}"],
  },
  {
    title: "P40 two tags, spelled by algorithm and 6 digits",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [{ image: "sha256:{A:6}", state: "created" }],
    stays: ["busybox:latest"],
    deletes: [],
  },
  {
    title: "P45 a label filter that the used image does not pass",
    names: [
      ["A", "busybox:a", "busybox:latest"],
      ["B", "other:1"],
    ],
    containers: [{ image: "{A}", state: "created" }],
    filter: "label=image=B",
    stays: ["busybox:a", "busybox:latest"],
    deletes: ["{B}"],
  },
  {
    title: "a negated label filter",
    names: [
      ["A", "busybox:a"],
      ["B", "other:1"],
    ],
    filter: "label!=image=B",
    stays: ["other:1"],
    deletes: ["{A}"],
  },
  {
    title: "P48 two images, each used by ID",
    names: [
      ["A", "x:1", "x:2"],
      ["B", "y:1", "y:2"],
    ],
    containers: [
      { image: "{A}", state: "running" },
      { image: "{B:hex}", state: "created" },
    ],
    stays: ["x:2", "y:2"],
    deletes: [],
  },
  {
    title: "P51 a name not in full form, used by that name: a running container loses its image",
    names: [["A", "busybox:latest", "raw busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    untagged: ["busybox:latest"],
    stays: [],
    staysToo: ["raw busybox:latest"],
    deletes: ["{A}"],
  },
  {
    title: "P53 an image that is only mounted: a running container loses it",
    names: [
      ["A", "busybox:latest"],
      ["B", "user:1"],
    ],
    containers: [{ image: "user:1", state: "running", mount: "busybox:latest" }],
    stays: ["user:1"],
    staysToo: ["busybox:latest"],
    deletes: ["{A}"],
  },
  {
    title: "P55 tags that differ in case",
    names: [["A", "busybox:A", "busybox:a"]],
    containers: [{ image: "{A}", state: "created" }],
    stays: ["busybox:a"],
    deletes: [],
  },
  {
    title: "P58 the names that CRI gives, spelled by ID",
    names: [["A", "reg/r:v1", "reg/r@{A}", "{A:config}"]],
    containers: [{ image: "{A}", state: "created" }],
    stays: ["{A:config}"],
    deletes: [],
  },
  {
    title: "a multi-platform image without uses",
    names: [["M", "multi:1"]],
    stays: [],
    deletes: ["{M}", "{A}", "{M:foreign}"],
  },
  {
    title: "two tags of a multi-platform image, spelled by ID",
    names: [["M", "multi:1", "multi:2"]],
    containers: [{ image: "{M}", state: "created" }],
    stays: ["multi:2"],
    deletes: [],
  },
  {
    title: "P78 a dangling record and a tag, spelled by ID",
    names: [],
    dangling: ["A"],
    containers: [{ image: "{A}", state: "created" }],
    later: [["A", "busybox:latest"]],
    stays: ["moby-dangling@{A}"],
    deletes: [],
  },
];
