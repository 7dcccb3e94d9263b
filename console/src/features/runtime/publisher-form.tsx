/** Adding a publisher's key, or changing how far one is trusted. */
import { Button, Drawer, Form, Input, Radio } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Publisher } from '@/api/models';
import type { ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/action';
import { CopyAs } from '@/shared/ui/copy-as';
import { showFieldErrors } from '@/shared/ui/field-errors';
import { ErrorState } from '@/shared/ui/states';

const TIERS = ['community', 'verified', 'core'] as const;

interface Values {
  publisher: string;
  public_key: string;
  tier: string;
  note: string;
}

export function PublisherForm({ publisher, onClose }: { publisher: Publisher | 'new'; onClose: () => void }) {
  const { t, tv } = useT();
  const scope = useScope();
  const [form] = Form.useForm<Values>();
  const existing = publisher === 'new' ? null : publisher;
  const start: Values = existing ? { publisher: existing.publisher, public_key: existing.public_key, tier: existing.tier, note: existing.note } : { publisher: '', public_key: '', tier: 'community', note: '' };
  const values = { ...start, ...(Form.useWatch([], form) as Partial<Values> | undefined) };
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const save = useAction({
    run: (v: Values) => take(scope.api.POST('/api/v1/publishers', { body: v })),
    invalidate: [[scope.key, 'publishers'], [scope.key, 'plugins']],
    problem: (p) => {
      setProblem(p);
      showFieldErrors(form, p, ['publisher', 'public_key', 'tier', 'note']);
      return true;
    },
    done: (p) => t('publishers.saved', { name: p.publisher }),
    after: onClose,
  });
  return (
    <Drawer
      open
      onClose={onClose}
      size={460}
      title={existing ? t('publishers.change') : t('publishers.add')}
      footer={
        <div className="row spread">
          <CopyAs method="POST" path="/api/v1/publishers" body={values} />
          <span className="row">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="primary" loading={save.isPending} htmlType="submit" form="publisher-form" data-testid="publisher-submit">
              {t('action.save')}
            </Button>
          </span>
        </div>
      }
    >
      <Form<Values>
        id="publisher-form"
        form={form}
        layout="vertical"
        initialValues={start}
        onFinish={(v) => {
          setProblem(null);
          save.mutate({ ...start, ...v });
        }}
        data-testid="publisher-form"
      >
        {problem && <ErrorState compact error={problem} />}
        <Form.Item name="publisher" label={t('plugins.publisher')} extra={t('publishers.name_hint')} rules={[{ required: true, message: t('form.required') }]}>
          <Input className="mono" autoFocus={!existing} disabled={!!existing} autoComplete="off" spellCheck={false} />
        </Form.Item>
        <Form.Item name="public_key" label={t('publishers.public_key')} extra={t('publishers.key_hint')} rules={[{ required: true, message: t('form.required') }]}>
          <Input.TextArea className="mono" rows={4} disabled={!!existing} spellCheck={false} />
        </Form.Item>
        <Form.Item name="tier" label={t('publishers.tier')} required>
          <Radio.Group className="stack tight" options={TIERS.map((value) => ({ value, label: <span className="two-line"><b>{tv('tier', value)}</b><span className="muted small">{tv('tier_text', value)}</span></span> }))} />
        </Form.Item>
        <Form.Item name="note" label={t('publishers.note')}>
          <Input maxLength={200} />
        </Form.Item>
      </Form>
    </Drawer>
  );
}
