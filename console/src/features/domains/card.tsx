/** One domain: its state in words, the records to publish, and what can be done. */
import { useQueryClient } from '@tanstack/react-query';
import { Button, Tag } from 'antd';
import { take } from '@/api/client';
import type { Domain } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { CopyButton } from '@/shared/ui/copyable';
import { Section } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';

export function DomainCard({ domain, writable, onRemove }: { domain: Domain; writable: boolean; onRemove: () => void }) {
  const { t, tv } = useT();
  const scope = useScope();
  const client = useQueryClient();
  const key = [scope.key, 'domains'];
  const path = { params: { path: { domain: domain.domain } } };
  const works = domain.status === 'verified' || domain.status === 'failing';
  const verify = useAction({
    run: () => take(scope.api.POST('/api/v1/domains/{domain}/verify', path)),
    invalidate: [key],
    done: () => t('domains.now_verified', { domain: domain.domain }),
    // The refusal is shown as such; the reason is kept with the domain too.
    problem: () => {
      void client.invalidateQueries({ queryKey: key });
      return false;
    },
  });
  const prefer = useAction({
    run: () => take(scope.api.POST('/api/v1/domains/{domain}/primary', path)),
    invalidate: [key, [scope.key, 'tenant'], ['root', 'tenants']],
    done: () => t('domains.now_primary', { domain: domain.domain }),
  });
  return (
    <Section
      id={`domain-${domain.domain}`}
      title={
        <span className="row" data-testid="domain" data-domain={domain.domain}>
          <code>{domain.domain}</code>
          <Status value={domain.status} prefix="domain_status" />
          {domain.primary && <Tag>{t('domains.primary')}</Tag>}
        </span>
      }
      extra={
        writable && (
          <>
            {works && !domain.primary && (
              <Button size="small" onClick={() => prefer.mutate()} loading={prefer.isPending} data-testid="domain-primary">
                {t('domains.make_primary')}
              </Button>
            )}
            <Button
              size="small"
              type={works ? 'default' : 'primary'}
              onClick={() => verify.mutate()}
              loading={verify.isPending}
              data-testid="domain-verify"
            >
              {t('domains.verify')}
            </Button>
            <Button size="small" type="text" danger onClick={onRemove} data-testid="domain-remove">
              {t('action.remove')}
            </Button>
          </>
        )
      }
    >
      <div className="stack">
        {domain.last_error && (
          <p role="status" data-testid="domain-error">
            {tv('domain_error', domain.last_error)}
          </p>
        )}
        {domain.works_until && (
          <p>
            {t('domains.works_until')} <RelativeTime value={domain.works_until} />
          </p>
        )}
        {(!works || domain.status === 'failing') && (
          <>
            <p className="muted">{t('domains.publish')}</p>
            <Record kind={domain.challenge.kind} name={domain.challenge.name} value={domain.challenge.value} />
          </>
        )}
        {domain.target && !works && (
          <>
            <p className="muted">{t('domains.point')}</p>
            <Record kind="CNAME" name={domain.domain} value={domain.target} />
          </>
        )}
        <p className="muted small">
          {domain.checked_at ? (
            <>
              {t('domains.checked')} <RelativeTime value={domain.checked_at} />
            </>
          ) : (
            t('domains.never_checked')
          )}
        </p>
      </div>
    </Section>
  );
}

function Record({ kind, name, value }: { kind: string; name: string; value: string }) {
  const { t } = useT();
  return (
    <dl className="facts" data-testid={`record-${kind}`}>
      <div>
        <dt>{t('domains.record_kind')}</dt>
        <dd>
          <code>{kind}</code>
        </dd>
      </div>
      <div>
        <dt>{t('domains.record_name')}</dt>
        <dd>
          <code>{name}</code> <CopyButton text={name} />
        </dd>
      </div>
      <div>
        <dt>{t('domains.record_value')}</dt>
        <dd>
          <code>{value}</code> <CopyButton text={value} />
        </dd>
      </div>
    </dl>
  );
}
