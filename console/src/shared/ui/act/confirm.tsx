/** For what cannot be taken back: shows the consequences and asks for the name. */
import { Input, Modal } from 'antd';
import { useId, useState, type ReactNode } from 'react';
import { useT } from '@/i18n';

export interface ConfirmProps {
  open: boolean;
  title: string;
  /** What will be gone or stop working, best in numbers. */
  consequences: ReactNode;
  /** The word to type; without it a click is enough. */
  name?: string;
  /** Asks for a reason that goes into the audit log. */
  reason?: boolean;
  /** What the reason is called when others than auditors read it. */
  reasonLabel?: string;
  confirmLabel: string;
  danger?: boolean;
  busy?: boolean;
  onConfirm: (reason: string) => void;
  onCancel: () => void;
}

export function Confirm(props: ConfirmProps) {
  const { t } = useT();
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const nameId = useId();
  const reasonId = useId();
  const ready = (!props.name || typed === props.name) && (!props.reason || reason.trim().length > 0);
  const close = () => {
    setTyped('');
    setReason('');
    props.onCancel();
  };
  return (
    <Modal
      open={props.open}
      title={props.title}
      okText={props.confirmLabel}
      // Not "Cancel": what is confirmed may be a cancellation itself.
      cancelText={t('action.back')}
      okButtonProps={{ danger: props.danger ?? true, disabled: !ready, 'data-testid': 'confirm' }}
      confirmLoading={props.busy}
      onOk={() => props.onConfirm(reason.trim())}
      onCancel={close}
      afterClose={() => {
        setTyped('');
        setReason('');
      }}
      width={460}
      destroyOnHidden
    >
      <div className="stack">
        <div>{props.consequences}</div>
        {props.reason && (
          <label htmlFor={reasonId} className="field">
            <span>{props.reasonLabel ?? t('confirm.reason')}</span>
            <Input.TextArea id={reasonId} rows={2} value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} autoFocus={!props.name} data-testid="confirm-reason" />
          </label>
        )}
        {props.name && (
          <label htmlFor={nameId} className="field">
            <span>
              {t('confirm.type_before')} <code className="strong">{props.name}</code> {t('confirm.type_after')}
            </span>
            <Input id={nameId} value={typed} autoComplete="off" spellCheck={false} autoFocus onChange={(e) => setTyped(e.target.value)} data-testid="confirm-name" />
          </label>
        )}
      </div>
    </Modal>
  );
}
