/** Server-side field errors, by JSON pointer, as antd's form wants them. */
import { pointerPath, type ApiProblem, type FieldProblem } from '@/api/problem';

/** Only the fields the form has (`grants.hosts` is one below another); what points elsewhere stays in the message above the form. */
export function fieldErrors(problems: readonly FieldProblem[], names: readonly string[]): { name: string | string[]; errors: string[] }[] {
  const known = new Set(names);
  return problems.flatMap((f) => {
    const path = pointerPath(f.pointer);
    const errors = f.hint ? [f.message, f.hint] : [f.message];
    // An error inside a field's value, such as one entry of a list, is the field's.
    for (let length = path.length; length > 0; length -= 1) {
      const name = path.slice(0, length);
      if (known.has(name.join('.'))) return [{ name: length === 1 ? name[0]! : name, errors }];
    }
    return [];
  });
}

/** Marks the fields of a form; the parameter is as narrow as possible so that every form fits. */
export function showFieldErrors(form: { setFields: (fields: never) => void }, problem: ApiProblem, names: readonly string[]): void {
  // Of several errors of one field antd would keep the last only.
  const byName = new Map<string, { name: string | string[]; errors: string[] }>();
  for (const one of fieldErrors(problem.fields, names)) {
    const key = JSON.stringify(one.name);
    byName.set(key, { name: one.name, errors: [...(byName.get(key)?.errors ?? []), ...one.errors] });
  }
  form.setFields([...byName.values()] as never);
}
