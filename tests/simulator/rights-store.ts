import type { Acl } from '../../src/acl/acl.ts';
import { AclResolver, type AclSource } from '../../src/acl/acl-resolver.ts';
import type { AclRef } from '../../src/model/acl-ref.ts';
import type { Clock } from '../../src/model/clock.ts';
import { nomadRights } from '../../src/nomad/index.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { FenceStore } from '../properties/fence-store.ts';
import type { StoreMode as FenceStoreMode } from '../properties/fence-steps.ts';
import type { PolicyValue, TokenValue } from './steps.ts';

/** How rights are answered from now on; `nonsense`: with what is no Acl. */
export type StoreMode = FenceStoreMode | 'nonsense';

export const secretOf = (who: string): string => `s3cret-of-${who}`;

/** The ACL store that all processes of a world ask, with its faults. */
export class RightsStore {
  readonly #store: FenceStore;
  #isNonsense = false;

  constructor(clock: VirtualClock) {
    this.#store = new FenceStore(clock);
  }

  commit(ref: AclRef, value: TokenValue | PolicyValue | undefined): void {
    if (value === undefined) this.#store.commit(ref, undefined);
    else if ('policies' in value) this.#store.commit(ref, { ...value, roles: [], expiresAt: value.expiresAt });
    else this.#store.commit(ref, Object.fromEntries(value.map((name) => [name, 'read' as const])));
  }

  /** What one process asks. */
  source(clock: Clock): AclSource {
    const resolver = new AclResolver({ rights: nomadRights, store: this.#store.source, clock });
    return {
      rights: nomadRights,
      resolve: (secret) => this.#orNonsense(() => resolver.resolve(secret)),
      changed: (refs) => resolver.changed(refs),
      allChanged: () => resolver.allChanged(),
    };
  }

  /** What a host's own function answers. */
  rightsOf(who: string): Promise<Acl> {
    return this.#orNonsense(() => this.#store.rightsOf(who, false));
  }

  setMode(mode: StoreMode): void {
    this.#isNonsense = mode === 'nonsense';
    this.#store.setMode(mode === 'nonsense' ? 'healthy' : mode);
  }

  release(count: number): void {
    this.#store.release(count);
  }

  async #orNonsense(answer: () => Acl | Promise<Acl>): Promise<Acl> {
    return this.#isNonsense ? ({ meets: true, dependsOn: 'all' } as unknown as Acl) : answer();
  }
}
