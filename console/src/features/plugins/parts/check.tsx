/** Asks the plugin whether its settings work, quickly or by really talking to the other side. */
import { CheckCircleFilled, CloseCircleFilled } from '@ant-design/icons';
import { Button } from 'antd';
import { useEffect, useRef } from 'react';
import { take } from '@/api/client';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Section } from '@/shared/ui/page';
import { ErrorState } from '@/shared/ui/states';

export function CheckPanel({ installation, auto = false }: { installation: string; auto?: boolean }) {
  const { t } = useT();
  const scope = useScope();
  const check = useAction({
    run: (deep: boolean) => take(scope.api.POST('/api/v1/installations/{installation}/check', { params: { path: { installation } }, body: { deep } })),
    invalidate: [[scope.key, 'calls', installation]],
    // The panel itself shows what went wrong.
    problem: () => true,
  });
  const started = useRef(false);
  useEffect(() => {
    if (!auto || started.current) return;
    started.current = true;
    check.mutate(false);
  }, [auto, check]);
  const findings = check.data?.findings ?? [];
  return (
    <Section
      title={t('plugins.check')}
      extra={
        <>
          <Button size="small" loading={check.isPending && check.variables === false} onClick={() => check.mutate(false)} data-testid="check">
            {t('plugins.check_settings')}
          </Button>
          <Button size="small" loading={check.isPending && check.variables === true} onClick={() => check.mutate(true)} data-testid="check-deep">
            {t('plugins.check_connection')}
          </Button>
        </>
      }
    >
      {check.isError ? (
        <ErrorState compact error={check.error} />
      ) : !check.data ? (
        <p className="muted">{t('plugins.check_text')}</p>
      ) : findings.length === 0 ? (
        <p className="ok">
          <CheckCircleFilled /> {t('plugins.check_ok')}
        </p>
      ) : (
        <ul className="findings" data-testid="findings">
          {findings.map((f, i) => (
            <li key={i} className={f.ok ? 'ok' : 'bad'}>
              {f.ok ? <CheckCircleFilled aria-label={t('word.yes')} /> : <CloseCircleFilled aria-label={t('word.no')} />}
              <span>
                {f.field && <code>{f.field}</code>} {f.message}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
