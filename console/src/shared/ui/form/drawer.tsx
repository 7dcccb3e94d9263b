/** The frame of a form in a drawer: what it would send to copy, one button that sends it, a refusal above the fields and at them. */
import type { QueryKey } from '@tanstack/react-query';
import { Button, Drawer, Form } from 'antd';
import { useState, type ReactNode } from 'react';
import type { ApiProblem } from '@/api/problem';
import { useT } from '@/i18n';
import { useAction } from '../act/action';
import { CopyAs, type CopyAsProps } from '../act/copy-as';
import { ErrorState } from '../states';
import { fieldErrors, showFieldErrors } from './field-errors';

export interface FormDrawerProps<V extends object, O> {
  /** What its handles begin with: `<name>-form`, `<name>-submit`. */
  name: string;
  title: string;
  /** What the button says; "Save" when left out. */
  submitLabel?: string;
  /** What the form holds at first; values without a field of their own stay as they are here. */
  initial: V;
  /** Names of the fields that can show an error themselves. */
  fields: readonly string[];
  run: (values: V) => Promise<O>;
  /** Every field may be left empty: none is marked as optional then. */
  unmarked?: boolean;
  /** Lists and objects to read again afterwards. */
  invalidate: QueryKey[];
  /** What to say when it worked. */
  done?: (output: O) => string;
  /** The request, as the values stand. */
  copy: (values: V) => CopyAsProps;
  /** What else comes of it, once the drawer is closed. */
  after?: (output: O) => void;
  onClose: () => void;
  children: (values: V) => ReactNode;
}

/** It is there while it is open: leave it out of the page to close it. */
export function FormDrawer<V extends object, O>({ name, title, submitLabel, initial, fields, unmarked = false, run, invalidate, done, copy, after, onClose, children }: FormDrawerProps<V, O>) {
  const { t } = useT();
  const [form] = Form.useForm<V>();
  const values: V = { ...initial, ...(Form.useWatch([], form) as Partial<V> | undefined) };
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const send = useAction<V, O>({
    run,
    invalidate,
    done,
    problem: (p) => {
      setProblem(p);
      showFieldErrors(form, p, fields);
      return true;
    },
    after: (output) => {
      onClose();
      after?.(output);
    },
  });
  return (
    <Drawer
      open
      onClose={onClose}
      size={460}
      title={title}
      footer={
        <div className="row spread">
          <CopyAs {...copy(values)} />
          <span className="row">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="primary" loading={send.isPending} htmlType="submit" form={`${name}-form`} data-testid={`${name}-submit`}>
              {submitLabel ?? t('action.save')}
            </Button>
          </span>
        </div>
      }
    >
      <Form<V>
        id={`${name}-form`}
        form={form}
        layout="vertical"
        initialValues={initial}
        requiredMark={unmarked ? false : undefined}
        onFinish={(v) => {
          setProblem(null);
          send.mutate({ ...initial, ...v });
        }}
        data-testid={`${name}-form`}
      >
        {problem && <ErrorState compact error={problem} fields={problem.fields.filter((f) => fieldErrors([f], fields).length === 0)} />}
        {children(values)}
      </Form>
    </Drawer>
  );
}
