/** "Copy as": the form as the command that would do the same, for scripts and for learning the API. */
import { CodeOutlined } from '@ant-design/icons';
import { App, Button, Dropdown } from 'antd';
import { useT } from '@/i18n';
import { useScope } from '@/api/scope';

export interface CopyAsProps {
  /** Arguments of the `aistack` command, already in order. */
  cli?: (string | undefined)[];
  method: string;
  path: string;
  body?: unknown;
}

/** Quotes a word for a POSIX shell. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function curlCommand(origin: string, method: string, path: string, body: unknown): string {
  const parts = ['curl', '-fsS', '-X', method, shellQuote(origin + path), '-H', '"Authorization: Bearer $AISTACK_TOKEN"'];
  if (body !== undefined) parts.push('-H', shellQuote('content-type: application/json'), '-d', shellQuote(JSON.stringify(body)));
  return parts.join(' ');
}

export function CopyAs({ cli, method, path, body }: CopyAsProps) {
  const { t } = useT();
  const scope = useScope();
  const { message } = App.useApp();
  const copy = (text: string) => void navigator.clipboard.writeText(text).then(() => message.success(t('word.copied')));
  const items = [
    ...(cli ? [{ key: 'cli', label: t('action.copy_cli'), onClick: () => copy(['aistack', ...cli.filter((a) => a !== undefined)].map((a) => shellQuote(a as string)).join(' ')) }] : []),
    { key: 'curl', label: t('action.copy_curl'), onClick: () => copy(curlCommand(location.origin, method, scope.apiBase + path, body)) },
  ];
  return (
    <Dropdown menu={{ items }} trigger={['click']}>
      <Button type="text" size="small" icon={<CodeOutlined />} className="muted-button">
        {t('action.copy_as')}
      </Button>
    </Dropdown>
  );
}
