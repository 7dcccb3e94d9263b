/** Nobody loses what they typed by a wrong click. */
import { App } from 'antd';
import { useEffect } from 'react';
import { translate } from '@/i18n';

export function useUnsavedGuard(dirty: boolean): { leave: (go: () => void) => void } {
  const { modal } = App.useApp();
  useEffect(() => {
    if (!dirty) return;
    const warn = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [dirty]);
  return {
    leave: (go) => {
      if (!dirty) go();
      else modal.confirm({ title: translate('confirm.leave'), okText: translate('action.continue'), cancelText: translate('action.cancel'), onOk: go });
    },
  };
}
