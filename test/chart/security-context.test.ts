// What the pod is allowed on its node. Of the Pod Security level "baseline" it breaks one rule only: host paths.
import { expect, test } from "vitest";
import { at, describeHelm, render } from "./helm.ts";
import { scenarios } from "./scenarios.ts";

describeHelm("the security context", ["helm3"], () => {
  test.each(Object.entries(scenarios))("takes everything away but the user: %s", async (_name, values) => {
    const rendered = await render(values);

    expect(at(rendered.container(), "securityContext")).toEqual({
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(at(rendered.pod(), "securityContext")).toEqual({
      runAsUser: 0,
      runAsGroup: 0,
      seccompProfile: { type: "RuntimeDefault" },
    });
  });

  test.each(Object.entries(scenarios))("shares no namespace and no port of the node: %s", async (_name, values) => {
    const rendered = await render(values);

    for (const field of ["hostPID", "hostIPC", "hostNetwork", "initContainers", "shareProcessNamespace"]) {
      expect(at(rendered.pod(), field)).toBeUndefined();
    }
    expect(JSON.stringify(rendered.container())).not.toContain("hostPort");
    expect(at(rendered.pod(), "containers")).toHaveLength(1);
  });

  test("leaves SELinux to the runtime unless told otherwise", async () => {
    const rendered = await render({ seLinuxOptions: { type: "spc_t" } });

    expect(at(rendered.container(), "securityContext", "seLinuxOptions")).toEqual({ type: "spc_t" });
  });

  test("mounts from the node only the socket's folder, to read, and the state folder, to write", async () => {
    const rendered = await render();

    const paths = volumesOf(rendered.pod()).flatMap((volume) => at(volume, "hostPath", "path") ?? []);
    expect(paths).toEqual(["/run/containerd", "/var/lib/prunelet"]);
    expect(writable(rendered.container())).toEqual(["/var/lib/prunelet"]);
  });

  test("mounts the runtime's data only when asked, and never to write", async () => {
    const rendered = await render(scenarios["everything"]);

    const paths = volumesOf(rendered.pod()).flatMap((volume) => at(volume, "hostPath", "path") ?? []);
    expect(paths).toEqual(["/run/k3s/containerd", "/var/lib/prunelet", "/var/lib/rancher/k3s/agent/containerd"]);
    expect(writable(rendered.container())).toEqual(["/var/lib/prunelet"]);
  });
});

function volumesOf(pod: unknown): readonly unknown[] {
  return at(pod, "volumes") as readonly unknown[];
}

function writable(container: unknown): readonly unknown[] {
  const mounts = at(container, "volumeMounts") as readonly unknown[];
  return mounts.filter((mount) => at(mount, "readOnly") !== true).map((mount) => at(mount, "mountPath"));
}
