/** Setting what plugins may do and use: for a plan, or for one tenant over its plan. */
import { Form, InputNumber } from 'antd';
import type { PluginTerms } from '@/api/models';
import { useT } from '@/i18n';
import { FormDrawer } from '@/shared/ui/form/drawer';
import { REACHING } from '../ceiling/ceiling';
import { BytesInput, ListBound, SecondsInput } from '../controls';
import { FIGURES, formatFigure, KINDS, LEAST, LISTS, TERMS, termsBody, unitOf, type Figure } from './terms';

export interface TermsFormProps {
  title: string;
  terms: PluginTerms;
  /** What holds where nothing is set here. */
  base?: PluginTerms;
  /** Path of the API, and what the `aistack` command calls them: `--plan free`. */
  path: string;
  cli: string[];
  put: (terms: PluginTerms) => Promise<unknown>;
  invalidate: unknown[][];
  onSaved: () => void;
  onClose: () => void;
}

export function TermsForm({ title, terms, base, path, cli, put, invalidate, onSaved, onClose }: TermsFormProps) {
  const { t, tv } = useT();
  // Where a tenant has nothing of its own the plan's value shows through.
  const beneath = (figure: Figure) => (base ? (base[figure] === null ? t('terms.as_plan_open') : t('terms.as_plan', { value: formatFigure(figure, base[figure]) })) : t('bound.none'));
  const field = (figure: Figure) => {
    const placeholder = beneath(figure);
    switch (unitOf(figure)) {
      case 'bytes':
        return <BytesInput placeholder={placeholder} />;
      case 'ms':
        return <SecondsInput placeholder={placeholder} />;
      default:
        return <InputNumber min={LEAST[figure]} precision={0} placeholder={placeholder} style={{ width: '100%' }} />;
    }
  };
  return (
    <FormDrawer<PluginTerms, unknown>
      name="terms"
      title={title}
      initial={terms}
      unmarked
      fields={TERMS}
      run={(v) => put(termsBody(v))}
      invalidate={invalidate}
      copy={(v) => ({ method: 'PUT', path, body: termsBody(v), cli: ['plugin', 'limits', 'set', ...cli, '--terms', JSON.stringify(termsBody(v))] })}
      after={onSaved}
      onClose={onClose}
    >
      {() => (
        <>
          <p className="muted">{base ? t('terms.form_tenant') : t('terms.form_plan')}</p>
          {LISTS.map((name) => {
            const values = name === 'kinds' ? KINDS : REACHING;
            const prefix = name === 'kinds' ? 'kind' : 'interface';
            return (
              <Form.Item key={name} name={name} extra={name === 'interfaces' ? t('bound.interfaces_help') : undefined} data-testid={`term-${name}`}>
                <ListBound label={t(`terms.only_${name}`)} options={values.map((value) => ({ value, label: tv(prefix, value) }))} start={base?.[name] ?? values} />
              </Form.Item>
            );
          })}
          <div className="grid-2">
            {FIGURES.map((figure) => (
              <Form.Item key={figure} name={figure} label={t(`terms.${figure}`)} extra={t(`terms_hint.${figure}`)}>
                {field(figure)}
              </Form.Item>
            ))}
          </div>
        </>
      )}
    </FormDrawer>
  );
}
