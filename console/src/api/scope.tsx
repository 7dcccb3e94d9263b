/** Whose API a page talks to and where its links lead: the same tenant pages serve the tenant's own console and the operator's. */
import { createContext, useContext, type ReactNode } from 'react';
import type { Api, ApiHandle } from './client';
import type { Session } from './models';

/** Who is at the other end: the people who run the platform, or a tenant's own. */
export type Realm = 'operator' | 'tenant';

export function realmOf(text: string): Realm {
  return text === 'operator' ? 'operator' : 'tenant';
}

export interface Scope {
  api: Api;
  /** Prefix of API paths, for downloads, live streams and "copy as curl". */
  apiBase: string;
  /** Distinguishes cached answers of different tenants. */
  key: string;
  realm: Realm;
  session: Session;
  /** A console path inside this scope: `to('/orders')` → `/orders` or `/tenants/acme/orders`. */
  to(path: string): string;
  /** Whether the signed-in person holds a permission; the server decides, this only hides what would be refused. */
  can(permission: string): boolean;
}

export function makeScope(handle: ApiHandle, session: Session, linkBase: string): Scope {
  const held = new Set(session.permissions);
  return {
    api: handle.api,
    apiBase: handle.base,
    key: handle.base || 'root',
    realm: realmOf(session.realm),
    session,
    to: (path) => (path === '/' && linkBase ? linkBase : `${linkBase}${path}`),
    can: (permission) => held.has(permission),
  };
}

const ScopeContext = createContext<Scope | null>(null);

export function ScopeProvider({ scope, children }: { scope: Scope; children: ReactNode }) {
  return <ScopeContext.Provider value={scope}>{children}</ScopeContext.Provider>;
}

export function useScope(): Scope {
  const scope = useContext(ScopeContext);
  if (!scope) throw new Error('useScope needs a ScopeProvider above it');
  return scope;
}
