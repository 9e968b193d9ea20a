/** An ACL object that rights rest on: a token by its accessor ID, a role by its ID, a policy by its name. */
export type AclRef = `token:${string}` | `role:${string}` | `policy:${string}`;
