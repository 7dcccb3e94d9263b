/** Installing a plugin from a file: drop it, watch it go up, read why it was refused or see what came in. */
import { InboxOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button, Modal, Progress } from 'antd';
import { useRef, useState, type DragEvent } from 'react';
import type { Plugin } from '@/api/models';
import { asProblem, networkProblem, toProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { useConsole } from '@/app/console';
import { localized, useT } from '@/i18n';
import { formatBytes } from '@/shared/format';
import { Link } from '@/shared/ui/link';
import { ErrorState } from '@/shared/ui/states';
import { Capabilities } from '../parts/capabilities';
import { NO_TERMS, pairSignatures, signatureHeader, termsQuery, UploadTerms } from './demands';

/** `fetch` cannot report how much has been sent, so this one call uses XMLHttpRequest. */
export function uploadPlugin(url: string, file: Blob, signature: string | null, csrf: string | null, onProgress: (share: number) => void): Promise<Plugin> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('content-type', 'application/wasm');
    request.setRequestHeader('accept', 'application/json, application/problem+json');
    if (signature) request.setRequestHeader('x-aistack-signature', signature);
    if (csrf) request.setRequestHeader('X-CSRF-Token', csrf);
    request.upload.onprogress = (e) => e.lengthComputable && onProgress(e.loaded / e.total);
    request.onerror = () => reject(networkProblem('upload'));
    request.onload = () => {
      let body: unknown;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = null;
      }
      if (request.status >= 200 && request.status < 300) resolve(body as Plugin);
      else reject(toProblem(body, { status: request.status, headers: new Headers({ 'x-request-id': request.getResponseHeader('x-request-id') ?? '' }) }));
    };
    request.send(file);
  });
}

interface Item {
  name: string;
  size: number;
  share: number;
  plugin?: Plugin;
  error?: unknown;
}

export function UploadPlugin({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t, locale } = useT();
  const scope = useScope();
  const { handle } = useConsole();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [items, setItems] = useState<Item[]>([]);
  const [terms, setTerms] = useState(NO_TERMS);
  const [over, setOver] = useState(false);
  const busy = items.some((i) => !i.plugin && !i.error);

  const send = (files: File[]) => {
    for (const { file, signature } of pairSignatures(files)) {
      const key = `${file.name}-${performance.now()}`;
      const patch = (change: Partial<Item>) => setItems((all) => all.map((i) => (i.name === key ? { ...i, ...change } : i)));
      setItems((all) => [...all, { name: key, size: file.size, share: 0 }]);
      const upload = async () => {
        const signed = signature ? signatureHeader(await signature.text()) : null;
        return uploadPlugin(`${scope.apiBase}/api/v1/plugins${termsQuery(terms)}`, file, signed, handle.csrf.token, (share) => patch({ share }));
      };
      upload().then(
        (plugin) => {
          patch({ plugin, share: 1 });
          void client.invalidateQueries({ queryKey: [scope.key, 'plugins'] });
        },
        (error: unknown) => patch({ error }),
      );
    }
  };
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    send([...e.dataTransfer.files]);
  };
  return (
    <Modal
      open={open}
      title={t('plugins.upload')}
      onCancel={onClose}
      afterClose={() => {
        setItems([]);
        setTerms(NO_TERMS);
      }}
      width={560}
      footer={
        <Button type={items.some((i) => i.plugin) ? 'primary' : 'default'} onClick={onClose} disabled={busy}>
          {t('action.close')}
        </Button>
      }
    >
      <div className={over ? 'drop over' : 'drop'} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
        <InboxOutlined />
        <p>{t('plugins.drop')}</p>
        <Button onClick={() => input.current?.click()}>{t('plugins.choose_file')}</Button>
        <input
          ref={input}
          type="file"
          accept=".wasm,.sig,application/wasm"
          multiple
          className="visually-hidden"
          aria-label={t('plugins.choose_file')}
          data-testid="plugin-file"
          onChange={(e) => {
            send([...(e.target.files ?? [])]);
            e.target.value = '';
          }}
        />
        <p className="muted small">{t('plugins.upload_hint')}</p>
      </div>
      <UploadTerms value={terms} onChange={setTerms} />
      <div aria-live="polite">
        {items.map((item) => {
          const fileName = item.name.replace(/-[\d.]+$/, '');
          return (
            <div key={item.name} className="upload-item" data-testid="upload-item" data-state={item.plugin ? 'done' : item.error ? 'refused' : 'busy'}>
              <div className="row spread">
                <b>{item.plugin ? localized(item.plugin.name, locale, item.plugin.plugin_id) : fileName}</b>
                <span className="muted small">{item.plugin ? `${item.plugin.plugin_id} ${item.plugin.version}` : formatBytes(item.size)}</span>
              </div>
              {item.error ? (
                <ErrorState compact error={item.error} fields={asProblem(item.error).fields} />
              ) : item.plugin ? (
                <>
                  <Capabilities manifest={item.plugin.manifest} schema={item.plugin.config_schema} />
                  <Link to={`/plugins/${item.plugin.id}`} onClick={onClose}>
                    {t('plugins.open')}
                  </Link>
                </>
              ) : (
                <Progress percent={Math.round(item.share * 100)} size="small" showInfo={item.share < 1} status="active" format={item.share < 1 ? undefined : () => t('plugins.checking')} />
              )}
              {!item.plugin && !item.error && item.share === 1 && <span className="muted small">{t('plugins.checking')}</span>}
            </div>
          );
        })}
      </div>
    </Modal>
  );
}
