/** A path that leads nowhere. */
import { useConsole } from './console';
import { Logo } from './logo';
import { Preferences } from './preferences';
import { useT } from '@/i18n';

export function NotFound() {
  const { t } = useT();
  const { place } = useConsole();
  return (
    <main className="gate">
      <div className="gate-card">
        <Logo size={36} />
        <h1>{t('shell.not_found')}</h1>
        <p>
          <a href={`${place.basePath}/`}>{t('shell.back_home')}</a>
        </p>
      </div>
      <Preferences />
    </main>
  );
}
