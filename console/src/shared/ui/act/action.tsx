/** Doing something on the server: the button waits, a refusal is explained with its request id, success is said and can be undone. */
import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { asProblem, explain, type ApiProblem } from '@/api/problem';
import { useT } from '@/i18n';
import { CopyButton } from '../copyable';
import { Hint } from '../states';

export interface ActionOptions<I, O> {
  run: (input: I) => Promise<O>;
  /** Lists and objects to read again afterwards. */
  invalidate?: QueryKey[];
  /** What to say when it worked. */
  done?: (output: O, input: I) => string | undefined;
  after?: (output: O, input: I) => void;
  /** Takes the problem over (to show it in a form); return `true` when nothing else should be shown. */
  problem?: (problem: ApiProblem, input: I) => boolean;
}

export function useAction<I = void, O = unknown>(options: ActionOptions<I, O>) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const show = useShowProblem();
  return useMutation<O, unknown, I>({
    mutationFn: options.run,
    onSuccess: async (output, input) => {
      await Promise.all((options.invalidate ?? []).map((queryKey) => client.invalidateQueries({ queryKey })));
      const text = options.done?.(output, input);
      if (text) void message.success(text);
      options.after?.(output, input);
    },
    onError: (error, input) => {
      if (options.problem?.(asProblem(error), input)) return;
      show(error);
    },
  });
}

export function useShowProblem(): (error: unknown) => void {
  const { notification } = App.useApp();
  const { t } = useT();
  return useCallback(
    (error) => {
      const e = explain(error);
      notification.error({
        title: e.title,
        placement: 'bottomRight',
        duration: 12,
        role: 'alert',
        description: (
          <div className="notice">
            {e.detail && <p>{e.detail}</p>}
            {e.hint && <Hint text={e.hint} />}
            {e.next && <p className="muted">{e.next}</p>}
            {e.requestId && (
              <p className="muted small">
                {t('word.request_id')} <code>{e.requestId}</code> <CopyButton text={e.requestId} />
              </p>
            )}
          </div>
        ),
      });
    },
    [notification, t],
  );
}

const UNDO_SECONDS = 10;

/** Says what was done and offers to take it back for ten seconds. */
export function useUndo(): (text: string, undo: () => Promise<unknown>) => void {
  const { notification } = App.useApp();
  const client = useQueryClient();
  const show = useShowProblem();
  return useCallback(
    (text, undo) => {
      const key = `undo-${text}-${performance.now()}`;
      notification.open({
        key,
        title: <UndoToast text={text} onUndo={() => {
          notification.destroy(key);
          undo().then(() => client.invalidateQueries(), show);
        }} />,
        placement: 'bottom',
        duration: UNDO_SECONDS,
        showProgress: true,
        role: 'status',
        className: 'undo-toast',
      });
    },
    [notification, client, show],
  );
}

function UndoToast({ text, onUndo }: { text: string; onUndo: () => void }): ReactNode {
  const { t } = useT();
  const [left, setLeft] = useState(UNDO_SECONDS);
  useEffect(() => {
    const timer = setInterval(() => setLeft((n) => Math.max(0, n - 1)), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className="row spread">
      <span>{text}</span>
      <Button type="link" size="small" data-testid="undo" onClick={onUndo}>
        {t('action.undo')} <span className="muted">{left}</span>
      </Button>
    </span>
  );
}
