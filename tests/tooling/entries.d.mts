/** What tests read of it. */
export declare const entriesWithNodeTypes: readonly string[];
export declare const typescriptVersions: readonly string[];
