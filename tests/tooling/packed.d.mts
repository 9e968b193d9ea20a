/** The package as a user gets it. @returns the path of the tarball, in `folder` */
export declare function pack(folder: string): Promise<string>;
