// One size of node in a process of its own: `node bench/decide-process.ts IMAGES CONTAINERS PLANS` prints the milliseconds of each plan.
import { syntheticState } from "./node-state.ts";
import { sameLists, timesOf } from "./plan-times.ts";

const [images = 0, containers = 0, repeats = 0] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(timesOf(syntheticState(images, containers), repeats, sameLists)));
