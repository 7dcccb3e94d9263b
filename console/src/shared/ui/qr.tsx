/** A QR code to scan with a phone, with its content for those who can't. */
import { QRCode } from 'antd';
import { colors, useTheme } from '@/app/theme';
import { CopyButton } from './copyable';

export function ScanCode({ payload, label, testId }: { payload: string; label: string; testId: string }) {
  const theme = useTheme();
  const c = colors(theme.name);
  return (
    <div className="stack center" data-testid={testId}>
      {/* Always dark on light: some scanners cannot read the inverse. */}
      <QRCode aria-label={label} value={payload} size={220} color="#111" bgColor="#fff" bordered={false} style={{ padding: 12, border: `1px solid ${c.border}` }} type="canvas" />
      <p>{label}</p>
      <span className="row muted small">
        <code className="clip">{payload}</code> <CopyButton text={payload} />
      </span>
    </div>
  );
}
