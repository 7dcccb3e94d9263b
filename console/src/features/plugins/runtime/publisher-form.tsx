/** Adding a publisher's key, or changing how far one is trusted. */
import { Form, Input, Radio } from 'antd';
import { take } from '@/api/client';
import type { Publisher } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { FormDrawer } from '@/shared/ui/form/drawer';

const TIERS = ['community', 'verified', 'core'] as const;

interface Values {
  publisher: string;
  public_key: string;
  tier: string;
  note: string;
}

const FRESH: Values = { publisher: '', public_key: '', tier: 'community', note: '' };

export function PublisherForm({ publisher, onClose }: { publisher: Publisher | 'new'; onClose: () => void }) {
  const { t, tv } = useT();
  const scope = useScope();
  const existing = publisher === 'new' ? null : publisher;
  return (
    <FormDrawer<Values, Publisher>
      name="publisher"
      title={existing ? t('publishers.change') : t('publishers.add')}
      initial={existing ? { publisher: existing.publisher, public_key: existing.public_key, tier: existing.tier, note: existing.note } : FRESH}
      fields={['publisher', 'public_key', 'tier', 'note']}
      run={(v) => take(scope.api.POST('/api/v1/publishers', { body: v }))}
      invalidate={[[scope.key, 'publishers'], [scope.key, 'plugins']]}
      done={(p) => t('publishers.saved', { name: p.publisher })}
      copy={(body) => ({ method: 'POST', path: '/api/v1/publishers', body })}
      onClose={onClose}
    >
      {() => (
        <>
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
        </>
      )}
    </FormDrawer>
  );
}
