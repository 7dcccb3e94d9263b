/** A ceiling as it stands, with what may be done to it. */
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import type { Api } from '@/api/client';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatBytes, formatNumber } from '@/shared/format';
import { useAction, useUndo } from '@/shared/ui/act/action';
import { Facts } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { Status } from '@/shared/ui/status';
import { ceilingKey, getCeiling, putCeiling, type Whose } from './calls';
import { boundMembers, isOpen, OPEN, type Bounds, type Ceiling, type Declared } from './ceiling';
import { CeilingForm } from './form';

export interface CeilingPanelProps {
  /** The platform's own API, also on pages that speak for a tenant. */
  api: Api;
  whose: Whose;
  declared: Declared;
}

export function CeilingPanel({ api, whose, declared }: CeilingPanelProps) {
  const { t } = useT();
  const scope = useScope();
  const undo = useUndo();
  const [editing, setEditing] = useState(false);
  const key = ceilingKey(whose);
  const query = useQuery({ queryKey: key, queryFn: () => getCeiling(api, whose) });
  // What is in force in a tenant is shown with its plugins.
  const invalidate = [key, ...(whose.tenant ? [[`/t/${whose.tenant}`, 'installations']] : [])];
  const back = (before: Ceiling) => () => putCeiling(api, whose, before);
  const clear = useAction<Ceiling>({
    run: () => putCeiling(api, whose, OPEN),
    invalidate,
    after: (_, before) => undo(t('ceiling.cleared'), back(before)),
  });
  if (query.isError) return <ErrorState compact error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <PageSkeleton />;
  const ceiling = query.data;
  const open = isOpen(ceiling);
  const size = whose.tenant ? 'small' : undefined;
  return (
    <div className="stack" data-testid={whose.tenant ? 'ceiling-tenant' : 'ceiling'} data-open={open}>
      {open ? <p className="muted">{whose.tenant ? t('ceiling.none_in') : t('ceiling.none')}</p> : <CeilingFacts ceiling={ceiling} />}
      {scope.can('platform.plugin:write') && (
        <div className="row wrap">
          <Button size={size} type={open && !whose.tenant ? 'primary' : 'default'} onClick={() => setEditing(true)} data-testid={whose.tenant ? 'ceiling-tenant-set' : 'ceiling-set'}>
            {open ? t('ceiling.set') : t('ceiling.change')}
          </Button>
          {!open && (
            <Button size={size} loading={clear.isPending} onClick={() => clear.mutate(ceiling)} data-testid={whose.tenant ? 'ceiling-tenant-clear' : 'ceiling-clear'}>
              {t('ceiling.clear')}
            </Button>
          )}
        </div>
      )}
      {editing && (
        <CeilingForm
          api={api}
          whose={whose}
          ceiling={ceiling}
          declared={declared}
          invalidate={invalidate}
          onSaved={() => undo(t('ceiling.saved'), back(ceiling))}
          onClose={() => setEditing(false)}
        />
      )}
    </div>
  );
}

function CeilingFacts({ ceiling: { allowed, grants } }: { ceiling: Ceiling }) {
  const { t } = useT();
  if (!allowed) {
    return (
      <p>
        <Status value="forbidden" prefix="ceiling_state" /> <span className="muted">{t('ceiling.forbids_text')}</span>
      </p>
    );
  }
  return <Facts items={boundMembers(grants).map((name) => [t(`bound_short.${name}`), <Bound key={name} grants={grants} name={name} />])} />;
}

function Bound({ grants, name }: { grants: Bounds; name: keyof Bounds }) {
  const { t } = useT();
  const codes = (items: string[]) => (items.length > 0 ? <span className="codes">{items.map((i) => <code key={i}>{i}</code>)}</span> : <span className="bad">{t('bound.nothing_short')}</span>);
  if (name === 'kv_bytes') return <>{t('bound.at_most', { n: formatBytes(grants.kv_bytes ?? 0) })}</>;
  if (name === 'kv_keys') return <>{t('bound.at_most', { n: formatNumber(grants.kv_keys ?? 0) })}</>;
  if (name !== 'secrets') return codes(grants[name] ?? []);
  const secrets = Object.entries(grants.secrets ?? {});
  if (secrets.length === 0) return codes([]);
  return (
    <ul className="plain-list">
      {secrets.map(([secret, b]) => (
        <li key={secret}>
          <code className="strong">{secret}</code> <span className="muted">{b.uses.join(', ')}</span>
          {b.hosts.length > 0 && <span className="muted"> → {b.hosts.join(', ')}</span>}
        </li>
      ))}
    </ul>
  );
}
