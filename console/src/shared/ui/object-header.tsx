/** The head of every object's page: name, id, state, actions, and the history of what was done to it. */
import { HistoryOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { useT } from '@/i18n';
import { Id } from './copyable';
import { Status } from './status';

const History = lazy(() => import('@/features/audit/history'));

export interface ObjectHeaderProps {
  title: ReactNode;
  /** For the browser's tab. */
  name: string;
  id: string;
  status?: string;
  tags?: ReactNode;
  meta?: ReactNode;
  actions?: ReactNode;
}

export function ObjectHeader({ title, name, id, status, tags, meta, actions }: ObjectHeaderProps) {
  const { t } = useT();
  const [history, setHistory] = useState(false);
  useEffect(() => {
    document.title = `${name} · aistack`;
  }, [name]);
  return (
    <header className="object-head">
      <div className="object-title">
        <h1>{title}</h1>
        {status && <Status value={status} />}
        {tags}
        <span className="grow" />
        <div className="page-actions">
          {actions}
          <Button icon={<HistoryOutlined />} onClick={() => setHistory(true)} data-testid="history-open">
            {t('audit.history')}
          </Button>
        </div>
      </div>
      <div className="object-meta">
        <Id value={id} />
        {meta}
      </div>
      {history && (
        <Suspense>
          <History target={id} title={name} onClose={() => setHistory(false)} />
        </Suspense>
      )}
    </header>
  );
}
