/** Shown while nobody owns the server yet: the one-time link is in the place where it was started. */
import { useT } from '@/i18n';
import { CopyButton } from '@/shared/ui/copyable';
import { Preferences } from './preferences';
import { Logo } from './logo';

export function SetupNeeded() {
  const { t } = useT();
  const command = `aistack setup --url ${location.origin} --token TOKEN --email YOU@EXAMPLE.COM --name NAME`;
  return (
    <main className="gate">
      <div className="gate-card">
        <Logo size={36} />
        <h1>{t('setup.needed_title')}</h1>
        <p className="muted">{t('setup.needed_text')}</p>
        <pre className="command">
          <code>{command}</code>
          <CopyButton text={command} />
        </pre>
      </div>
      <Preferences />
    </main>
  );
}
