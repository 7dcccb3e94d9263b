/** What was cut from an installation, who did it, and what can be done about it. */
import { Button } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Installation } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Link } from '@/shared/ui/link';
import { Notice } from '@/shared/ui/notice';
import { Section } from '@/shared/ui/page';
import { Hint } from '@/shared/ui/states';
import { groupCuts, imposed, type CutBy } from './cut-words';

export function Cuts({ installation }: { installation: Installation }) {
  const { t } = useT();
  const groups = groupCuts(installation.cuts);
  return (
    <Section title={t('cuts.title')}>
      <div data-testid="cuts">
        {groups.length === 0 && <p className="muted">{t('cuts.none')}</p>}
        {groups.map(({ by, lines }) => (
          <section key={by} className="cut-group" data-by={by}>
            <h3>{t(`cuts.by_${by}`)}</h3>
            <ul>
              {lines.map((line) => (
                <li key={line.key}>{line.text}</li>
              ))}
            </ul>
            <WayOut by={by} installation={installation} lines={lines.map((l) => l.text)} />
          </section>
        ))}
      </div>
    </Section>
  );
}

function WayOut({ by, installation: i, lines }: { by: CutBy; installation: Installation; lines: string[] }) {
  const { t } = useT();
  const scope = useScope();
  const [asking, setAsking] = useState(false);
  const operator = scope.realm === 'operator';
  const give = useAction({
    run: () => {
      // What is left out of the grants is given as declared. Hosts on the inside stay as they are, which only operators have to say.
      const grants = operator ? { private_hosts: (i.grants as { private_hosts?: string[] }).private_hosts ?? [] } : {};
      return take(scope.api.PATCH('/api/v1/installations/{installation}', { params: { path: { installation: i.id } }, body: { grants } as never }));
    },
    invalidate: [[scope.key, 'installations']],
    done: () => t('cuts.given'),
    after: () => setAsking(false),
  });
  if (by !== 'tenant') {
    return (
      <>
        <Hint text={operator ? t(`cuts.hint_${by}_here`) : t(`cuts.hint_${by}`)} />
        {operator && scope.can('platform.plugin:read') && <Link to={scope.to('/limits')}>{t('limits.tab')}</Link>}
      </>
    );
  }
  return (
    <>
      <Hint text={scope.can('plugin:write') ? t('cuts.hint_tenant') : t('cuts.hint_tenant_ask')} />
      {scope.can('plugin:write') && (
        <Button size="small" onClick={() => setAsking(true)} data-testid="cuts-give">
          {t('cuts.give')}
        </Button>
      )}
      <Confirm
        open={asking}
        title={t('cuts.give_title', { name: i.name })}
        consequences={
          <ul>
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        }
        confirmLabel={t('cuts.give')}
        danger={false}
        busy={give.isPending}
        onConfirm={() => give.mutate()}
        onCancel={() => setAsking(false)}
      />
    </>
  );
}

/** Above the page, where somebody else than the tenant cut something. */
export function CutsNotice({ installation, onShow }: { installation: Installation; onShow: () => void }) {
  const { t } = useT();
  const n = imposed(installation.cuts).length;
  if (n === 0) return null;
  return (
    <Notice
      tone="warn"
      testId="installation-cut"
      title={t('cuts.notice')}
      actions={
        <Button onClick={onShow} data-testid="cuts-show">
          {t('cuts.show')}
        </Button>
      }
    >
      <p className="muted">{t('cuts.notice_text', { n })}</p>
    </Notice>
  );
}
