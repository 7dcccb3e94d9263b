/** One field: label, control, help, error; tied together for screen readers. */
import { useId } from 'react';
import type { FieldProblem } from '@/api/problem';
import { useT } from '@/i18n';
import type { SecretState } from './form';
import type { Field, Json, JsonObject, Schema } from './schema';
import { Control } from './widgets';

export interface RowProps {
  field: Field;
  value: Json;
  onChange: (value: Json) => void;
  /** The JSON pointer of this value. */
  pointer: string;
  errors: FieldProblem[];
  secrets?: SecretState;
  disabled?: boolean;
  root: Schema;
  rootValue: JsonObject;
  /** The group's title above says the same already. */
  titled?: boolean;
}

/** The errors of this field: its own, and for values drawn as one control also those inside it. */
export function errorsOf(field: Field, pointer: string, errors: FieldProblem[]): FieldProblem[] {
  const nested = field.widget === 'object' || field.widget === 'list';
  return errors.filter((e) => e.pointer === pointer || (!nested && e.pointer.startsWith(`${pointer}/`)) || (field.secret !== null && e.pointer === `/secrets/${field.secret}`));
}

export function Row(props: RowProps) {
  const { t } = useT();
  const id = useId();
  const { field } = props;
  const problems = errorsOf(field, props.pointer, props.errors);
  const describedBy = [field.description ? `${id}-help` : '', problems.length > 0 ? `${id}-error` : ''].filter(Boolean).join(' ') || undefined;
  const inline = field.widget === 'switch';
  const boxed = field.widget === 'object' || field.widget === 'list';
  const control = <Control {...props} id={id} describedBy={describedBy} invalid={problems.length > 0} />;
  const label = (
    <label htmlFor={boxed ? undefined : id} id={`${id}-label`} className={props.titled && boxed ? 'visually-hidden' : undefined}>
      {field.title}
      {!field.required && field.schema.default === undefined && field.widget !== 'switch' && <span className="muted small"> {t('form.optional')}</span>}
    </label>
  );
  return (
    <div className={`schema-row${boxed ? ' boxed' : ''}`} data-pointer={props.pointer} data-testid={`field-${field.key}`}>
      {inline ? (
        <div className="row">
          {control}
          {label}
        </div>
      ) : (
        <>
          {label}
          {boxed && field.description && (
            <p id={`${id}-help`} className="field-help">
              {field.description}
            </p>
          )}
          {control}
        </>
      )}
      {!boxed && field.description && (
        <p id={`${id}-help`} className="field-help">
          {field.description}
        </p>
      )}
      {problems.length > 0 && (
        <p id={`${id}-error`} className="field-error" role="alert">
          {problems.map((p) => p.message).join(' ')}
          {problems.map((p) => p.hint && <span key={p.hint} className="field-hint">{p.hint}</span>)}
        </p>
      )}
    </div>
  );
}
