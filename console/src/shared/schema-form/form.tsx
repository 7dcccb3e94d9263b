/** The form of any JSON Schema: groups, rows, and the errors of the server beside the field they speak of. */
import { useMemo } from 'react';
import { pointerPath, type FieldProblem } from '@/api/problem';
import { useT } from '@/i18n';
import { Row } from './row';
import { fieldsOf, groupsOf, resolve, type JsonObject, type Schema } from './schema';
import { escapePointer, isShown, withKey } from './values';

export interface SecretState {
  /** Names that have a value on the server. It cannot be read back. */
  stored: ReadonlySet<string>;
  /** What was typed now, to be sent. */
  typed: Record<string, string>;
  onType: (name: string, value: string | undefined) => void;
}

export interface SchemaFormProps {
  schema: Schema;
  value: JsonObject;
  onChange: (value: JsonObject) => void;
  errors?: FieldProblem[];
  secrets?: SecretState;
  disabled?: boolean;
}

export function SchemaForm(props: SchemaFormProps) {
  const known = useMemo(() => props.errors ?? [], [props.errors]);
  const orphans = known.filter((e) => pointerPath(e.pointer).length === 0);
  return (
    <div className="schema-form">
      {orphans.map((e) => (
        <p key={e.message} className="field-error" role="alert">
          {e.message}
        </p>
      ))}
      <ObjectFields {...props} errors={known} root={props.schema} rootValue={props.value} base="" />
    </div>
  );
}

export interface ObjectFieldsProps extends SchemaFormProps {
  errors: FieldProblem[];
  root: Schema;
  rootValue: JsonObject;
  /** The JSON pointer of this object. */
  base: string;
}

/** The fields of one object; used again for objects inside objects and inside lists. */
export function ObjectFields({ schema, value, onChange, errors, secrets, disabled, root, rootValue, base }: ObjectFieldsProps) {
  const { locale } = useT();
  const groups = useMemo(() => groupsOf(fieldsOf(resolve(schema, root), root, locale), root, locale), [schema, root, locale]);
  return (
    <>
      {groups.map((group) => {
        const fields = group.fields.filter((f) => isShown(f.showIf, value, rootValue));
        if (fields.length === 0) return null;
        const rows = fields.map((field) => {
          const pointer = `${base}/${escapePointer(field.key)}`;
          return (
            <Row
              key={field.key}
              field={field}
              value={value[field.key]}
              onChange={(next) => onChange(withKey(value, field.key, next))}
              pointer={pointer}
              errors={errors}
              secrets={secrets}
              disabled={disabled}
              root={root}
              rootValue={rootValue}
              titled={fields.length === 1 && group.title === field.title}
            />
          );
        });
        return group.title ? (
          <fieldset key={group.key} className="schema-group">
            <legend>{group.title}</legend>
            {rows}
          </fieldset>
        ) : (
          <div key="plain">{rows}</div>
        );
      })}
    </>
  );
}
