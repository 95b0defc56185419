// Where the chart's rules are.
import { join } from "node:path";

export const ruleFile = join(import.meta.dirname, "../../charts/prunelet/files/rules.yaml");
