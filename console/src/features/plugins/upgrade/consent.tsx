/** The difference that somebody has to agree to: every new right as a sentence, and the two answers. */
import { WarningOutlined } from '@ant-design/icons';
import { Button, Modal } from 'antd';
import { useRef, type ReactNode } from 'react';
import { useT } from '@/i18n';
import { describeAdded, type Added } from './added';

export interface ConsentProps {
  open: boolean;
  title: string;
  /** What goes on until somebody agrees. */
  meanwhile: string;
  added: Added;
  busy: boolean;
  onAgree: () => void;
  onDismiss: () => void;
  /** Keeps the change until somebody agrees; without it there is no such choice. */
  onWait?: () => void;
  /** Why agreeing did not work. */
  children?: ReactNode;
}

export function ConsentDialog(props: ConsentProps) {
  const { t } = useT();
  // What was asked stays to be read while the dialog fades, though the page behind it has moved on.
  const last = useRef(props);
  if (props.open) last.current = props;
  const { title, added, meanwhile } = last.current;
  return (
    <Modal
      open={props.open}
      title={title}
      width={560}
      onCancel={props.onDismiss}
      destroyOnHidden
      data-testid="consent-dialog"
      footer={
        <div className="row end">
          {props.onWait && (
            <Button type="text" disabled={props.busy} onClick={props.onWait} data-testid="consent-wait">
              {t('consent.wait')}
            </Button>
          )}
          <span className="grow" />
          <Button onClick={props.onDismiss} data-testid="consent-later">
            {t('consent.later')}
          </Button>
          <Button type="primary" loading={props.busy} onClick={props.onAgree} data-testid="consent-agree">
            {t('consent.agree')}
          </Button>
        </div>
      }
    >
      <p>{t('consent.text')}</p>
      <AddedList added={added} />
      <p className="muted small">{meanwhile}</p>
      {props.children}
    </Modal>
  );
}

export function AddedList({ added }: { added: Added }) {
  const { t } = useT();
  const groups = describeAdded(added);
  if (groups.length === 0) return <p className="muted">{t('consent.nothing')}</p>;
  return (
    <div className="added" data-testid="added">
      {groups.map((group) => (
        <section key={group.kind} data-kind={group.kind} aria-label={group.title}>
          <h3>{group.title}</h3>
          <ul>
            {group.lines.map((line) => (
              <li key={line.text} className={line.grave ? 'bad' : undefined}>
                {line.grave && <WarningOutlined aria-label={t('consent.grave')} />} {line.text}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
