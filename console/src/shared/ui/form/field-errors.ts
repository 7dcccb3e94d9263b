/** Server-side field errors, by JSON pointer, as antd's form wants them. */
import { pointerPath, type ApiProblem, type FieldProblem } from '@/api/problem';

/** Only the fields the form has; what points elsewhere stays in the message above the form. */
export function fieldErrors(problems: readonly FieldProblem[], names: readonly string[]): { name: string | string[]; errors: string[] }[] {
  const known = new Set(names);
  return problems.flatMap((f) => {
    const path = pointerPath(f.pointer);
    const dotted = path.join('.');
    const errors = f.hint ? [f.message, f.hint] : [f.message];
    if (known.has(dotted)) return [{ name: path.length === 1 ? path[0]! : path, errors }];
    return path[0] !== undefined && known.has(path[0]) ? [{ name: path[0], errors }] : [];
  });
}

/** Marks the fields of a form; the parameter is as narrow as possible so that every form fits. */
export function showFieldErrors(form: { setFields: (fields: never) => void }, problem: ApiProblem, names: readonly string[]): void {
  form.setFields(fieldErrors(problem.fields, names) as never);
}
