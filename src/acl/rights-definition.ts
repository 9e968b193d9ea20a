/** What the rules of one block may say. */
export interface BlockRights {
  /** What a rule may list. `deny` can always be listed where anything can, and takes all else away. */
  readonly capabilities: readonly string[];
  /** Short names that a rule may give as its `policy`, and what each stands for. `deny` is always one. Default none. */
  readonly levels?: Readonly<Record<string, readonly string[]>>;
  /** Capabilities that a level alone grants: a rule cannot list them. Default none. */
  readonly byLevel?: readonly string[];
  /** Capabilities that bring others with them. Default none. */
  readonly implies?: Readonly<Record<string, readonly string[]>>;
  /**
   * Whether each rule names what it is for, as those of `namespace` always do. A topic that needs such a right needs it
   * under every name, since its events say none. Default false.
   */
  readonly isNamed?: boolean;
  /** Another name of the block. */
  readonly alias?: string;
  /** Checked and otherwise ignored: no topic can need it. Default false. */
  readonly isIgnored?: boolean;
  /** Further members of a rule: each is checked by its function, which throws, and otherwise ignored. Default none. */
  readonly members?: Readonly<Record<string, (value: unknown, place: string) => void>>;
}

/** Blocks of rights. `namespace` is the one whose rules are about an event's namespace. */
export type RightsDefinition = Readonly<Record<string, BlockRights>>;

/** By block, the capabilities that a topic may need. */
export type NeedsOf<D extends RightsDefinition> = {
  readonly [B in keyof D & string as B | (D[B] extends { readonly alias: infer A extends string } ? A : never)]:
    | D[B]['capabilities'][number]
    | (D[B] extends { readonly byLevel: readonly (infer C extends string)[] } ? C : never);
};
