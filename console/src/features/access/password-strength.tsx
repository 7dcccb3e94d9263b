/** Says how far a password is from the rule; length is what counts. */
import { useT } from '@/i18n';

export function PasswordStrength({ value }: { value: string }) {
  const { t } = useT();
  const length = [...value].length;
  const level = length === 0 ? 0 : length < 12 ? 1 : length < 16 ? 2 : 3;
  return (
    <span className={`strength strength-${level}`}>
      <i aria-hidden />
      <i aria-hidden />
      <i aria-hidden />
      <span aria-live="polite">{level === 0 || level === 1 ? t('password.rule', { n: length }) : level === 2 ? t('password.good') : t('password.strong')}</span>
    </span>
  );
}
