export function importPackage(name: string): Promise<unknown>;
