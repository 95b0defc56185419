// Units of the simulation: milliseconds and bytes.

export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;
export const days = (count: number): number => count * 86_400_000;

export const mebibytes = 2 ** 20;
export const gibibytes = 2 ** 30;
