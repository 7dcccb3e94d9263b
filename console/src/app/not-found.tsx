/** A path that leads nowhere. */
import { useT } from '@/i18n';
import { Link } from '@/shared/ui/link';

export function NotFound() {
  const { t } = useT();
  return (
    <div className="empty">
      <p>{t('shell.not_found')}</p>
      <Link to="/">{t('shell.back_home')}</Link>
    </div>
  );
}
