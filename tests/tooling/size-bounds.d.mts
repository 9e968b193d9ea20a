/** One row per way to use the client; `bytes` is the bound. */
export declare const clientSizes: readonly { readonly use: string; readonly code: string; readonly bytes: number }[];
