/** The calls about ceilings: over a plugin everywhere, or in one tenant. */
import { take, type Api } from '@/api/client';
import type { PluginCeiling } from '@/api/models';
import { ceilingBody, isOpen, readCeiling, type Ceiling } from './ceiling';

export interface Whose {
  plugin: string;
  /** Slug of the tenant; `null` for all of them. */
  tenant: string | null;
}

/** What a ceiling is remembered under. */
export const ceilingKey = ({ plugin, tenant }: Whose): unknown[] => ['root', 'ceilings', plugin, tenant ?? ''];

export function ceilingPath({ plugin, tenant }: Whose): string {
  return tenant ? `/api/v1/tenants/${tenant}/plugins/${plugin}/ceiling` : `/api/v1/plugins/${plugin}/ceiling`;
}

/** The same as an `aistack` command. */
export function ceilingArguments({ plugin, tenant }: Whose, ceiling: Ceiling): string[] {
  const body = ceilingBody(ceiling);
  return ['plugin', 'ceiling', 'set', plugin, ...(tenant ? ['--tenant', tenant] : []), '--grants', JSON.stringify(body.grants), ...(ceiling.allowed ? [] : ['--forbid'])];
}

export async function getCeiling(api: Api, { plugin, tenant }: Whose): Promise<Ceiling> {
  const answer = tenant
    ? take(api.GET('/api/v1/tenants/{tenant}/plugins/{plugin}/ceiling', { params: { path: { tenant, plugin } } }))
    : take(api.GET('/api/v1/plugins/{plugin}/ceiling', { params: { path: { plugin } } }));
  return readCeiling(await answer);
}

/** Sets it; one that lets everything through is taken away instead. */
export async function putCeiling(api: Api, { plugin, tenant }: Whose, ceiling: Ceiling): Promise<void> {
  const body: PluginCeiling = ceilingBody(ceiling);
  if (tenant) {
    const params = { path: { tenant, plugin } };
    await take<unknown>(isOpen(ceiling) ? api.DELETE('/api/v1/tenants/{tenant}/plugins/{plugin}/ceiling', { params }) : api.PUT('/api/v1/tenants/{tenant}/plugins/{plugin}/ceiling', { params, body }));
  } else {
    const params = { path: { plugin } };
    await take<unknown>(isOpen(ceiling) ? api.DELETE('/api/v1/plugins/{plugin}/ceiling', { params }) : api.PUT('/api/v1/plugins/{plugin}/ceiling', { params, body }));
  }
}
