/** The quiet page around set-up and sign-in. */
import { useEffect, type ReactNode } from 'react';
import { Logo } from '@/app/logo';
import { Preferences } from '@/app/preferences';

export function Gate({ title, text, children }: { title: string; text?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · aistack`;
  }, [title]);
  return (
    <main className="gate">
      <div className="gate-card">
        <Logo size={36} />
        <h1>{title}</h1>
        {text && <p className="muted">{text}</p>}
        {children}
      </div>
      <Preferences />
    </main>
  );
}
