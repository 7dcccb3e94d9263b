/** What is demanded of an upload beyond being a good component. */
import { Checkbox, Collapse, Input } from 'antd';
import { useId } from 'react';
import { useT } from '@/i18n';

export interface Terms {
  digest: string;
  allowDowngrade: boolean;
}

export const NO_TERMS: Terms = { digest: '', allowDowngrade: false };

/** The query of the upload's address. */
export function termsQuery(terms: Terms): string {
  const params = new URLSearchParams();
  const digest = terms.digest.trim();
  // People paste what sha256sum prints: the bare number.
  if (digest) params.set('digest', /^[\da-f]{64}$/i.test(digest) ? `sha256:${digest.toLowerCase()}` : digest);
  if (terms.allowDowngrade) params.set('allow_downgrade', 'true');
  const text = params.toString();
  return text ? `?${text}` : '';
}

export interface Upload {
  file: File;
  /** Text of the detached signatures that came along. */
  signature: File | null;
}

/** Each component with the signature file of its name; signatures without a component are left out. */
export function pairSignatures(files: File[]): Upload[] {
  const signatures = new Map(files.filter((f) => f.name.endsWith('.sig')).map((f) => [f.name.slice(0, -4), f]));
  return files.filter((f) => !f.name.endsWith('.sig')).map((file) => ({ file, signature: signatures.get(file.name) ?? null }));
}

/** A header holds one line of printable characters; a file that is no JSON goes as it is, for the server to refuse. */
export function signatureHeader(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text.replace(/[^\x20-\x7e]+/g, ' ').trim();
  }
}

export function UploadTerms({ value, onChange }: { value: Terms; onChange: (terms: Terms) => void }) {
  const { t } = useT();
  const id = useId();
  const children = (
    <div className="stack tight">
      <label className="field" htmlFor={id}>
        <span>{t('plugins.expected_digest')}</span>
        <Input id={id} className="mono" size="small" placeholder="sha256:…" value={value.digest} spellCheck={false} autoComplete="off" onChange={(e) => onChange({ ...value, digest: e.target.value })} data-testid="upload-digest" />
        <span className="field-help">{t('plugins.expected_digest_help')}</span>
      </label>
      <Checkbox checked={value.allowDowngrade} onChange={(e) => onChange({ ...value, allowDowngrade: e.target.checked })} data-testid="upload-downgrade">
        {t('plugins.allow_downgrade')}
      </Checkbox>
      <p className="field-help">{t('plugins.signature_files')}</p>
    </div>
  );
  return <Collapse ghost size="small" className="flat-collapse" items={[{ key: 'terms', label: t('plugins.upload_terms'), children }]} />;
}
