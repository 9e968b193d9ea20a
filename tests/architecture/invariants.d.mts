export interface Invariant {
  readonly guarantee: string;
  readonly file: string;
  readonly line: string;
  readonly without: string;
  readonly test: string;
  readonly name: string;
}

export const invariants: readonly Invariant[];
