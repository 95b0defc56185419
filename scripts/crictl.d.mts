/** The path of crictl, or the reason why there is none. */
export function installCrictl(): { readonly path?: string; readonly missing?: string };
