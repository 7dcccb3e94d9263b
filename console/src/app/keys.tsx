/** The list of keys, opened with `?`. */
import { Modal } from 'antd';
import { useT } from '@/i18n';
import { useConsole } from './console';
import { operatorNav, tenantNav } from './nav';
import { GO_KEYS } from './shortcuts';

export default function Keys({ onClose }: { onClose: () => void }) {
  const { t } = useT();
  const { meta } = useConsole();
  const nav = (meta.realm === 'operator' ? operatorNav : tenantNav).flatMap((g) => g.items);
  const rows: [string[], string][] = [
    [['Ctrl', 'K'], t('palette.title')],
    [['/'], t('keys.search')],
    [['j'], t('keys.next_row')],
    [['k'], t('keys.previous_row')],
    [['Enter'], t('keys.open_row')],
    [['?'], t('keys.title')],
  ];
  for (const [key, path] of Object.entries(GO_KEYS[meta.realm])) {
    const item = nav.find((n) => n.path === path);
    if (item) rows.push([['g', key], t(item.label as 'nav.overview')]);
  }
  return (
    <Modal open title={t('keys.title')} footer={null} onCancel={onClose} width={420}>
      <dl className="keys">
        {rows.map(([keys, text]) => (
          <div key={keys.join()}>
            <dt>{text}</dt>
            <dd>
              {keys.map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
