/** Starting a release: which version, tried on whom, and when it is taken back by itself. */
import { useQuery } from '@tanstack/react-query';
import { Form, InputNumber, Radio, Select } from 'antd';
import { take } from '@/api/client';
import type { Plugin, Release } from '@/api/models';
import { useScope } from '@/api/scope';
import { versionsOf } from '@/features/plugins/upgrade/versions';
import { useT } from '@/i18n';
import { FormDrawer } from '@/shared/ui/form/drawer';
import { startRelease } from './api';
import { startBody, type StartValues } from './figures';

const MODES = ['canary', 'shadow', 'all'] as const;

export function StartReleaseForm({ plugin, onClose }: { plugin: Plugin; onClose: () => void }) {
  const { t, tv } = useT();
  const scope = useScope();
  const listed = useQuery({ queryKey: [scope.key, 'plugins', 'versions', plugin.plugin_id], queryFn: () => take(scope.api.GET('/api/v1/plugins', { params: { query: { limit: 200 } } })) });
  const versions = versionsOf(plugin, listed.data?.items ?? [plugin]);
  const options = versions.map((p) => ({ value: p.version, label: p.quarantined ? `${p.version} · ${t('held.short')}` : p.version, disabled: !!p.quarantined }));
  return (
    <FormDrawer<StartValues, Release>
      name="release"
      title={t('releases.start')}
      submitLabel={t('releases.start')}
      initial={{ to: plugin.version, mode: 'canary', by: 'tenants', share: 5, max_error_rate: 5, min_calls: 20 }}
      fields={['to', 'from', 'share', 'max_error_rate', 'min_calls']}
      run={(v) => startRelease(scope.api, plugin.plugin_id, startBody(v))}
      invalidate={[[scope.key, 'releases', plugin.plugin_id]]}
      done={(r) => t(r.state === 'promoted' ? 'releases.done_promote' : 'releases.started', { version: r.to })}
      copy={(v) => ({ method: 'POST', path: `/api/v1/plugins/${plugin.plugin_id}/releases`, body: startBody(v) })}
      onClose={onClose}
    >
      {(values) => (
        <>
          <div className="grid-2">
            <Form.Item name="from" label={t('releases.in_use')} extra={t('releases.from_hint')}>
              <Select allowClear options={options.filter((o) => o.value !== values.to).map((o) => ({ ...o, disabled: false }))} />
            </Form.Item>
            <Form.Item name="to" label={t('releases.candidate')} rules={[{ required: true, message: t('form.required') }]}>
              <Select options={options} />
            </Form.Item>
          </div>
          <Form.Item name="mode" label={t('releases.mode')} required>
            <Radio.Group
              className="stack tight"
              options={MODES.map((value) => ({ value, label: <span className="two-line"><b>{tv('release_mode', value)}</b><span className="muted small">{tv('release_mode_text', value)}</span></span> }))}
            />
          </Form.Item>
          {values.mode === 'canary' && (
            <div className="grid-2">
              <Form.Item name="share" label={t('releases.share')} rules={[{ required: true, message: t('form.required') }]}>
                <InputNumber min={0.1} max={100} step={1} suffix="%" style={{ width: '100%' }} />
              </Form.Item>
              <Form.Item name="by" label={t('releases.by')} required>
                <Radio.Group optionType="button" options={[{ value: 'tenants', label: t('releases.by_tenants') }, { value: 'calls', label: t('releases.by_calls') }]} />
              </Form.Item>
            </div>
          )}
          {values.mode !== 'all' && (
            <div className="grid-2">
              <Form.Item name="max_error_rate" label={t('releases.max_error_rate')} extra={t('releases.max_error_rate_hint')} rules={[{ required: true, message: t('form.required') }]}>
                <InputNumber min={0} max={100} step={1} suffix="%" style={{ width: '100%' }} />
              </Form.Item>
              <Form.Item name="min_calls" label={t('releases.min_calls')} extra={t('releases.min_calls_hint')} rules={[{ required: true, message: t('form.required') }]}>
                <InputNumber min={1} max={1_000_000} precision={0} style={{ width: '100%' }} />
              </Form.Item>
            </div>
          )}
          <p className="muted small">{t('releases.left_alone')}</p>
        </>
      )}
    </FormDrawer>
  );
}
