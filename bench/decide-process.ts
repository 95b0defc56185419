// One size of node in a process of its own: `node bench/decide-process.ts IMAGES CONTAINERS PLANS` prints the milliseconds of each plan, in an agent's heap.
import { growSparingly } from "../src/cli/give-memory-back.ts";
import { syntheticState } from "./node-state.ts";
import { sameLists, timesOf } from "./plan-times.ts";

growSparingly();
const [images = 0, containers = 0, repeats = 0] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(timesOf(syntheticState(images, containers), repeats, sameLists)));
