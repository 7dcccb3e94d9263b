/** Running a report: which, in which format, with which parameters (a form from the report's schema). */
import { Button, Drawer, Radio, Select } from 'antd';
import { useEffect, useId, useMemo, useState } from 'react';
import { take } from '@/api/client';
import type { ReportDefinition } from '@/api/models';
import { fieldsBelow, type ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { localized, useT } from '@/i18n';
import { defaultsOf, SchemaForm, validate, visibleValue, type JsonObject, type Schema } from '@/shared/schema-form';
import { useAction } from '@/shared/ui/act/action';
import { CopyAs } from '@/shared/ui/act/copy-as';
import { Link } from '@/shared/ui/link';
import { EmptyState, ErrorState } from '@/shared/ui/states';

const keyOf = (d: ReportDefinition) => `${d.installation}/${d.report}`;

/** Reports over a span of days start with the last thirty, when their schema names no default. */
function lastDays(schema: Schema): JsonObject {
  const { from, to } = schema.properties ?? {};
  if (from?.format !== 'date' || to?.format !== 'date') return {};
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  return { from: day(-29), to: day(1) };
}

export function RunReport({ open, definitions, onClose }: { open: boolean; definitions?: ReportDefinition[]; onClose: () => void }) {
  const { t, locale } = useT();
  const scope = useScope();
  const id = useId();
  const [chosen, setChosen] = useState<string>();
  const [format, setFormat] = useState<string>();
  const [params, setParams] = useState<JsonObject>({});
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const definition = definitions?.find((d) => keyOf(d) === chosen) ?? definitions?.[0];
  const schema = useMemo(() => (definition?.params_schema ?? {}) as Schema, [definition]);
  useEffect(() => {
    setParams({ ...lastDays(schema), ...(defaultsOf(schema) as JsonObject | undefined) });
    setFormat(definition?.formats[0]);
    setTried(false);
    setProblem(null);
  }, [schema, definition, open]);
  const body = { installation: definition?.installation ?? '', report: definition?.report ?? '', format: format ?? '', params: visibleValue(schema, params) };
  const run = useAction({
    run: () => take(scope.api.POST('/api/v1/report-runs', { body: body as never })),
    invalidate: [[scope.key, 'report-runs']],
    done: () => t('reports.started'),
    problem: (p) => {
      setProblem(p);
      return true;
    },
    after: onClose,
  });
  const local = tried ? validate(schema, params) : [];
  return (
    <Drawer
      open={open}
      onClose={onClose}
      size={460}
      title={t('reports.run')}
      footer={
        definition && (
          <div className="row spread">
            <CopyAs method="POST" path="/api/v1/report-runs" body={body} cli={['report', 'run', definition.report, '--format', format]} />
            <span className="row">
              <Button onClick={onClose}>{t('action.cancel')}</Button>
              <Button
                type="primary"
                loading={run.isPending}
                htmlType="submit"
                form={`${id}-form`}
                data-testid="report-submit"
              >
                {t('reports.run')}
              </Button>
            </span>
          </div>
        )
      }
    >
      {!definition ? (
        <EmptyState text={t('reports.none')} action={<Link to={scope.to('/plugins/enable')}>{t('plugins.enable')}</Link>} />
      ) : (
        <form
          id={`${id}-form`}
          noValidate
          onSubmit={(e) => {
            e.preventDefault();
            setTried(true);
            setProblem(null);
            if (validate(schema, params).length === 0) run.mutate();
          }}
        >
          {problem && <ErrorState compact error={problem} />}
          <div className="schema-row">
            <label htmlFor={id}>{t('reports.report')}</label>
            <Select id={id} style={{ width: '100%' }} value={keyOf(definition)} onChange={setChosen} options={(definitions ?? []).map((d) => ({ value: keyOf(d), label: localized(d.name, locale, d.report) }))} />
          </div>
          <div className="schema-row">
            <label id={`${id}-format`}>{t('reports.format')}</label>
            <Radio.Group aria-labelledby={`${id}-format`} optionType="button" value={format} onChange={(e) => setFormat(e.target.value as string)} options={definition.formats.map((f) => ({ value: f, label: f.toUpperCase() }))} />
          </div>
          <SchemaForm schema={schema} value={params} onChange={setParams} errors={[...local, ...(problem ? fieldsBelow(problem, '/params') : [])]} />
        </form>
      )}
    </Drawer>
  );
}
