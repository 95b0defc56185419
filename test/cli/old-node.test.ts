// Which Node.js may run the program.
import { expect, it } from "vitest";
import { refuseOldNode } from "../../src/cli/old-node.ts";

it("a Node.js that is too old is named with the one that is needed, and ends with code 2", () => {
  const refuse = () => refuseOldNode("20.20.2");

  expect(refuse).toThrow(/Node\.js 24 or later is needed, and this is 20\.20\.2: start it with npm start/);
  expect(refuse).toThrow(expect.objectContaining({ exitCode: 2 }));
});

it.each(["24.0.0", "25.1.0", process.versions.node])("Node.js %s is taken", (running) => {
  expect(() => refuseOldNode(running)).not.toThrow();
});
