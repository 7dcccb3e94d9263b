/** Where this console was loaded from and what the server said about itself. */
import { createContext, useContext } from 'react';
import type { ApiHandle } from '@/api/client';
import type { Meta } from '@/api/models';
import type { Realm } from '@/api/scope';

export interface Place {
  /** Prefix of every API call: empty, or `/t/acme` when the tenant is named by path. */
  apiBase: string;
  /** Where the router's paths begin. */
  basePath: string;
}

/** `/t/acme/console/orders` is acme's console by path; everything else takes the realm from the host. */
export function locateConsole(pathname: string): Place {
  const match = /^(\/t\/[a-z0-9][a-z0-9-]*)\/console(?:\/|$)/.exec(pathname);
  return match ? { apiBase: match[1]!, basePath: `${match[1]}/console` } : { apiBase: '', basePath: '/console' };
}

export interface ConsoleInfo {
  meta: Omit<Meta, 'realm'> & { realm: Realm };
  handle: ApiHandle;
  place: Place;
}

const ConsoleContext = createContext<ConsoleInfo | null>(null);
export const ConsoleProvider = ConsoleContext.Provider;

export function useConsole(): ConsoleInfo {
  const info = useContext(ConsoleContext);
  if (!info) throw new Error('useConsole needs a ConsoleProvider above it');
  return info;
}
